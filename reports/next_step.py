"""What has not been run and how to run it; what to do next."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from reports.matrix import verified_layers
from reports.model import Report, Source
from sephw.targets import TARGETS, Technology
from sephw.verify import describe

# Commands are for the export's own folder, where the report lies.
SYNTHESIZE = "sephw synth ."
PROGRAM = "sephw program ."
VIVADO = "cd amd && ./build.sh rtl"
# Representations that an export usually compares, and one that it does when asked.
_USUAL, _ON_REQUEST = ("csim", "rtlsim"), "netlist"
# Cells of these have a meaning outside of Yosys, for simulating a netlist.
_NETLISTS = (Technology.ECP5, Technology.ICE40)


@dataclass(frozen=True)
class NotRun:
    """A part of the report that is missing, and the command that makes it."""

    what: str
    command: str


@dataclass(frozen=True)
class Step:
    """What to do next, and why. ``command`` is "" where none helps."""

    why: str
    command: str


def not_run(report: Report) -> tuple[NotRun, ...]:
    """Every part that is missing, in the order in which they are made."""
    parts: list[NotRun] = []
    if report.timeline is None:
        parts.append(NotRun("cycle simulation", _export(report)))
    if report.verification is None:
        parts.append(NotRun("verification", _export(report)))
    else:
        ran = {column.name for column in verified_layers(report.verification).columns if column.run}
        missing = [name for name in _USUAL if name not in ran]
        if missing:
            parts.append(NotRun(", ".join(missing), _export(report)))
        known = report.resources is not None and report.resources.device.technology in _NETLISTS
        if _ON_REQUEST not in ran and known:
            parts.append(NotRun(_ON_REQUEST, f"{_export(report)} --steps +{_ON_REQUEST}"))
    resources = report.resources
    if resources is None or resources.synthesized is None:
        parts.append(NotRun("synthesis", _synthesize(report)))
    if resources is not None and resources.device.routable and resources.routed is None:
        parts.append(NotRun("place-and-route", _synthesize(report)))
    if resources is not None and not resources.device.routable and not resources.vendor:
        parts.append(NotRun("place-and-route", VIVADO))
    return tuple(parts)


def next_step(report: Report) -> Step:
    """The one thing that brings the network nearer to the board."""
    verification, resources = report.verification, report.resources
    wrong = None if verification is None else verification.first_mismatch
    if verification is not None and wrong is not None:
        return Step(f"first difference: {describe(wrong, verification.samples)}", "")
    best = None if resources is None else resources.best
    if resources is not None and best is not None and best[1].resources.excess(best[2]):
        return Step(f"make it fit {resources.device.name}", _explore(report))
    if verification is None:
        return Step("prove every layer equal", _export(report))
    if resources is None or resources.synthesized is None:
        return Step("what synthesis makes of it", _synthesize(report))
    if resources.device.routable and resources.routed is None:
        return Step("place and route it", _synthesize(report))
    routed = resources.routed
    if routed is None:
        if best is not None and best[0] is Source.ROUTED:
            return Step("copy what is in amd to the board; docs/amd.md goes on", "")
        return Step("place and route it with Vivado", VIVADO)
    missed = next((clock for clock in routed.clocks if not clock.met), None)
    if missed is not None:
        return Step(
            f"clock '{missed.name}' reaches {missed.fmax.value:g} MHz only: fold the slowest "
            "paths further",
            _explore(report),
        )
    if resources.board and routed.bitstream:
        return Step("load the bitstream into the board", PROGRAM)
    boards = [t for t in TARGETS if t.device == resources.device and t.open_board is not None]
    if boards and not resources.board:
        names = " or ".join(board.name for board in boards)
        return Step(
            f"it is routed without a board; for one to load into {names}",
            f"{SYNTHESIZE} --target {boards[0].name}",
        )
    return Step("nothing: exact, synthesized and routed", "")


def _model(report: Report) -> str:
    provenance = report.provenance
    return "MODEL.pth" if provenance is None else shlex.quote(provenance.model_file)


def _export(report: Report) -> str:
    return f"sephw export {_model(report)} --target {shlex.quote(report.target)}"


def _synthesize(report: Report) -> str:
    """Synthesis, where the export has the SystemVerilog for it; else the whole export."""
    provenance = report.provenance
    return SYNTHESIZE if provenance is None or "rtl" in provenance.steps else _export(report)


def _explore(report: Report) -> str:
    # The file lies beside the folder: an export replaces only what an export wrote.
    return f"sephw explore . --target {shlex.quote(report.target)} --out ../folding.json"
