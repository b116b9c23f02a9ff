"""The export itself: step after step into one directory that appears at the end."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sephw.backends import rtl
from sephw.backends.board import Task
from sephw.backends.hls4ml import compile_project, write_project
from sephw.checkpoint import Checkpoint
from sephw.export.chip import (
    TESTBENCH_SAMPLES,
    netlist_runs,
    synthesize_export,
    write_vendor_project,
)
from sephw.export.compare import (
    Agreement,
    Simulation,
    batch_size,
    checked_tensors,
    compare,
    representations,
)
from sephw.export.directory import ExportDirectory
from sephw.export.folding import check_fit, choose_folding
from sephw.export.manifest import describe_export, write_json, write_manifest
from sephw.export.rtl import RtlRuns, simulate_cycles
from sephw.export.samples import Samples, choose_samples
from sephw.export.settings import ExportSettings
from sephw.export.source import load_source, read_network
from sephw.export_folder import ExportFolder
from sephw.export_names import CYCLES, GRAPH, GRAPH_ARRAYS, HLS, MODEL, RTL, VERIFICATION
from sephw.ir import Graph
from sephw.ir.serialize import save_graph
from sephw.passes import lower, read_folding_file
from sephw.progress import Progress
from sephw.reports import Report, report_of_export, write_report
from sephw.tools.cxx import find_compiler
from sephw.tools.verilator import find_verilator
from sephw.verify import Verification

# Enough for the steady state behind the first frame.
_CYCLE_FRAMES = 4


@dataclass(frozen=True, eq=False)
class ExportOutcome:
    """The results of an export; None where a step was not requested."""

    settings: ExportSettings
    checkpoint: Checkpoint
    graph: Graph
    verification: Verification | None
    agreement: Agreement | None
    report: Report | None


def planned_steps(settings: ExportSettings) -> int:
    """The number of progress steps of `export_model`."""
    steps = settings.steps
    built = bool({"csim", "rtlsim"} & set(steps))
    alone = ("hls", "rtl", "cyclesim", "synth", "netlist", "verify", "report")
    return 2 + settings.searches + built + sum(step in steps for step in alone)


def export_model(settings: ExportSettings, progress: Progress) -> ExportOutcome:
    """Do all steps of `settings` and put the directory in place, also after a mismatch.

    SephwError for anything the user can mend; then nothing is left behind, except where all but
    the synthesis went well: then the rest is in place.
    """
    steps = settings.steps
    if settings.folding is not None:
        read_folding_file(settings.folding)  # Refused before anything takes time.
    with ExportDirectory(settings.out) as directory:
        if "csim" in steps:
            find_compiler("C-simulation")
        if "rtlsim" in steps:
            find_verilator("RTL simulation")
            find_compiler("RTL simulation")
        with progress.step("load", f"{settings.model.name} and its test images"):
            source = load_source(settings.model, settings.network, settings.arguments)
            samples = choose_samples(
                source.checkpoint,
                settings.data,
                settings.samples,
                progress.count,
                fewer=settings.fewer_samples,
            )
        if samples.note:
            progress.warn(samples.note)
        with progress.step("qonnx", "network to QONNX and hardware graph"):
            read = read_network(source, directory.path / MODEL)
        folding = choose_folding(settings, read.graph, directory.path, progress)
        graph = lower(
            replace(read.graph, name=settings.name),
            folding,
            weight_bandwidth_bits=settings.weight_bandwidth,
            device=settings.target.device,
        )
        check_fit(settings, read.graph, graph, progress)
        save_graph(graph, directory.path / GRAPH, directory.path / GRAPH_ARRAYS)
        _write_projects(settings, graph, samples, directory.path, progress)
        compiled, simulations = _build(settings, graph, samples, directory.path, progress)
        cycles = None
        if "cyclesim" in steps:
            with progress.step("cyclesim", "every beat's cycle, engine activity"):
                frames = samples.images[:_CYCLE_FRAMES].astype(np.int64)
                trace = directory.path if settings.trace else None
                cycles = simulate_cycles(graph, frames, trace)
                write_json(directory.path / CYCLES, cycles)
        failure = None
        if "synth" in steps:
            trained = source.checkpoint
            task = Task(tuple(trained.classes), (trained.preprocessing or {}).get("resize", "none"))
            failure = synthesize_export(settings, graph, samples, task, directory.path, progress)
        if "netlist" in steps:
            made = netlist_runs(settings, graph, directory.path, progress)
            simulations = {**simulations, "netlist": made}
        verification, agreement = None, None
        if "verify" in steps:
            with progress.step("verify", f"{len(samples.images)} images, every layer"):
                runs = representations(
                    source.deploy, directory.path / MODEL, read.layers, graph, compiled
                )
                output = next(layer for layer in read.layers if layer.is_output)
                tensors = checked_tensors(graph, read.layers)
                verification, agreement = compare(
                    runs,
                    tensors,
                    samples,
                    output.tensor,
                    output.exponents,
                    progress.update,
                    simulations,
                    batch_size(graph),
                )
                write_json(directory.path / VERIFICATION, verification.as_dict())
        exact = None if verification is None else verification.exact
        manifest = describe_export(settings, source.checkpoint, samples.data, exact)
        report = None
        if "report" in steps:
            with progress.step("report", "cycle simulation and figures"):
                report = report_of_export(
                    graph,
                    manifest,
                    cycles=cycles,
                    verification=verification,
                    synthesis=ExportFolder(directory.path, manifest).synthesis(),
                )
                write_report(report, directory.path)
        write_manifest(directory.path, manifest)
        directory.commit()
    if failure is not None:
        raise failure
    return ExportOutcome(settings, source.checkpoint, graph, verification, agreement, report)


def _write_projects(
    settings: ExportSettings, graph: Graph, samples: Samples, folder: Path, progress: Progress
) -> None:
    """Write the HLS and the SystemVerilog project, as far as asked."""
    images = samples.images[:TESTBENCH_SAMPLES]
    integers = images.astype(np.int64)
    output = graph.outputs[0]
    if "hls" in settings.steps:
        with progress.step("hls", f"{len(graph.nodes)} engines to an hls4ml project"):
            write_project(
                graph,
                folder / HLS,
                clock_ns=settings.target.clock_ns,
                part=settings.target.part,
                samples=images,
                golden=graph.run(integers)[output],
            )
    if "rtl" in settings.steps:
        with progress.step("rtl", f"{len(graph.nodes)} engines to SystemVerilog"):
            rtl.write_project(
                graph,
                folder / RTL,
                samples={graph.inputs[0]: integers},
                golden={output: graph.run(integers)[output]},
            )
    write_vendor_project(settings, graph, folder, progress)


def _build(
    settings: ExportSettings, graph: Graph, samples: Samples, folder: Path, progress: Progress
) -> tuple[Any | None, Mapping[str, Simulation]]:
    """Compile the C-simulation and the RTL simulation, as far as asked for, side by side."""
    wanted = {"csim": "C-simulation", "rtlsim": "RTL simulation"}
    names = [text for step, text in wanted.items() if step in settings.steps]
    if not names:
        return None, {}
    with (
        progress.step("build", f"compile the {' and the '.join(names)}"),
        ThreadPoolExecutor(len(names)) as pool,
    ):
        progress.update(", ".join(names))
        compiled = runs = None
        if "csim" in settings.steps:
            compiled = pool.submit(compile_project, folder / HLS)
        if "rtlsim" in settings.steps:
            runs = pool.submit(rtl.compile_project, folder / RTL, trace=settings.trace)
        for name, made in ((names[0], compiled), (names[-1], runs)):
            if made is not None:
                _report_when_built(made, name, progress)
        rtl_runs = None if runs is None else RtlRuns(graph, runs.result(), settings.target.clock_ns)
        if rtl_runs is not None and settings.trace:
            rtl_runs.write_vcd(samples.images[:1].astype(np.int64), folder / "rtl.vcd")
        simulations = {} if rtl_runs is None else {"rtlsim": rtl_runs}
        return None if compiled is None else compiled.result(), simulations


def _report_when_built(made: Future[Any], name: str, progress: Progress) -> None:
    """Report a finished build at once, whichever of the two is first."""
    made.add_done_callback(lambda _: progress.update(f"the {name} is compiled"))
