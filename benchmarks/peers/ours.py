"""Our three families: window, convolution and requantizer as the package builds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.peers.layer import ACTIVATION_BITS, KERNEL, Layer
from benchmarks.peers.measure import (
    TECHNOLOGIES,
    Design,
    cells,
    frame_interval,
    play,
    total,
    wrong,
)
from benchmarks.peers.result import OURS, Row, Scope
from sephw.adder_graph import emit_parallel
from sephw.backends.rtl import write_project
from sephw.ir import Folding, Graph, IntType, Node, Operator, Resources, Tensor
from sephw.ops import BitParallel, DigitSerial, Join, PatternConv, SlidingWindow
from sephw.passes import FoldingFile, fold, lower
from sephw.synth import synthesize_operator
from sephw.technologies import Technology

FRAMES = 3
# From a window's issue until its place in the FIFO can be taken again.
ROUND_TRIP_CYCLES = 8
BYTE = IntType(ACTIVATION_BITS, signed=False)
_TIMEOUT_SECONDS = 7200.0


@dataclass(frozen=True)
class Configuration:
    """A folding and what the page calls it."""

    name: str
    folding: Folding


def configurations(layer: Layer) -> tuple[Configuration, ...]:
    """A few of family select, from small to fast, and all of the adder families."""
    per_group = layer.channels // layer.groups
    lanes = [(1, per_group), (per_group // 4 or 1, per_group), (per_group, per_group)]
    select = [
        Configuration(f"select, {pe} × {simd}", Folding(pe, simd))
        for pe, simd in dict.fromkeys(lanes)
    ]
    serial = [
        Configuration(f"digit-serial, {bits} bit", Folding(engine=DigitSerial(bits)))
        for bits in (1, 2, 4, 8)
    ]
    return (*select, *serial, Configuration("adder graph", Folding(engine=BitParallel())))


def convolution(layer: Layer) -> PatternConv:
    """The layer's convolution."""
    return PatternConv(
        height=layer.size,
        width=layer.size,
        in_channels=layer.channels,
        out_channels=layer.channels,
        kernel_height=KERNEL,
        kernel_width=KERNEL,
        groups=layer.groups,
        input_dtype=BYTE,
        patterns=layer.patterns.reshape(layer.channels, -1),
    )


