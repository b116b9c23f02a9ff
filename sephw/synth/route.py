"""nextpnr: from a linked netlist to a routed design, its clock rate and its worst path."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from sephw.errors import SephwError
from sephw.ir import Resources
from sephw.synth.fit import check_fit, does_not_fit
from sephw.synth.floorplan import place_blocks
from sephw.synth.packing import make_bitstream
from sephw.synth.pll import set_pll as change_pll
from sephw.synth.report import CriticalPath, read_report
from sephw.synth.synthesize import Synthesis
from sephw.targets import Device
from sephw.technologies import PLL
from sephw.technologies.routing import CellParameters
from sephw.tools.nextpnr import NextpnrError, nextpnr_version, run_nextpnr

DEFAULT_SEED = 1
# What nextpnr calls the clock of a board's UART: by its wire, or by the pin it comes from.
UART_CLOCKS = frozenset({"uart_clk", "clk_in"})


@dataclass(frozen=True)
class RoutedDesign:
    """A routed design.

    ``fmax_mhz`` and ``constraint_mhz`` are by clock; ``clock_mhz`` is the requested clock. ``used``
    and ``available`` count as nextpnr does. ``configuration`` is the input of `pack`. ``options``
    are those of nextpnr that decide how it places and routes. ``blocks_placed`` counts the block
    RAMs and multipliers whose sites were fixed before placement.
    """

    fmax_mhz: Mapping[str, float]
    constraint_mhz: Mapping[str, float]
    clock_mhz: float
    worst_path: CriticalPath | None
    used: Resources
    available: Resources
    seconds: float
    version: str
    log: Path
    configuration: Path
    part: str
    seed: int
    options: tuple[str, ...] = ()
    blocks_placed: int = 0

    @property
    def timing_met(self) -> bool:
        """True where every clock reaches its constraint."""
        return all(self.fmax_mhz[name] >= mhz for name, mhz in self.constraint_mhz.items())

    @property
    def network_mhz(self) -> float:
        """The network's clock in MHz: the least of all but the UART's. 0 without registers."""
        own = [mhz for name, mhz in self.fmax_mhz.items() if name not in UART_CLOCKS]
        return min(own or self.fmax_mhz.values(), default=0.0)


@dataclass(frozen=True)
class RouteSettings:
    """The settings of place and route; ``timeout_seconds`` is for each run of nextpnr.

    ``package`` and ``speed`` as nextpnr spells them ("": the device's usual ones; for Gowin
    ``package`` is the whole part number). ``constraints``: pins, in the device's own format; None
    lets nextpnr choose them. ``floorplan``: block RAMs and multipliers get their sites before, on
    devices of which they are known.
    """

    clock_mhz: float
    timeout_seconds: float
    package: str = ""
    speed: str = ""
    constraints: Path | None = None
    floorplan: bool = False


def place_and_route(
    synthesis: Synthesis,
    device: Device,
    settings: RouteSettings,
    work: Path,
    *,
    progress: Callable[[str], None],
    seed: int = DEFAULT_SEED,
    cancelled: threading.Event | None = None,
) -> RoutedDesign:
    """Place and route on ``device``; files go to ``work``, the log is its ``nextpnr.log``.

    A missed clock is no error: see `RoutedDesign.timing_met`. Raises DoesNotFit, and SephwError
    where nothing from PyPI routes the device, nextpnr is missing, fails, takes too long or is
    ``cancelled``, naming its log.
    """
    purpose = f"place and route for {device.name}"
    route, sized = device.routing()
    check_fit(synthesis.total, device)
    version = nextpnr_version(route.program, purpose)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    pins = None
    if settings.constraints is not None:
        pins = f"pins{settings.constraints.suffix}"
        shutil.copyfile(settings.constraints, work / pins)
    package, speed = settings.package or sized.package, settings.speed or sized.speed
    part = route.part_name(device.part, package, speed)
    arguments = [
        *route.arguments(device.part, package, speed, pins),
        "--json",
        "netlist.json",
        "--report",
        "report.json",
        *route.outputs,
        "--freq",
        f"{settings.clock_mhz:g}",
        "--timing-allow-fail",
        "--seed",
        str(seed),
    ]
    log = work / "nextpnr.log"
    began = time.monotonic()
    effort = route.effort(synthesis.total, device.available)
    for options, plan in dict.fromkeys(((effort, settings.floorplan), ((), False))):
        placed = _netlist(synthesis, device, work / "netlist.json", plan, progress)
        try:
            run_nextpnr(
                route.program,
                [*arguments, *options],
                work,
                log=log,
                purpose=purpose,
                on_line=_phases(progress),
                timeout_seconds=settings.timeout_seconds,
                cancelled=cancelled,
            )
            break
        except NextpnrError as error:
            found = does_not_fit(error, device, route.units)
            if found is not None:
                raise found from None
            tried = [" ".join(options)] if options else []
            tried += ["blocks that have their sites"] if plan else []
            if not tried or (cancelled is not None and cancelled.is_set()):
                raise SephwError(
                    f"{purpose}: {route.program} failed: {error.errors[0]}; log: {log}"
                ) from None
            log.replace(work / "nextpnr_first.log")
            progress(f"nextpnr failed with {' and '.join(tried)}; again without")
    report = read_report(work / "report.json", route, synthesis.instances)
    used = report.used
    if route.units.cells_hold_both:
        used = Resources(used.lut, synthesis.total.ff, used.bram, used.dsp)
    return RoutedDesign(
        fmax_mhz=report.fmax_mhz,
        constraint_mhz=report.constraint_mhz,
        clock_mhz=settings.clock_mhz,
        worst_path=report.worst_path,
        used=used,
        available=report.available,
        seconds=round(time.monotonic() - began, 1),
        version=version,
        log=log,
        configuration=work / route.output,
        part=part,
        seed=seed,
        options=options,
        blocks_placed=placed,
    )


def _netlist(
    synthesis: Synthesis,
    device: Device,
    path: Path,
    floorplan: bool,
    progress: Callable[[str], None],
) -> int:
    """Write nextpnr's input to ``path``; returns the number of blocks with fixed sites."""
    route, sized = device.routing()
    # The tool sees only its folder; a link would lead out of it.
    shutil.copyfile(synthesis.netlist, path)
    if done := route.prepare(path):
        progress(done)
    if not floorplan or sized.floorplan is None:
        return 0
    placed = place_blocks(path, synthesis.engines, synthesis.instances, sized.floorplan)
    progress(f"{placed} block RAMs and multipliers placed along the network")
    return placed


