"""nextpnr: from a linked netlist to a routed design, its clock rate and its worst path."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sephw.errors import SephwError
from sephw.ir import Resources
from sephw.synth.fit import check_fit, does_not_fit
from sephw.synth.flows import FLOWS, Flow
from sephw.synth.report import WorstPath, read_report
from sephw.synth.synthesize import Synthesis
from sephw.targets import Device, Technology
from sephw.tools.nextpnr import NextpnrError, nextpnr_version, run_nextpnr

DEFAULT_SEED = 1


@dataclass(frozen=True)
class Routed:
    """A routed design.

    ``fmax_mhz`` and ``constraint_mhz`` by clock; ``clock_mhz``: what was asked for. ``used`` and
    ``available`` as nextpnr counts them. ``configuration``: what `pack` takes.
    """

    fmax_mhz: Mapping[str, float]
    constraint_mhz: Mapping[str, float]
    clock_mhz: float
    worst_path: WorstPath | None
    used: Resources
    available: Resources
    seconds: float
    version: str
    log: Path
    configuration: Path
    part: str

    @property
    def timing_met(self) -> bool:
        """True where every clock reaches what was asked of it."""
        return all(self.fmax_mhz[name] >= mhz for name, mhz in self.constraint_mhz.items())


def place_and_route(
    synthesis: Synthesis,
    device: Device,
    *,
    package: str = "",
    speed: str = "",
    clock_mhz: float,
    constraints: Path | None,
    work: Path,
    progress: Callable[[str], None],
    timeout_seconds: float,
    seed: int = DEFAULT_SEED,
) -> Routed:
    """Place and route on ``device``; files go to ``work``.

    ``package`` and ``speed`` as nextpnr spells them ("": the device's usual ones; for Gowin
    ``package`` is the whole part number). ``constraints``: pins, in the device's own format; None
    lets nextpnr choose them. A missed clock is no error: see `Routed.timing_met`. Raises
    DoesNotFit, and SephwError where the device has no open place-and-route, nextpnr is missing,
    fails or takes longer than ``timeout_seconds``, naming its log.
    """
    purpose = f"place and route for {device.name}"
    flow = flow_of(device)
    check_fit(synthesis.total, device)
    version = nextpnr_version(flow.tool, purpose)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    # The tool sees only its folder; a link would lead out of it.
    shutil.copyfile(synthesis.netlist, work / "netlist.json")
    pins = None
    if constraints is not None:
        pins = f"pins{constraints.suffix}"
        shutil.copyfile(constraints, work / pins)
    part = flow.part(device, package, speed)
    arguments = [
        *flow.arguments(device, package, speed, pins),
        "--json", "netlist.json", "--report", "report.json", flow.output_option, flow.output,
        "--freq", f"{clock_mhz:g}", "--timing-allow-fail", "--seed", str(seed), *flow.effort,
    ]  # fmt: skip
    log = work / "nextpnr.log"
    began = time.monotonic()
    try:
        run_nextpnr(
            flow.tool, arguments, work, log=log, purpose=purpose,
            on_line=_phases(progress), timeout_seconds=timeout_seconds,
        )  # fmt: skip
    except NextpnrError as error:
        found = does_not_fit(error, device, flow)
        if found is not None:
            raise found from None
        raise SephwError(
            f"{purpose}: {flow.tool.value} failed: {error.errors[0]}; log: {log}"
        ) from None
    report = read_report(work / "report.json", flow, synthesis.instances)
    used = report.used
    if device.technology is Technology.ICE40:
        # Its logic cells hold a LUT and a flip-flop, and nextpnr counts cells.
        used = Resources(used.lut, synthesis.total.ff, used.bram, used.dsp)
    return Routed(
        fmax_mhz=report.fmax_mhz,
        constraint_mhz=report.constraint_mhz,
        clock_mhz=clock_mhz,
        worst_path=report.worst_path,
        used=used,
        available=report.available,
        seconds=round(time.monotonic() - began, 1),
        version=version,
        log=log,
        configuration=work / flow.output,
        part=part,
    )


def pack(routed: Routed, device: Device, work: Path) -> Path:
    """Make the bitstream; its path in ``work``.

    Raises SephwError where the packer is missing or fails.
    """
    flow = flow_of(device)
    work.mkdir(parents=True, exist_ok=True)
    target = work / f"bitstream{flow.bitstream_suffix}"
    folder = routed.configuration.parent
    made = folder / target.name
    flow.pack(device, routed.configuration.name, made.name, folder)
    if made != target:
        shutil.move(made, target)
    return target


def flow_of(device: Device) -> Flow:
    """How ``device`` is placed and routed; SephwError where no open tool can."""
    flow = FLOWS.get(device.technology)
    if flow is None or not device.routable:
        raise SephwError(
            f"place and route for {device.name}: no open tool places and routes "
            f"{device.technology.value} devices; use --no-route for the counts of Yosys, and "
            "the vendor's tools for a bitstream"
        )
    return flow


def _phases(progress: Callable[[str], None]) -> Callable[[str], None]:
    """Of nextpnr's lines, those that say how far it is."""
    words = ("pack", "plac", "rout", "legali", "iteration", "wirelen", "constrain", "promot")

    def read(line: str) -> None:
        text = line.removeprefix("Info: ").strip()
        if line.startswith("Info:") and any(word in text.lower() for word in words):
            progress(text)

    return read
