"""The steps towards the chip: synthesis, its netlist's simulation, vendor scripts."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sephw.backends.amd import has_amd_flow, write_amd
from sephw.backends.board import Task, TestFrames
from sephw.backends.weight_ports import weight_stream_refusal
from sephw.command_line import command_line
from sephw.errors import SephwError
from sephw.export.netlist import NetlistRuns
from sephw.export.samples import Samples
from sephw.export.settings import ExportSettings
from sephw.export_names import AMD, HLS, NETLIST, RTL, SYNTH
from sephw.ir import Graph
from sephw.ir.serialize import graph_digest
from sephw.progress import Progress
from sephw.rates import reachable_rate, typed_rate
from sephw.sim.timing import simulate
from sephw.technologies import CELL_MODELS

if TYPE_CHECKING:
    from sephw.synth import SynthesisRun

# The board's own test, and the projects' testbenches, run these; a few suffice.
TESTBENCH_SAMPLES = 8
_NETLIST_TIMEOUT_SECONDS = 3600.0
# What a synthesis again is to be asked for as well.
_ROUTING = ("--clock-mhz", "--floorplan", "--no-floorplan")


def write_vendor_project(
    settings: ExportSettings, graph: Graph, folder: Path, progress: Progress
) -> None:
    """Write amd/, for the vendor's boards; it refers to the projects beside it.

    A design that the boards' tops cannot serve yet goes without, with a warning.
    """
    steps = settings.steps
    if not has_amd_flow(settings.target) or not {"hls", "rtl"} & set(steps):
        return
    refused = weight_stream_refusal(graph, "the vendor project")
    if refused is not None:
        progress.warn(f"amd/ is left out: {refused}")
        return
    digest = hashlib.sha256(graph_digest(graph) + settings.target.name.encode()).digest()
    write_amd(
        graph,
        settings.target,
        folder / AMD,
        hls=folder / HLS if "hls" in steps else None,
        rtl=folder / RTL if "rtl" in steps else None,
        build_id=int.from_bytes(digest[:8], "big"),
    )


def synthesize_export(
    settings: ExportSettings,
    graph: Graph,
    samples: Samples,
    task: Task,
    folder: Path,
    progress: Progress,
) -> SephwError | None:
    """Make synth/ and, for a board of the open flow, board/; returns the failure, if any.

    A design that does not fit or misses its clock costs only these two folders; one that merely has
    fewer frames per second than requested has both.
    """
    from sephw.synth import run_flow

    images = samples.images[:TESTBENCH_SAMPLES].astype(np.int64)
    golden = graph.run(images)[graph.outputs[0]]
    target, fps = settings.target, settings.fps
    cycles = 0 if fps is None else simulate(graph).frame_interval_cycles
    request = replace(
        settings.synthesis, least_mhz=0.0 if fps is None else fps * cycles / 1e6, task=task
    )
    with progress.step("synth", f"synthesis to bitstream for {target.device.name}"):
        try:
            run = run_flow(
                graph,
                folder / RTL,
                request,
                folder / SYNTH,
                progress=progress.update,
                frames=TestFrames(images, golden),
            )
        except SephwError as error:
            return SephwError(f"{error}; all but the bitstream is in {settings.out}")
    return None if fps is None else _too_few_frames(settings, run, cycles, fps)


def _too_few_frames(
    settings: ExportSettings, run: SynthesisRun, cycles: int, fps: float
) -> SephwError | None:
    """The error for a board that is slower than ``fps`` frames per second; None if it is not."""
    if run.clock_mhz is None or run.clock_mhz * 1e6 >= fps * cycles:
        return None
    from sephw.synth.timing import describe

    reached = run.clock_mhz * 1e6 / cycles
    more = math.ceil(fps * fps / reached)
    path = None if run.routed is None else run.routed.worst_path
    seeds = min(64, max(4, 2 * settings.seeds))
    typed = [] if settings.invocation is None else settings.invocation.typed_among(_ROUTING)
    again = command_line(
        "synth",
        [settings.out],
        [
            ("--target", settings.target.name),
            *((one.option, one.value) for one in typed),
            ("--seeds", seeds),
        ],
    )
    worst = "" if path is None else f"; worst path {describe(path)}"
    return SephwError(
        f"{settings.target.name}: {reachable_rate(reached)} of {typed_rate(fps)} frames/s on chip: "
        f"{cycles:,} cycles a frame at {run.clock_mhz:g} MHz, the board's clock{worst}; everything "
        f"is in {settings.out}, and the bitstream runs at that rate; ask for --fps {more} to have "
        f"the search leave more room, or route it again: {again}"
    )


def netlist_runs(
    settings: ExportSettings, graph: Graph, folder: Path, progress: Progress
) -> NetlistRuns:
    """Synthesize the network's own top and build the simulation of what comes out."""
    from sephw.synth import SynthesisSettings, synthesize

    technology = settings.target.device.technology
    technology.require(CELL_MODELS)  # before minutes of synthesis
    with progress.step("netlist", f"synthesized network of {technology} to a simulation"):
        work = folder / NETLIST
        synthesis = synthesize(
            folder / RTL,
            graph,
            technology,
            work / SYNTH,
            SynthesisSettings(_NETLIST_TIMEOUT_SECONDS, dsp=settings.target.device.has_dsp),
            progress=progress.update,
        )
        return NetlistRuns.from_synthesis(synthesis, graph, folder / RTL, work)
