"""The folding of an export, from a file, the search or the fast rule; and whether it fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sephw.errors import SephwError
from sephw.export.manifest import write_json
from sephw.export.settings import ExportSettings
from sephw.export_names import FOLDING
from sephw.ir import Graph
from sephw.ir.resources import Resources
from sephw.passes import FoldingFile, for_device, read_folding_file
from sephw.progress import Progress
from sephw.rates import rate
from sephw.resources import estimate_engines
from sephw.resources.board_top import top_of
from sephw.targets import TARGETS, Device, Target
from sephw.technologies import CHARACTERIZATION

# Frames per second that every folding has: what is least is the smallest design of all.
_ANY_FPS = 1e-3


def choose_folding(
    settings: ExportSettings, graph: Graph, folder: Path, progress: Progress
) -> FoldingFile:
    """The requested folding: a file's, the search's (kept as folding.json), or none.

    Raises SephwError as the search does, where nothing fits the device; where a misfit is allowed,
    it is then the smallest design.
    """
    if settings.folding is not None:
        return read_folding_file(settings.folding)
    if not settings.searches:
        return FoldingFile()
    from sephw.explore import MisfitError, board_goal, search, without_limits

    goal = board_goal(settings.target, settings.clock_mhz, settings.fps, settings.weight_bandwidth)
    with progress.step("explore", f"foldings for {goal.device.name}"):
        try:
            found = search(graph, goal, progress=progress.update, seconds=settings.search_seconds)
        except MisfitError as error:
            if not settings.allow_misfit:
                raise MisfitError(
                    f"{error}; --allow-misfit exports the smallest design all the same"
                ) from None
            progress.warn(str(error))
            least = replace(without_limits(goal), fps=goal.fps or _ANY_FPS)
            found = search(graph, least, progress=progress.update, seconds=settings.search_seconds)
        if found.timed_out:
            progress.warn(
                f"the folding search ended after {settings.search_seconds:g} s with the best so "
                "far; another machine may find another one: keep folding.json, or give more "
                "--search-seconds"
            )
        write_json(folder / FOLDING, found.folding.as_dict())
    return found.folding


def check_fit(settings: ExportSettings, unfolded: Graph, graph: Graph, progress: Progress) -> None:
    """SephwError where ``graph``, as it is folded, is estimated to take more than the device has.

    It names what does fit: the search's folding of ``unfolded`` for the board, and the smallest
    board that takes ``graph``. Where a misfit is allowed, that is a warning.
    """
    device = settings.target.device
    if settings.searches or not device.technology.has(CHARACTERIZATION):
        return
    excess = estimated(graph, settings.target).excess(device.available)
    if not excess:
        return
    short = ", ".join(
        f"{name} {used:,} of {limit:,} ({used - limit:,} too many)" for name, used, limit in excess
    )
    folded = "--fold fast" if settings.folding is None else f"--folding {settings.folding}"
    text = f"{settings.name}, folded by {folded}, does not fit {device.name}: {short} [estimated]"
    if settings.allow_misfit:
        progress.warn(text)
        return
    fixes = [_searched(settings, unfolded, folded, progress)]
    board = _smallest_board(graph, device)
    fixes += [] if board is None else [f"as it is folded it fits --target {board.name}"]
    raise SephwError(f"{'; '.join([text, *fixes])}; --allow-misfit exports it all the same")


def estimated(graph: Graph, target: Target) -> Resources:
    """All engines of ``graph`` on the board's device, with the board's top."""
    graph = for_device(graph, target.device)
    costs = estimate_engines(graph, target.device, solve=lambda node: True)
    return sum((cost.resources for cost in costs.values()), top_of(target, graph))


def _searched(settings: ExportSettings, unfolded: Graph, folded: str, progress: Progress) -> str:
    """The search's result for the board, in words."""
    from sephw.explore import board_goal, search

    goal = board_goal(settings.target, settings.clock_mhz, None, settings.weight_bandwidth)
    with progress.step("explore", f"what fits {goal.device.name}"):
        try:
            found = search(
                replace(unfolded, name=settings.name),
                goal,
                progress=progress.update,
                seconds=settings.search_seconds,
            )
        except SephwError as error:
            return f"no folding of it does ({error})"
    taken = found.estimated
    return (
        f"without {folded.split()[0]} the folding search finds what fits: "
        f"{rate(found.frames_per_second)} frames/s on chip, LUT {taken.lut:,}, DSP {taken.dsp:,} "
        "[estimated]"
    )


def _smallest_board(graph: Graph, device: Device) -> Target | None:
    """The smallest board that takes ``graph`` as it is; of the device's technology first."""

    def distance(target: Target) -> tuple[bool, int]:
        other = target.device
        return other.technology is not device.technology, other.available.lut

    for target in sorted(TARGETS, key=distance):
        known = target.device.technology.has(CHARACTERIZATION)
        if known and estimated(graph, target).fits(target.device.available):
            return target
    return None
