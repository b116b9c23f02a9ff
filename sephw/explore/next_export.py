"""The command that exports a network with the folding that was found for it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from sephw.command_line import command_line
from sephw.errors import SephwError
from sephw.explore.found import Goal
from sephw.export_folder import ExportFolder
from sephw.invocation import Invocation, Place, TypedOption, build_folder, found_from_here
from sephw.targets import TARGETS, Target

# What a former export was asked for, and one with a folding of its own cannot be.
_SEARCH = ("--fps", "--fold", "--search-seconds")
_ROUTING = ("--clock-mhz", "--seeds", "--floorplan", "--no-floorplan")


def next_export(model: Path, goal: Goal, folding: Path, options: tuple[TypedOption, ...]) -> str:
    """One line: ``sephw export`` of ``model``, a file or an export's folder, with ``folding``.

    ``options``: what was typed for the search and an export takes as well. A device without a board
    is synthesized for after the export. Where the files of a former export are not known, words
    say which options to export it with.
    """
    board = goal.board or _board_of(goal)
    place = _place(model)
    before = place.invocation
    routed = _is_routed(board, before)
    options = tuple(one for one in options if routed or one.option not in _ROUTING)
    target = TypedOption("--target", board.name) if board is not None else None
    # Typed here; an export's paths are those of the folder that it was called in.
    found = str(folding)
    if place.start is not None and not folding.is_absolute():
        found = os.path.relpath(folding, place.start)
    given = (
        *((target,) if target is not None else ()),
        TypedOption("--folding", found, is_path=True),
        *options,
    )
    dropped = (
        *_SEARCH,
        *(() if board is not None else ("--target",)),
        *(() if routed else _ROUTING),
    )
    again = None if before is None else before.without(dropped).adding(*given)
    command = place.repeat(again)
    if command is None:
        words = [word for one in given for word in (one.option, one.value or "") if word]
        return f"export the model again with {shlex.join(words)}"
    if board is not None:
        return command
    device = command_line("synth", [place.export], [("--device", goal.device.name)])
    return f"{command} && {device}"


def _is_routed(board: Target | None, before: Invocation | None) -> bool:
    """Whether the export places and routes; only then may it be asked for a clock."""
    steps = None if before is None else before.given("--steps")
    usual = steps is None or steps.startswith("+")
    return board is not None and board.open_board is not None and (usual or "synth" in str(steps))


def _board_of(goal: Goal) -> Target | None:
    """A board with the device, one of the open flow first."""
    fitting = [target for target in TARGETS if target.device == goal.device]
    return min(fitting, key=lambda target: target.open_board is None, default=None)


def _place(model: Path) -> Place:
    if model.is_dir():
        return found_from_here(model, _recorded(model))
    return Place(build_folder(model), Path(), Invocation(str(model), (), "../..", False))


def _recorded(folder: Path) -> Invocation | None:
    try:
        return ExportFolder.open(folder).invocation
    except SephwError:
        return None
