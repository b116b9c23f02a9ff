"""The flow from an RTL project to synth/ and board/, with a bitstream that meets its clock."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sephw.backends.board import BoardProject, BoardRates, Task, TestFrames, write_board
from sephw.backends.weight_ports import check_weight_ports
from sephw.errors import SephwError, UsageError
from sephw.export_names import BOARD
from sephw.ir import Graph
from sephw.passes import for_device
from sephw.synth.harness import HARNESS, HARNESS_PORTS, write_harness
from sephw.synth.record import SynthesisRun, write_record
from sephw.synth.route import (
    DEFAULT_SEED,
    UART_CLOCKS,
    RoutedDesign,
    RouteSettings,
    pack,
    route_best,
    set_pll,
)
from sephw.synth.synthesize import Synthesis, SynthesisSettings, Top, synthesize
from sephw.synth.timing import TimingNotMet, rounded_down
from sephw.synth.workplace import Workplace
from sephw.targets import DEVICES, Device, Target
from sephw.technologies import PINS
from sephw.tools.file_cache import FileCache

NETLIST = "netlist.json"
LOGS = "logs"
SECONDS = "seconds.json"
DEFAULT_TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True)
class Request:
    """The request for a run of the flow.

    ``target``: a board; its top holds the network behind the host link where the open flow knows
    the board. None: ``device`` alone, the network between two shift registers. ``clock_mhz`` None:
    as fast as possible; routing aims at the device's expected clock, or at ``least_mhz``
    where that is more. ``floorplan``: see `sephw.synth.floorplan`; None: where the sites of the
    device are known. ``seeds``: how many are tried,
    from ``seed`` on. ``timeout_seconds`` is for each run of a tool, ``jobs`` None: one run per
    processor. ``task`` is for the board's description.
    """

    device: Device
    target: Target | None = None
    clock_mhz: float | None = None
    least_mhz: float = 0.0
    floorplan: bool | None = None
    seed: int = DEFAULT_SEED
    seeds: int = 1
    route: bool = True
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    jobs: int | None = None
    task: Task = field(default_factory=Task)

    @property
    def board(self) -> Target | None:
        """The board whose top is built; None: no board, or one of the vendor's flow."""
        target = self.target
        return None if target is None or target.open_board is None else target

    @property
    def routes(self) -> bool:
        """True where the design is placed and routed."""
        return self.route and self.device.routable

    @property
    def places_blocks(self) -> bool:
        """True where block RAMs and multipliers get their sites before placement."""
        if not self.routes or self.floorplan is False:
            return False
        return self.device.floorplan is not None

    @property
    def aim_mhz(self) -> float:
        """The clock to try first."""
        if self.clock_mhz is not None:
            return self.clock_mhz
        if self.device.routable:
            return max(self.least_mhz, self.device.routing()[1].aim_mhz)
        return 1000 / self.target.clock_ns if self.target is not None else 100.0


@dataclass
class _Job:
    """One run of the flow: its arguments and the seconds of its steps."""

    graph: Graph
    project: Path
    request: Request
    cache: FileCache | None
    progress: Callable[[str], None]
    frames: TestFrames | None
    seconds: dict[str, float]

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[step] = round(self.seconds.get(step, 0.0) + time.monotonic() - began, 1)


@dataclass(frozen=True)
class _Attempt:
    """A design for one clock, as far as it was built."""

    board: BoardProject | None
    top: str
    requested_mhz: float
    synthesis: Synthesis
    constraints: Path | None
    routed: RoutedDesign | None = None

    @property
    def clock_constraints(self) -> dict[str, float]:
        """The constraint of each clock of the routed design in MHz."""
        clocks = () if self.routed is None else self.routed.fmax_mhz
        uart_mhz = self.requested_mhz if self.board is None else self.board.uart_mhz
        return {name: uart_mhz if name in UART_CLOCKS else self.requested_mhz for name in clocks}

    def check(self, device: Device) -> None:
        """Raise TimingNotMet where a clock of the routed design is not reached."""
        if self.routed is not None:
            for name, mhz in self.clock_constraints.items():
                reached = self.routed.fmax_mhz[name]
                if reached < mhz:
                    raise TimingNotMet(device, mhz, self.routed, reached)