def route_best(
    synthesis: Synthesis,
    device: Device,
    settings: RouteSettings,
    work: Path,
    *,
    seeds: Sequence[int],
    jobs: int | None = None,
    progress: Callable[[str], None],
) -> RoutedDesign:
    """`place_and_route` with each of ``seeds``, ``jobs`` at a time; the fastest design.

    Among equals the seed that comes first. Files of a seed go to a folder of its own in ``work``.
    Where one run fails, the others are stopped.
    """
    cancelled = threading.Event()

    def run(seed: int) -> RoutedDesign:
        def say(text: str) -> None:
            # Counts of several seeds would contradict each other.
            plain = text.replace("(", "").replace(")", "")
            progress(text if len(seeds) == 1 else f"seed {seed}: {plain}")

        routed = place_and_route(
            synthesis,
            device,
            settings,
            work / f"seed_{seed}",
            progress=say,
            seed=seed,
            cancelled=cancelled,
        )
        if len(seeds) > 1:
            say(f"routed, {routed.network_mhz:g} MHz")
        return routed

    with ThreadPoolExecutor(min(len(seeds), jobs or os.cpu_count() or 1)) as pool:
        futures = [pool.submit(run, seed) for seed in seeds]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            cancelled.set()
            pool.shutdown(cancel_futures=True)
            raise
    return max((future.result() for future in futures), key=lambda routed: routed.network_mhz)


def set_pll(
    routed: RoutedDesign,
    device: Device,
    settings: Mapping[str, int],
    *,
    package: str = "",
    speed: str = "",
    timeout_seconds: float,
) -> None:
    """Give the PLL of a routed design other ``settings``, in its configuration; all else stays.

    ``settings`` as `Clocking` has them, ``package`` and ``speed`` as `place_and_route`. Raises
    SephwError where the design has no such PLL, and where nextpnr is needed and fails.
    """
    (route, sized), folder = device.routing(), routed.configuration.parent
    purpose = f"PLL of {device.name}"
    update = device.technology.require(PLL).update
    change_pll(folder, update, settings)
    if not isinstance(update, CellParameters) or not update.rewrite:
        return
    package, speed = package or sized.package, speed or sized.speed
    try:
        run_nextpnr(
            route.program,
            [*route.arguments(device.part, package, speed, None), *update.rewrite],
            folder,
            log=folder / "nextpnr_pll.log",
            purpose=purpose,
            on_line=lambda line: None,
            timeout_seconds=timeout_seconds,
        )
    except NextpnrError as error:
        raise SephwError(
            f"{purpose}: {route.program} failed: {error.errors[0]}; log: {error.log}"
        ) from None


def pack(routed: RoutedDesign, device: Device, work: Path, stem: str = "bitstream") -> Path:
    """Make the bitstream; its path in ``work``, called ``stem`` with the device's own ending.

    Raises SephwError where the packer is missing or fails.
    """
    route, _ = device.routing()
    work.mkdir(parents=True, exist_ok=True)
    target = work / f"{stem}{route.bitstream_suffix}"
    made = make_bitstream(route.packer, device.part, routed.configuration, target.name)
    if made != target:
        shutil.move(made, target)
    return target


# Lines of nextpnr that say how far it is, and what a person reads instead; and rows of its
# router's table, the last column of which is the arcs that are left.
_PHASES = (
    (re.compile(r"Info: +Pack"), "packing"),
    (re.compile(r"Info: +(?:Placing|Creating initial|Running main|Running static)"), "placing"),
    (re.compile(r"Info: +Running simulated annealing"), "refining the placement"),
    (re.compile(r"Info: +(?:Routing|Running router)"), "routing"),
)
_ARCS = re.compile(r"Info: +\d+ \|(?: +\d+){2} \|(?: +\d+){2} \| +(\d+)\|")


def _phases(progress: Callable[[str], None]) -> Callable[[str], None]:
    """Says in a few words what the lines of nextpnr mean; arcs to route with their count."""
    said = ""
    most = 0

    def read(line: str) -> None:
        nonlocal said, most
        arcs = _ARCS.match(line)
        if arcs is not None:
            left = int(arcs[1])
            most = max(most, left)
            text = f"routing, arcs ({most - left:,} of {most:,})"
        else:
            text = next((words for phase, words in _PHASES if phase.match(line)), said)
            text = said if text == "routing" and said.startswith("routing") else text
        if text != said:
            said = text
            progress(text)

    return read
