"""Builds a report from a folded hardware graph and its simulated timing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sephw.ir import Graph, Node
from sephw.passes import weight_readers, weight_traffic_bits
from sephw.reports.estimates import Estimates
from sephw.reports.model import Figure, LayerActivity, LayerReport, Report, Source, Total
from sephw.reports.provenance import Provenance
from sephw.reports.resources import ResourceReport, engine_usage, read_synthesis, read_vendor
from sephw.reports.speed import Speed, clock_totals, cycle_totals, routed_totals, speed_notes
from sephw.sim.timeline import EngineTimeline, Timeline
from sephw.targets import Device
from sephw.verify import Verification

NOTES = (
    "Model bytes as the paper counts them: convolution and classifier weights and the classifier "
    "bias; batch norm is not counted. R: all float32. B: patterns 1 bit, the rest float32. "
    "BQ: patterns 1 bit, the rest 8 bits.",
    "constants are the per-channel multipliers, shifts and biases that batch norm and the "
    "patterns' scales became; they are on the chip but not in the model bytes.",
    "counted: exact, from the network. estimated: from a model, or at the target's default clock. "
    "simulated: from the cycle simulation. synthesized: by Yosys. routed: by place-and-route. "
    "measured: by running it.",
)


def model_bytes(patterns: int, others: int) -> tuple[int, int, int]:
    """Bytes of stages R, B and BQ as the paper counts, for `patterns` 1-bit and `others`
    weights.
    """
    packed = -(-patterns // 8)
    return 4 * (patterns + others), packed + 4 * others, packed + others


@dataclass(frozen=True)
class Subject:
    """The model and the target that a report describes.

    `network` names the model; `target` is a board, `part` its device and `clock_ns` its default
    clock's period.
    """

    network: str
    target: str
    part: str
    clock_ns: float


@dataclass(frozen=True, eq=False)
class Findings:
    """Results of steps beyond the cycle simulation; None where a step was not run.

    `device` is the one that `estimates`, `synthesis` (the content of synth/synth.json) and `vendor`
    (of amd/synth.json) are for; without it they are left out.
    """

    device: Device | None = None
    estimates: Estimates | None = None
    synthesis: Mapping[str, Any] | None = None
    vendor: Mapping[str, Any] | None = None
    verification: Verification | None = None
    timeline: Timeline | None = None
    provenance: Provenance | None = None


def build_report(
    graph: Graph, speed: Speed, subject: Subject, findings: Findings = Findings()
) -> Report:
    """Build the report of `graph` at the clock of the subject.

    Raises SephwError where the content of a finding is malformed.
    """
    device, timeline, provenance = findings.device, findings.timeline, findings.provenance
    estimates, synthesis, vendor = findings.estimates, findings.synthesis, findings.vendor
    if device is None:
        estimates, synthesis, vendor = None, None, None
    spent = {engine.name: engine for engine in timeline.engines} if timeline is not None else {}
    layers = tuple(
        _layer(graph, node, spent.get(node.name), estimates, synthesis) for node in graph.nodes
    )
    resources = None if device is None else _resources(device, estimates, synthesis, vendor)
    totals = _totals(graph, speed, layers, subject.clock_ns)
    return Report(
        network=subject.network,
        target=subject.target,
        part=subject.part,
        clock_ns=subject.clock_ns,
        bottleneck=speed.timing.bottleneck,
        layers=layers,
        totals=(
            *totals,
            *_streamed(layers, speed.timing.frame_interval_cycles),
            *routed_totals(speed, resources),
            *_measured(provenance),
        ),
        notes=(*NOTES, *_units(device), *speed_notes(speed)),
        link=speed.link_name,
        resources=resources,
        verification=findings.verification,
        timeline=timeline,
        provenance=provenance,
    )


def _units(device: Device | None) -> tuple[str, ...]:
    """The units of the device's LUTs, block RAMs and DSP blocks, in words."""
    cells = None if device is None else device.technology.cells
    return () if cells is None else (cells.units,)


def _resources(
    device: Device,
    estimates: Estimates | None,
    synthesis: Mapping[str, Any] | None,
    vendor: Mapping[str, Any] | None,
) -> ResourceReport:
    synthesized, routed = (None, None) if synthesis is None else read_synthesis(synthesis)
    record = synthesis or {}
    clock = record.get("clock_mhz")
    return ResourceReport(
        device=device,
        estimated=None if estimates is None else estimates.whole(),
        synthesized=synthesized,
        routed=routed,
        tools=tuple((str(k), str(v)) for k, v in record.get("tools", {}).items()),
        note=str(record.get("note", "")),
        vendor=() if vendor is None else read_vendor(vendor),
        board=str(record.get("target") or ""),
        runs_at=Figure(float(clock), "MHz", Source.ROUTED) if clock is not None else None,
    )


