"""The export itself: step after step into one directory that appears at the end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reports import Report, as_dict, build_report, render_text
from sephw.backends import rtl
from sephw.backends.hls4ml import compile_project, write_project
from sephw.checkpoint import Checkpoint
from sephw.export.compare import Agreement, checked_tensors, compare, representations
from sephw.export.directory import ExportDirectory
from sephw.export.lower import deploy_network, fold_graph, load_trained
from sephw.export.manifest import write_json, write_manifest
from sephw.export.progress import Progress
from sephw.export.rtl import RTL_PROJECT, RtlRuns, simulate_cycles
from sephw.export.samples import Samples, choose_samples, input_format
from sephw.export.settings import Settings
from sephw.ir import Graph
from sephw.ir.serialize import save_graph
from sephw.passes import FoldingFile, read_folding_file
from sephw.tools.cxx import find_compiler
from sephw.tools.verilator import find_verilator
from sephw.verify import Verification
from sim.timing import simulate

PROJECT = "hls"
# The project's own testbench runs these again; a few suffice, and they are stored as text.
_TESTBENCH_SAMPLES = 8
# Enough for the steady state behind the first frame.
_CYCLE_FRAMES = 4


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an export found out. Parts are None where their step was not asked for."""

    settings: Settings
    checkpoint: Checkpoint
    graph: Graph
    verification: Verification | None
    agreement: Agreement | None
    report: Report | None


def export_model(settings: Settings, progress: Progress) -> Outcome:
    """Do all steps of `settings` and put the directory in place, also after a mismatch.

    SephwError for anything the user can mend; then nothing is left behind.
    """
    steps = settings.steps
    folding = FoldingFile() if settings.folding is None else read_folding_file(settings.folding)
    with ExportDirectory(settings.out) as directory:
        if "csim" in steps:
            find_compiler("C-simulation")
        if "rtlsim" in steps:
            find_verilator("RTL simulation")
            find_compiler("RTL simulation")
        with progress.step("load", f"{settings.model.name} and its test images"):
            checkpoint = load_trained(settings)
            samples = choose_samples(checkpoint, settings.data, settings.samples)
            deploy = deploy_network(checkpoint)
        if samples.data == "random":
            progress.warn("--data random: noise images; exactness is checked, accuracy is not")
        with progress.step("qonnx", "network to QONNX and hardware graph"):
            read, graph = _lower(settings, checkpoint, deploy, folding, directory.path)
        compiled = _project(settings, graph, samples, directory.path, progress)
        rtl_runs = _rtl(settings, graph, samples, directory.path, progress)
        if "cyclesim" in steps:
            with progress.step("cyclesim", "every beat's cycle, engine activity"):
                frames = samples.images[:_CYCLE_FRAMES].astype(np.int64)
                write_json(
                    directory.path / "cycles.json",
                    simulate_cycles(graph, frames, directory.path if settings.trace else None),
                )
        verification, agreement = None, None
        if "verify" in steps:
            with progress.step("verify", f"{len(samples.images)} images, every layer"):
                runs = representations(
                    deploy, directory.path / "model.onnx", read.layers, graph, compiled
                )
                logits = next(layer for layer in read.layers if layer.is_output)
                tensors = checked_tensors(graph, read.layers)
                verification, agreement = compare(
                    runs, tensors, samples, logits.tensor, logits.exponents, progress.update,
                    rtl_runs,
                )  # fmt: skip
                write_json(directory.path / "verify.json", verification.as_dict())
        report = None
        if "report" in steps:
            with progress.step("report", "cycle simulation and figures"):
                report = _report(settings, checkpoint, graph)
                write_json(directory.path / "report.json", as_dict(report))
                (directory.path / "report.txt").write_text(render_text(report), "utf-8")
        exact = None if verification is None else verification.exact
        write_manifest(directory.path, settings, checkpoint, samples.data, exact)
        directory.commit()
    return Outcome(settings, checkpoint, graph, verification, agreement, report)


def _lower(
    settings: Settings, checkpoint: Checkpoint, deploy: Any, folding: FoldingFile, folder: Path
) -> tuple[Any, Graph]:
    from sephw.frontend import export_qonnx, read_qonnx

    form = input_format(checkpoint)
    export_qonnx(deploy, folder / "model.onnx", (form.channels, form.height, form.width))
    read = read_qonnx(folder / "model.onnx")
    graph = fold_graph(read.graph, settings.name, folding)
    save_graph(graph, folder / "graph.json", folder / "graph.npz")
    return read, graph


def _project(
    settings: Settings, graph: Graph, samples: Samples, folder: Path, progress: Progress
) -> Any | None:
    """Write the HLS project and compile it, as far as asked; the compiled project or None."""
    if "hls" not in settings.steps:
        return None
    images = samples.images[:_TESTBENCH_SAMPLES]
    integers = images.astype(np.int64)
    with progress.step("hls", f"{len(graph.nodes)} engines to an hls4ml project"):
        write_project(
            graph,
            folder / PROJECT,
            clock_ns=settings.target.clock_ns,
            part=settings.target.part,
            samples=images,
            golden=graph.run(integers)[graph.outputs[0]],
        )
    if "csim" not in settings.steps:
        return None
    with progress.step("csim", "compile the C-simulation"):
        return compile_project(folder / PROJECT)


def _rtl(
    settings: Settings, graph: Graph, samples: Samples, folder: Path, progress: Progress
) -> RtlRuns | None:
    """Write the SystemVerilog project and build its simulation, as far as asked."""
    if "rtl" not in settings.steps:
        return None
    integers = samples.images[:_TESTBENCH_SAMPLES].astype(np.int64)
    output = graph.outputs[0]
    with progress.step("rtl", f"{len(graph.nodes)} engines to SystemVerilog"):
        rtl.write_project(
            graph,
            folder / RTL_PROJECT,
            samples={graph.inputs[0]: integers},
            golden={output: graph.run(integers)[output]},
        )
    if "rtlsim" not in settings.steps:
        return None
    with progress.step("rtlsim", "build the RTL simulation"):
        compiled = rtl.compile_project(folder / RTL_PROJECT, trace=settings.trace)
        runs = RtlRuns(graph, compiled, settings.target.clock_ns)
        if settings.trace:
            runs.write_vcd(integers[:1], folder / "rtl.vcd")
        return runs


def _report(settings: Settings, checkpoint: Checkpoint, graph: Graph) -> Report:
    return build_report(
        graph,
        simulate(graph),
        network=f"{settings.name} ({checkpoint.network})",
        target=settings.target.name,
        part=settings.target.part,
        clock_ns=settings.target.clock_ns,
    )