def run_flow(
    graph: Graph,
    project: Path,
    request: Request,
    out: Path,
    *,
    progress: Callable[[str], None],
    frames: TestFrames | None = None,
    cache: FileCache | None = None,
    failures: Path | None = None,
) -> SynthesisRun:
    """Synthesize, place, route and pack the RTL ``project`` of ``graph``; what came out.

    ``out`` (synth.json, netlist, bitstream, logs) and, for a board of the open flow, the folder
    ``board`` beside it appear whole or not at all, and replace what is there.
    ``frames`` become the board's test images. A bitstream meets its clock: without a wanted one the
    board's PLL is set, last, to what routing reached.
    The same arguments give the same bytes, except below ``out``/logs.

    Raises SephwError for a board where weights are streamed, TimingNotMet where a wanted clock is
    missed, DoesNotFit where the device is too small, and SephwError where a tool is missing, fails
    or takes too long, or nothing from PyPI routes the device but a clock is asked for. The
    message names the log, which is then kept in
    ``failures`` (default: the user's folder of logs).
    """
    check_request(request)
    if request.target is not None and request.target.open_board is not None:
        check_weight_ports(graph, "the board's top")  # before minutes of synthesis
    graph = for_device(graph, request.device)
    job = _Job(graph, project, request, cache, progress, frames, {})
    with Workplace(out, f"{graph.name}-{request.device.name}", failures) as place:
        attempt = _build(job, place.path)
        folder = place.path / "done"
        run = _collect(job, attempt, place.path, folder)
        done = {out: folder}
        if attempt.board is not None:
            done[out.parent / BOARD] = place.path / "board"
        place.put(done)
    return replace(
        run,
        synthesis=replace(run.synthesis, netlist=out / NETLIST, log=out / LOGS / "link.log"),
        routed=None if run.routed is None else replace(run.routed, log=out / LOGS / "nextpnr.log"),
        bitstream=None if run.bitstream is None else out / run.bitstream.name,
    )


def check_request(request: Request) -> None:
    """Raise UsageError or SephwError, one line, where no run of the flow can do ``request``."""
    if request.clock_mhz is not None and not request.routes:
        if request.route:
            request.device.routing()
        raise UsageError("--clock-mhz: nothing is routed with --no-route; leave one of them out")
    if request.floorplan:
        _check_floorplan(request)
    request.device.check_flow(routes=request.routes, board=request.board is not None)


def _check_floorplan(request: Request) -> None:
    if not request.route:
        raise UsageError("--floorplan: nothing is placed with --no-route; leave one of them out")
    request.device.routing()
    if request.device.floorplan is None:
        known = ", ".join(device.name for device in DEVICES if device.floorplan is not None)
        raise UsageError(
            f"--floorplan: the sites of blocks on {request.device.name} are not known here; leave "
            f"it out, or choose {known}"
        )


def _build(job: _Job, work: Path) -> _Attempt:
    """Build for the requested clock; a board without one gets the clock that routing reaches."""
    request = job.request
    attempt = _link(job, work, request.aim_mhz)
    if request.clock_mhz is None and request.routes:
        likely = request.device.routing()[0].likely(attempt.synthesis.total)
        likely = max(likely, request.least_mhz)
        if attempt.board is not None and likely < attempt.requested_mhz:
            job.progress(f"a design of this size: aiming at {likely:g} MHz")
            attempt = _link(job, work, likely)
    attempt = _route(job, work, attempt)
    if attempt.routed is not None and request.clock_mhz is None:
        if attempt.board is None:
            return attempt
        attempt = _set_clock(job, work, attempt)
    attempt.check(request.device)
    return attempt


def _set_clock(job: _Job, work: Path, attempt: _Attempt) -> _Attempt:
    """The same routed board with the fastest clock that it reaches.

    Of a board's files only those of the PLL and the description depend on the clock, and of its
    bitstream only the PLL's settings.
    """
    request, routed, board = job.request, attempt.routed, attempt.board
    assert routed is not None and board is not None and request.board is not None
    chip = request.board.open_board
    assert chip is not None
    if board.clocking.settings is None:
        return attempt
    reached = routed.network_mhz
    lowest = float(request.device.pll()[1].output.low)
    if reached < lowest:
        raise TimingNotMet(request.device, lowest, routed, reached)
    board = _write_board(job, request.board, work, reached, by_pll=True)
    assert board.clocking.settings is not None
    job.progress(f"{reached:g} MHz reached; the PLL is set to {board.clock_mhz:g}")
    with job.timed("bitstream"):
        set_pll(
            routed,
            request.device,
            board.clocking.settings,
            package=chip.package,
            speed=chip.speed,
            timeout_seconds=request.timeout_seconds,
        )
    return replace(attempt, board=board, requested_mhz=board.clock_mhz)


def _write_board(
    job: _Job, target: Target, work: Path, clock_mhz: float, *, by_pll: bool = False
) -> BoardProject:
    shutil.rmtree(work / "board", ignore_errors=True)
    return write_board(
        job.graph,
        target,
        job.project,
        work / "board",
        BoardRates(clock_mhz, by_pll),
        frames=job.frames,
        task=job.request.task,
    )


