"""Takes described networks through the product, step by step, and says how far each came."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import tempfile
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.random_networks.build import images_of, trained
from benchmarks.random_networks.describe import Case
from benchmarks.random_networks.fold import fifo_depths, folding_of
from benchmarks.random_networks.simulate import Job, Simulated, Simulator, simulate_rtl
from sephw.backends.hls4ml import compile_project, write_project
from sephw.errors import SephwError
from sephw.export.compare import checked_tensors, compare, representations
from sephw.export.pipeline import export_model
from sephw.export.samples import Samples
from sephw.export.settings import RANDOM_DATA, ExportSettings
from sephw.frontend import ReadResult, export_qonnx, read_qonnx
from sephw.ir import Graph, Saving
from sephw.nn import freeze
from sephw.ops import Multipliers, WeightPlace
from sephw.passes import lower, read_folding_file
from sephw.progress import Progress
from sephw.targets import TARGETS, Target
from sephw.verify import CYCLES, Verification, describe

# A whole export takes as long as half of a check.
_EXPORTED_ONE_IN = 8


class Status(StrEnum):
    """How a check of a network ended. DEFECT: an exception that is no message to a user."""

    EXACT = "exact"
    MISMATCH = "mismatch"
    REFUSED = "refused"
    DEFECT = "defect"


@dataclass(frozen=True)
class Outcome:
    """What a check found.

    ``step``: where it ended, or "". ``reason``: the message, or the first difference. ``refused``:
    what was refused and then done without (FIFO depths). ``elements`` and ``beats``: integers and
    cycles of beats that were compared. ``exported``: whether all of `sephw export` was run as well.
    ``seconds``: of the processor, those of child processes included.
    """

    status: Status
    step: str = ""
    reason: str = ""
    refused: str = ""
    parts: int = 0
    engines: int = 0
    elements: int = 0
    beats: int = 0
    representations: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    seconds: float = 0.0
    trace: str = ""
    exported: bool = False

    @property
    def bad(self) -> bool:
        """True where the product is wrong."""
        return self.status in (Status.MISMATCH, Status.DEFECT)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A network on its way to the simulations. ``folder`` has its model.onnx and hls/."""

    case: Case
    folder: Path
    deploy: Any
    read: ReadResult
    graph: Graph
    images: NDArray[np.uint8]
    refused: str


