"""Steps of the flow that have not been run, and the command to run next."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from sephw.backends.amd.boards import has_amd_flow
from sephw.command_line import Option, command_line, in_folder
from sephw.invocation import Invocation, Place, TypedOption, in_own_folder
from sephw.reports.matrix import verified_layers
from sephw.reports.model import Report, Source
from sephw.targets import TARGETS, find_target
from sephw.technologies import CELL_MODELS
from sephw.verify import describe

# Representations that an export usually compares, and one that it does when asked.
_DEFAULT_SIMULATIONS, _ON_REQUEST = ("csim", "rtlsim"), "netlist"
# What a synthesis after the export, and a search, are to be asked for again.
_SYNTHESIS = ("--clock-mhz", "--seeds", "--floorplan", "--no-floorplan")
_SEARCH = ("--fps", "--clock-mhz", "--weight-bandwidth", "--search-seconds")


@dataclass(frozen=True)
class NotRun:
    """A missing part of the report and the command that makes it.

    Where ``command`` is "", ``how`` says in words what to do.
    """

    what: str
    command: str
    how: str = ""


@dataclass(frozen=True)
class NextStep:
    """The recommended next step and its reason.

    ``command`` is "" where no command helps or where ``how`` says in words what to do.
    """

    why: str
    command: str
    how: str = ""


def own_place(report: Report) -> Place:
    """The export's own folder, in which a report's commands are to be run."""
    return in_own_folder(None if report.provenance is None else report.provenance.invocation)


def not_run(report: Report, place: Place) -> tuple[NotRun, ...]:
    """All missing parts in the order of the flow, with commands to be run in ``place``."""
    parts: list[NotRun] = []
    if report.timeline is None:
        parts.append(NotRun("cycle simulation", *_export(place, "cyclesim")))
    if report.verification is None:
        parts.append(NotRun("verification", *_export(place, "verify")))
    else:
        ran = {column.name for column in verified_layers(report.verification).columns if column.run}
        missing = [name for name in _DEFAULT_SIMULATIONS if name not in ran]
        if missing:
            parts.append(NotRun(", ".join(missing), *_export(place, *missing)))
        known = report.resources is not None and report.resources.device.technology.has(CELL_MODELS)
        if _ON_REQUEST not in ran and known:
            parts.append(NotRun(_ON_REQUEST, *_export(place, _ON_REQUEST)))
    resources = report.resources
    if resources is None or resources.synthesized is None:
        parts.append(NotRun("synthesis", *_synthesize(report, place)))
    if resources is not None and resources.device.routable and resources.routed is None:
        parts.append(NotRun("place-and-route", *_synthesize(report, place)))
    if resources is not None and not resources.device.routable and not resources.vendor:
        vivado = _vivado(report, place)
        parts += [NotRun("place-and-route", vivado)] if vivado else []
    return tuple(parts)


def next_step(report: Report, place: Place) -> NextStep:
    """The one step that brings the network nearer to the board, with a command for ``place``."""
    verification, resources = report.verification, report.resources
    wrong = None if verification is None else verification.first_mismatch
    if verification is not None and wrong is not None:
        return NextStep(f"first difference: {describe(wrong, verification.samples)}", "")
    best = None if resources is None else resources.best
    if resources is not None and best is not None and best[1].resources.excess(best[2]):
        return NextStep(f"make it fit {resources.device.name}", _explore(report, place))
    if verification is None:
        return NextStep("compare every layer", *_export(place, "verify"))
    if resources is None or resources.synthesized is None:
        return NextStep("what synthesis makes of it", *_synthesize(report, place))
    if resources.device.routable and resources.routed is None:
        return NextStep("place and route it", *_synthesize(report, place))
    routed = resources.routed
    if routed is None:
        if best is not None and best[0] is Source.ROUTED:
            return NextStep("copy what is in amd to the board; docs/amd.md goes on", "")
        vivado = _vivado(report, place)
        if vivado:
            return NextStep("place and route it with Vivado", vivado)
        return NextStep("nothing: place and route of this target is not made here", "")
    missed = next((clock for clock in routed.clocks if not clock.met), None)
    if missed is not None:
        return NextStep(
            f"clock '{missed.name}' reaches {missed.fmax.value:g} MHz only: fold the slowest "
            "paths further",
            _explore(report, place),
        )
    if resources.board and routed.bitstream:
        return NextStep(
            "load the bitstream into the board", command_line("program", [place.export])
        )
    boards = [t for t in TARGETS if t.device == resources.device and t.open_board is not None]
    if boards and not resources.board:
        names = " or ".join(board.name for board in boards)
        return NextStep(
            f"it is routed without a board; for one to load into {names}",
            command_line("synth", [place.export], [("--target", boards[0].name)]),
        )
    return NextStep("nothing: compared, synthesized and routed", "")


def _export(place: Place, *steps: str) -> tuple[str, str]:
    """The command that repeats the export with ``steps`` added, or words; one of the two is ""."""
    invocation = place.invocation
    again = None if invocation is None else invocation.with_steps(*steps)
    command = place.repeat(again)
    if command is not None:
        return command, ""
    option = "" if again is None else f" with --steps {again.given('--steps')}"
    return "", f"export the model again{option}"


def _synthesize(report: Report, place: Place) -> tuple[str, str]:
    """The command for synthesis where the export has SystemVerilog, else for the whole export."""
    provenance = report.provenance
    if provenance is not None and "rtl" not in provenance.steps:
        return _export(place, "synth")
    resources = report.resources
    routable = resources is not None and resources.device.routable
    typed = _typed(place.invocation, _SYNTHESIS) if routable else ()
    return command_line("synth", [place.export], typed), ""


def _vivado(report: Report, place: Place) -> str:
    """The vendor flow's command where the export has that flow; "" otherwise."""
    steps = () if report.provenance is None else report.provenance.steps
    route = next((name for name in ("rtl", "hls") if name in steps), "")
    known = any(target.name == report.target for target in TARGETS)
    streamed = any(layer.weight_traffic is not None for layer in report.layers)
    if not route or streamed or not known or not has_amd_flow(find_target(report.target)):
        return ""
    return in_folder(place.export / "amd", f"./build.sh {route}")


def _explore(report: Report, place: Place) -> str:
    # The file lies beside the folder: an export replaces only what an export wrote.
    name = "folding" if report.provenance is None else f"{report.provenance.name}_folding"
    return command_line(
        "explore",
        [place.export],
        [
            ("--target", report.target),
            *_typed(place.invocation, _SEARCH),
            ("--out", os.path.normpath(place.export / ".." / f"{name}.json")),
        ],
    )


def _typed(invocation: Invocation | None, names: Sequence[str]) -> tuple[Option, ...]:
    given: tuple[TypedOption, ...] = () if invocation is None else invocation.typed_among(names)
    return tuple((one.option, one.value) for one in given)