def _link(job: _Job, work: Path, clock_mhz: float) -> _Attempt:
    """The netlist of the design for one clock."""
    request, device = job.request, job.request.device
    board, top, constraints = None, None, None
    if request.board is not None:
        board = _write_board(job, request.board, work, clock_mhz)
        top = Top(board.top, board.sources, board.macros)
        constraints, clock_mhz = board.constraints, board.clock_mhz
    elif device.routable:
        top = Top(HARNESS, [write_harness(job.graph, work / "harness")])
        constraints = write_harness_constraints(device, work / "harness")
    with job.timed("synthesis"):
        synthesis = synthesize(
            job.project,
            job.graph,
            device.technology,
            work / "synthesis",
            SynthesisSettings(
                timeout_seconds=request.timeout_seconds,
                jobs=request.jobs,
                cache=job.cache,
                dsp=device.has_dsp,
            ),
            progress=job.progress,
            top=top,
        )
    return _Attempt(board, synthesis.top, clock_mhz, synthesis, constraints)


def _route(job: _Job, work: Path, attempt: _Attempt) -> _Attempt:
    """The attempt, placed and routed where that is requested."""
    request, device = job.request, job.request.device
    if not request.routes:
        return attempt
    chip = request.board.open_board if request.board is not None else None
    with job.timed("place and route"):
        routed = route_best(
            attempt.synthesis,
            device,
            RouteSettings(
                clock_mhz=attempt.requested_mhz,
                timeout_seconds=request.timeout_seconds,
                package=chip.package if chip is not None else "",
                speed=chip.speed if chip is not None else "",
                constraints=attempt.constraints,
                floorplan=request.places_blocks,
            ),
            work / "route",
            seeds=range(request.seed, request.seed + request.seeds),
            jobs=request.jobs,
            progress=job.progress,
        )
    return replace(attempt, routed=routed)


def write_harness_constraints(device: Device, folder: Path) -> Path | None:
    """The harness's pins as a file, where nextpnr wants them; else None."""
    route, sized = device.routing()
    if route.chooses_pins:
        return None
    if not sized.harness_pins:
        raise SephwError(
            f"place and route for {device.name}: no pins are known for a design without a board; "
            "use --target for one with a board, or --no-route"
        )
    pins = device.technology.require(PINS)
    pairs = zip(HARNESS_PORTS, sized.harness_pins, strict=True)
    lines = (pins.location.format(port=port, pin=pin) for port, pin in pairs)
    path = folder / f"{HARNESS}.{pins.ending}"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _collect(job: _Job, attempt: _Attempt, work: Path, folder: Path) -> SynthesisRun:
    """Copy all results to ``folder``."""
    request, synthesis, routed = job.request, attempt.synthesis, attempt.routed
    logs = folder / LOGS
    shutil.copytree(synthesis.engine_logs, logs / "engines")
    shutil.copyfile(synthesis.log, logs / "link.log")
    shutil.move(synthesis.netlist, folder / NETLIST)
    bitstream = None
    if routed is not None:
        shutil.copyfile(routed.log, logs / "nextpnr.log")
        job.progress("packing the bitstream")
        with job.timed("bitstream"):
            # Nobody must load a harness into a board by mistake.
            stem = "bitstream" if attempt.board is not None else HARNESS
            bitstream = pack(routed, request.device, folder, stem)
    if attempt.board is None and (work / "harness").is_dir():
        shutil.copytree(work / "harness", folder, dirs_exist_ok=True)
    (logs / SECONDS).write_text(json.dumps(job.seconds, indent=1) + "\n", encoding="utf-8")
    asked = request.clock_mhz if attempt.board is None else attempt.board.clock_mhz
    if routed is not None:
        # What nextpnr was given is rounded, or only there to make it try.
        routed = replace(routed, constraint_mhz={} if asked is None else attempt.clock_constraints)
    run = SynthesisRun(
        graph=job.graph,
        device=request.device,
        target=request.board,
        top=attempt.top,
        synthesis=synthesis,
        routed=routed,
        clock_mhz=_clock(routed, asked),
        requested_mhz=asked,
        bitstream=bitstream,
        seconds=dict(job.seconds),
    )
    write_record(run, folder)
    return run


def _clock(routed: RoutedDesign | None, requested_mhz: float | None) -> float | None:
    """The design's clock in MHz: the board's, the requested one, or the one that routing
    reached.
    """
    if routed is None:
        return None
    return requested_mhz if requested_mhz is not None else rounded_down(routed.network_mhz)