class CheckEndedError(Exception):
    """A check that ends before its end."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Turn what goes wrong within it into an `CheckEndedError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except CheckEndedError:
        raise
    except SephwError as error:
        one_line = "\n" not in str(error)
        status = Status.REFUSED if one_line else Status.DEFECT
        raise CheckEndedError(Outcome(status, name, str(error))) from None
    except Exception as error:
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        trace = traceback.format_exc(limit=-3)
        raise CheckEndedError(Outcome(Status.DEFECT, name, text, trace=trace)) from None


def prepare(case: Case, folder: Path) -> Prepared:
    """From the description to the folded graph. Raises CheckEndedError."""
    network = case.network
    shape = (network.channels, network.height, network.width)
    with step("to_stage"):
        module = trained(network)
    with step("freeze"):
        deploy = freeze(module, shape).eval()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    with step("export_qonnx"):
        export_qonnx(deploy, path, shape)
    with step("read_qonnx"):
        read = read_qonnx(path)
    with step("fold"):
        graph, refused = _folded(case, read.graph, folder / "folding.json")
    return Prepared(case, folder, deploy, read, graph, images_of(network), refused)


def _folded(case: Case, graph: Graph, path: Path) -> tuple[Graph, str]:
    """The folded graph, and why FIFO depths were refused if they were."""
    content = folding_of(graph, case.hardware)
    path.write_text(json.dumps(content), "utf-8")
    bandwidth = case.hardware.weight_bandwidth
    graph = replace(graph, name="network")
    folded = lower(graph, read_folding_file(path), weight_bandwidth_bits=bandwidth)
    depths = fifo_depths(folded, case.hardware)
    if not depths:
        return folded, ""
    path.write_text(json.dumps({**content, "fifos": depths}), "utf-8")
    try:
        given = read_folding_file(path)
        return lower(graph, given, weight_bandwidth_bits=bandwidth), ""
    except SephwError as error:
        return folded, str(error)


def check(case: Case, simulator: Simulator = Simulator.VERILATOR) -> Outcome:
    """Check one network by itself."""
    return check_all([case], simulator, alone=True)[0]


def check_all(
    cases: Sequence[Case], simulator: Simulator = Simulator.VERILATOR, *, alone: bool = False
) -> list[Outcome]:
    """Check networks; their RTL is built and run as one program, which costs less.

    Where that program cannot be made or differs from the others, each network is checked again by
    itself (``alone``), so that an outcome never depends on the others.
    """
    with tempfile.TemporaryDirectory(prefix="sephw_random_") as made:
        return _check_all(cases, Path(made), simulator, alone)


def _check_all(
    cases: Sequence[Case], folder: Path, simulator: Simulator, alone: bool
) -> list[Outcome]:
    outcomes: dict[int, Outcome] = {}
    prepared: dict[int, Prepared] = {}
    spent: dict[int, float] = {}
    for number, case in enumerate(cases):
        began = processor_seconds()
        try:
            prepared[number] = prepare(case, folder / str(number))
        except CheckEndedError as ended:
            outcomes[number] = ended.outcome
        spent[number] = processor_seconds() - began
    began = processor_seconds()
    simulated: Mapping[int, Simulated] = {}
    if prepared:
        try:
            with step("rtlsim"):
                simulated = simulate_rtl(
                    {
                        n: Job(p.graph, p.images.astype(np.int64), p.case.network.seed)
                        for n, p in prepared.items()
                    },
                    folder / "rtl",
                    simulator,
                )
        except CheckEndedError as ended:
            if alone:
                (number,) = prepared
                outcomes[number] = ended.outcome
    share = (processor_seconds() - began) / max(1, len(prepared))
    for number, one in prepared.items():
        began = processor_seconds()
        if number in simulated:
            outcomes[number] = _verified(one, simulated[number])
        elif not alone:
            outcomes[number] = check(cases[number], simulator)
        if not alone and outcomes[number].status is Status.MISMATCH:
            outcomes[number] = check(cases[number], simulator)
        spent[number] += processor_seconds() - began + share
    return [
        replace(
            outcomes[number],
            parts=len(case.network.parts),
            seconds=round(spent[number], 2),
            engines=len(prepared[number].graph.nodes) if number in prepared else 0,
        )
        for number, case in enumerate(cases)
    ]


def _verified(one: Prepared, simulated: Simulated) -> Outcome:
    """Compare all representations of a network."""
    graph, read = one.graph, one.read
    names = ("noise", "noise of 0 and 255")
    samples = Samples("random", one.images, np.zeros(0, np.int64), names)
    try:
        with step("csim"):
            _write_hls(one)
            compiled = compile_project(one.folder / "hls", optimize=False)
        with step("verify"):
            runs = representations(
                one.deploy, one.folder / "model.onnx", read.layers, graph, compiled
            )
            output = next(layer for layer in read.layers if layer.is_output)
            verification, _ = compare(
                runs,
                checked_tensors(graph, read.layers),
                samples,
                output.tensor,
                output.exponents,
                lambda text: None,
                {"rtlsim": simulated},
                len(one.images),
            )
    except CheckEndedError as ended:
        return replace(ended.outcome, refused=one.refused)
    outcome = _outcome(verification, one)
    if one.case.network.seed % _EXPORTED_ONE_IN or outcome.status is not Status.EXACT:
        return outcome
    try:
        with step("export"):
            _export(one)
    except CheckEndedError as ended:
        return replace(ended.outcome, refused=one.refused)
    return replace(outcome, exported=True)


def _export(one: Prepared) -> None:
    """What `sephw export` does with the QONNX file, but for the simulations that were made."""
    settings = ExportSettings(
        model=one.folder / "model.onnx",
        out=one.folder / "export",
        target=_target(one.case),
        data=RANDOM_DATA,
        samples=1,
        folding=one.folder / "folding.json",
        steps=("qonnx", "hls", "rtl", "cyclesim", "verify", "report"),
        allow_misfit=True,
        weight_bandwidth=one.case.hardware.weight_bandwidth,
    )
    if one.refused:
        settings = replace(settings, folding=None, fold="fast")
    outcome = export_model(settings, Progress(io.StringIO(), quiet=True))
    if outcome.verification is None or not outcome.verification.exact:
        raise AssertionError("the export of the file is not exact")


def _target(case: Case) -> Target:
    return TARGETS[case.network.seed % len(TARGETS)]


def _write_hls(one: Prepared) -> None:
    target = _target(one.case)
    golden = one.graph.run(one.images.astype(np.int64))[one.graph.outputs[0]]
    with contextlib.redirect_stdout(io.StringIO()):
        write_project(
            one.graph,
            one.folder / "hls",
            clock_ns=target.clock_ns,
            part=target.part,
            samples=one.images,
            golden=golden,
        )


def _outcome(verification: Verification, one: Prepared) -> Outcome:
    beats = [c for c in verification.checks if c.representation in CYCLES]
    values = [c for c in verification.checks if c.representation not in CYCLES]
    wrong = verification.first_mismatch
    found = Outcome(
        Status.EXACT,
        refused=one.refused,
        elements=sum(c.elements for c in values),
        beats=sum(c.elements for c in beats),
        representations=verification.representations,
        families=tuple(sorted({_family(node) for node in one.graph.nodes})),
    )
    if verification.exact:
        return found
    if wrong is None:
        return replace(found, status=Status.DEFECT, step="verify", reason="nothing was compared")
    return replace(
        found,
        status=Status.MISMATCH,
        step=f"{wrong.representation} against {wrong.against}",
        reason=describe(wrong, verification.samples),
    )


def _family(node: Any) -> str:
    engine = node.operator.variant(node.folding)
    more = [f"multipliers {Multipliers.LUT}"] if Saving.DSP_BLOCKS in engine.saves else []
    if Saving.REGISTERS in engine.saves:
        more = ["two levels", *more]
    if Saving.WEIGHT_MEMORY in engine.saves:
        more = [str(WeightPlace.STREAM), *(["tiles"] if engine.tile > 1 else []), *more]
    return " ".join([node.operator.kind, engine.label, *more])


def cause(text: str) -> str:
    """A message without its names and numbers: what refusals are counted by."""
    text = re.sub(r"'[^']*'", "'…'", text)
    text = re.sub(r"/\S+", "…", text)
    return re.sub(r"\d[\d,.]*", "N", text)


def processor_seconds() -> float:
    """Of this process and its ended children."""
    return float(sum(os.times()[:4]))


__all__ = [
    "CheckEndedError",
    "Outcome",
    "Prepared",
    "Status",
    "cause",
    "check",
    "check_all",
    "prepare",
]