def _layer(
    graph: Graph,
    node: Node,
    spent: EngineTimeline | None,
    estimates: Estimates | None,
    synthesis: Mapping[str, Any] | None,
) -> LayerReport:
    operator, folding = node.operator, node.folding
    work, memory = operator.work, operator.memory(folding)
    fifo_bits = sum(graph.tensors[t].fifo_depth * graph.stream(t).width_bits for t in node.outputs)
    return LayerReport(
        name=node.name,
        module=node.module,
        kind=operator.kind,
        shape=operator.output_shapes[0],
        bits=operator.output_types[0].bits,
        family=node.variant.family,
        variant=node.variant.label,
        whole_window=node.variant.whole_window,
        options=node.variant.encode(),
        pe=folding.pe,
        simd=folding.simd,
        weights_1bit=Figure(work.weights_1bit, "weights", Source.COUNTED),
        weights_8bit=Figure(work.weights_8bit, "weights", Source.COUNTED),
        constants=Figure(work.constant_bits, "bits", Source.COUNTED),
        macs_1bit=Figure(work.macs_1bit, "MACs/frame", Source.COUNTED),
        macs_8bit=Figure(work.macs_8bit, "MACs/frame", Source.COUNTED),
        cycles=Figure(operator.schedule(folding).frame_cycles, "cycles/frame", Source.ESTIMATED),
        weight_memory=Figure(memory.weight_bits, "bits", Source.ESTIMATED),
        buffer_memory=Figure(memory.buffer_bits, "bits", Source.ESTIMATED),
        fifo_memory=Figure(fifo_bits, "bits", Source.SIMULATED),
        weight_traffic=_weight_traffic(graph, node),
        activity=None if spent is None else _activity(spent),
        estimated=None if estimates is None else estimates.engine(node.name),
        synthesized=engine_usage(synthesis, node.name),
    )


def _weight_traffic(graph: Graph, node: Node) -> Figure | None:
    """Streamed weight bits per frame of ``node``; None where it streams none."""
    traffic = weight_traffic_bits(graph)
    mine = [traffic[t] for t, reader in weight_readers(graph).items() if reader.name == node.name]
    return Figure(sum(mine), "bits/frame", Source.COUNTED) if mine else None


def _activity(spent: EngineTimeline) -> LayerActivity:
    def cycles(count: int) -> Figure:
        return Figure(count, "cycles/frame", Source.SIMULATED)

    return LayerActivity(
        busy=cycles(spent.busy_cycles),
        waiting_input=cycles(sum(spent.starved_cycles)),
        waiting_credit=cycles(sum(spent.blocked_cycles)),
    )


def _totals(
    graph: Graph, speed: Speed, layers: tuple[LayerReport, ...], clock_ns: float
) -> tuple[Total, ...]:
    def total(name: str, label: str, value: float, unit: str, source: Source) -> Total:
        return Total(name, label, Figure(value, unit, source))

    def summed(field: str) -> int:
        return sum(int(dict(layer.figures())[field].value) for layer in layers)

    counted, estimated, simulated = Source.COUNTED, Source.ESTIMATED, Source.SIMULATED
    patterns = summed("weights_1bit")
    # The classifier has one bias per class: the channels of the network's output.
    others = summed("weights_8bit") + sum(graph.tensors[t].channels for t in graph.outputs)
    full, binarized, quantized = model_bytes(patterns, others)
    interval = speed.timing.frame_interval_cycles
    macs_1bit, macs_8bit = summed("macs_1bit"), summed("macs_8bit")
    giga_macs = round((macs_1bit + macs_8bit) / (clock_ns * interval), 3)
    return (
        total("parameters", "parameters", patterns + others, "weights", counted),
        total("pattern_weights", "of these patterns (1 bit)", patterns, "weights", counted),
        total("model_bytes_r", "model size R", full, "bytes", counted),
        total("model_bytes_b", "model size B", binarized, "bytes", counted),
        total("model_bytes_bq", "model size BQ", quantized, "bytes", counted),
        total("macs_1bit", "1-bit MACs", macs_1bit, "MACs/frame", counted),
        total("macs_8bit", "8-bit MACs", macs_8bit, "MACs/frame", counted),
        total("constant_bits", "constants", summed("constants"), "bits", counted),
        total("weight_memory", "weight memory", summed("weight_memory"), "bits", estimated),
        total("buffer_memory", "buffer memory", summed("buffer_memory"), "bits", estimated),
        total("fifo_memory", "FIFO memory", summed("fifo_memory"), "bits", simulated),
        *cycle_totals(speed),
        *clock_totals(
            speed, 1e3 / clock_ns, "", "at the target's default clock", estimated, speed.link
        ),
        total("mac_rate", "MAC rate at the target's default clock", giga_macs, "GMAC/s", estimated),
    )


def _streamed(layers: tuple[LayerReport, ...], interval_cycles: int) -> tuple[Total, ...]:
    """Totals of the external memory's weight traffic; none where all weights are on chip."""
    streams = [int(layer.weight_traffic.value) for layer in layers if layer.weight_traffic]
    if not streams:
        return ()
    rate = round(sum(streams) / interval_cycles, 3)
    return (
        Total(
            "weight_streams",
            "engines that stream their weights",
            Figure(len(streams), "engines", Source.COUNTED),
        ),
        Total(
            "weight_traffic",
            "weights from external memory",
            Figure(sum(streams), "bits/frame", Source.COUNTED),
        ),
        Total(
            "weight_rate",
            "weights from external memory, on the average",
            Figure(rate, "bits/cycle", Source.SIMULATED),
        ),
    )


def _measured(provenance: Provenance | None) -> tuple[Total, ...]:
    if provenance is None or provenance.test_percent is None:
        return ()
    percent = Figure(round(provenance.test_percent, 2), "%", Source.MEASURED)
    return (Total("accuracy", "accuracy of the frozen network, whole test set", percent),)