def build(layer: Layer, conv: PatternConv, folding: Folding) -> Graph:
    """Window, ``conv`` and a requantizer to 8 bits; folded, FIFOs sized.

    The requantizer has a mantissa of 4 bits and a bias per channel, and is as fast as needed.
    """
    size, edge = layer.size, KERNEL // 2
    window = SlidingWindow(
        height=size,
        width=size,
        channels=layer.channels,
        dtype=BYTE,
        kernel_height=KERNEL,
        kernel_width=KERNEL,
        padding_top=edge,
        padding_left=edge,
        output_height=size,
        output_width=size,
        groups=layer.groups,
    )
    rng = np.random.default_rng(layer.seed + 2)
    # The widest sums just saturate.
    shift = max(1, conv.output_type.bits + 4 - ACTIVATION_BITS - 2)
    join = Join(
        height=size,
        width=size,
        channels=layer.channels,
        input_dtypes=(conv.output_type,),
        mantissas=rng.integers(8, 16, (1, layer.channels)),
        shifts=np.zeros((1, layer.channels), np.int64),
        bias=rng.integers(0, 1 << (shift + 6), layer.channels),
        shift=shift,
        output_dtype=BYTE,
    )
    chain: tuple[tuple[str, Operator], ...] = (("windows", window), ("sums", conv), ("map", join))
    tensors = {"image": Tensor("image", size, size, layer.channels, BYTE)}
    nodes, source = [], "image"
    for name, operator in chain:
        tensors[name] = Tensor(name, *operator.output_shapes[0], operator.output_types[0])
        first = operator.legal_foldings()[0]
        nodes.append(Node(f"{name}_node", f"layer.{name}", operator, (source,), (name,), first))
        source = name
    graph = Graph("peers", tuple(nodes), tensors, ("image",), ("map",))
    wanted = {"sums_node": folding}
    whole_windows = folding.engine.whole_window
    if whole_windows and window.parallel_folding is not None:
        wanted["windows_node"] = window.parallel_folding
    at = {node.name: node for node in fold(graph, wanted).nodes}
    budget = max(
        at[name].operator.frame_cycles(at[name].folding) for name in ("windows_node", "sums_node")
    )
    fifos = {}
    if whole_windows:
        # Whole windows are wide. Deep FIFOs of them would hide the end of an image, some 30
        # cycles; enough for the round trip of a beat and its credit is a better bargain here.
        interval = at["sums_node"].operator.schedule(at["sums_node"].folding).interval_cycles
        fifos["windows"] = max(2, -(-ROUND_TRIP_CYCLES // interval))
    return lower(graph, FoldingFile(wanted, budget, fifos))


def rows(
    layer: Layer,
    work: Path,
    progress: Callable[[str], None],
    chosen: Iterable[Configuration] | None = None,
    technologies: Iterable[Technology] = TECHNOLOGIES,
) -> list[Row]:
    """Every configuration on every technology, at three scopes each."""
    found: list[Row] = []
    for configuration in configurations(layer) if chosen is None else chosen:
        progress(f"{OURS}: {configuration.name}")
        found += measured(
            layer, convolution(layer), configuration, work, OURS, technologies=technologies
        )
    return found


def measured(
    layer: Layer,
    conv: PatternConv,
    configuration: Configuration,
    work: Path,
    contender: str,
    note: str = "",
    technologies: Iterable[Technology] = TECHNOLOGIES,
) -> list[Row]:
    """Rows of the engine, the layer and the layer with 8 bits out, around ``conv``."""
    graph = build(layer, conv, configuration.folding)
    folder = work / f"{contender}_{configuration.name}_g{layer.groups}".replace(" ", "_")
    project = folder / "rtl"
    write_project(graph, project, samples={}, golden={})
    images = layer.images(FRAMES)
    run = play(project, images)
    sums = layer.expected(images)
    join = next(node.operator for node in graph.nodes if node.name == "map_node")
    assert isinstance(join, Join)
    bits = np.clip((join.mantissas[0] * sums + join.bias) >> join.shift, BYTE.min, BYTE.max)
    at_sums = (frame_interval(run.pops["sums"], FRAMES), wrong(run.values["sums"], sums))
    at_map = (frame_interval(run.pops["map"], FRAMES), wrong(run.values["map"], bits))
    found = []
    for technology in technologies:
        engines = {
            node.name: synthesize_operator(
                node.operator,
                node.folding,
                technology,
                fifo_depths=[graph.tensors[name].fifo_depth for name in node.outputs],
                work=folder / technology.name / node.name,
                timeout_seconds=_TIMEOUT_SECONDS,
            )
            for node in graph.nodes
        }
        names = list(engines)
        upstream = names[: names.index("sums_node") + 1]
        for scope, used, (cycles, differ) in (
            (Scope.ENGINE, engines["sums_node"], at_sums),
            (Scope.LAYER, total([engines[name] for name in upstream]), at_sums),
            (Scope.LAYER_8BIT, total(list(engines.values())), at_map),
        ):
            found.append(
                row(
                    layer,
                    contender,
                    configuration.name,
                    scope,
                    technology,
                    used,
                    cycles,
                    sums.size,
                    differ,
                    note,
                )
            )
    return found


def row(
    layer: Layer,
    contender: str,
    configuration: str,
    scope: Scope,
    technology: Technology,
    used: Resources,
    cycles: int,
    checked: int,
    differ: int,
    note: str = "",
) -> Row:
    """A row of the table."""
    return Row(
        contender,
        configuration,
        scope,
        layer.groups,
        technology.name,
        used.lut,
        used.ff,
        used.bram,
        used.dsp,
        layer.macs,
        cycles,
        checked,
        differ,
        note,
    )


def bare_adders(layer: Layer, work: Path, like: Row) -> list[Row]:
    """Our adder graph without streams; cycles and checks are those of its engine, ``like``."""
    conv = convolution(layer)
    text = emit_parallel(
        conv.adder_graph, "adders", in_bits=ACTIVATION_BITS, out_bits=conv.output_type.bits
    )
    design = Design("adders", {"adders.sv": text}, {})
    return [
        row(
            layer,
            OURS,
            like.configuration,
            Scope.ADDERS,
            technology,
            cells(design, technology, work / f"adders_g{layer.groups}"),
            like.cycles,
            like.checked,
            like.wrong,
        )
        for technology in TECHNOLOGIES
    ]
