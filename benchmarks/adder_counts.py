"""Adders, depth, registers and cells of compiled pattern layers, against other ways to build them.

    python -m benchmarks.adder_counts [--model FILE.pth ...] [--seeds N] [--yosys] [--out FOLDER]

Writes adder_counts.json and adder_counts.md (default: reports/published). Ways:

- trees: each filter its own balanced tree;
- row sharing: the responses of the k-wide rows of the patterns are made once per input row and
  pattern (up to sign) and shared by all filters, which then sum them in trees;
- greedy: this package's solver, free and at the least depth that costs no more than 5 % adders;
- da4ml: its solver (where it is installed), converted to the same graph.

Counts are estimated from the graph (two-operand adders; flip-flops with shared delays, one
register behind each adder). With --yosys, cells of the emitted modules are synthesized by Yosys
for ECP5 and for Xilinx 7 series, cores only; LUT4 counts two per carry cell. That takes minutes.
"""

from __future__ import annotations

import json
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from sephw.adder_graph import (
    Adder,
    AdderGraph,
    Interval,
    MatrixProblem,
    Output,
    SolverOptions,
    emit_parallel,
    emit_serial,
    merge,
    schedule,
    solve,
)
from sephw.adder_graph.builder import AdderGraphBuilder, ShiftedNode
from sephw.errors import SephwError
from sephw.rtl.hierarchy import scan, sources_of
from sephw.tools.yosys import run_yosys

PUBLISHED = Path(__file__).resolve().parent.parent / "reports" / "published"
Matrix = NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    """One pattern layer: a ±1 matrix (outputs, inputs) per group, columns (ky, kx, channel)."""

    name: str
    groups: tuple[Matrix, ...]
    kernel_width: int
    interval: Interval

    @property
    def macs(self) -> int:
        return sum(group.size for group in self.groups)


@dataclass(frozen=True)
class Counted:
    """One layer built in one way. ``seconds``: solving, on this machine, without the cache."""

    layer: str
    way: str
    macs: int
    adders: int
    negated_outputs: int
    adders_per_mac: float
    depth: int
    register_bits: int
    seconds: float


@dataclass(frozen=True)
class Synthesized:
    """Cells of one emitted core. ``digit_bits`` 0: bit-parallel."""

    layer: str
    way: str
    target: str
    digit_bits: int
    interval_cycles: int
    luts: int
    flip_flops: int
    seconds: float


def trees(layer: Layer) -> AdderGraph:
    def build(matrix: Matrix) -> AdderGraph:
        builders = []
        # A builder of its own per filter, so that nothing is shared.
        for row in matrix:
            builder = AdderGraphBuilder(len(row))
            total = builder.sum(ShiftedNode(i, 0, bool(w < 0)) for i, w in enumerate(row))
            builders.append(builder.finish((layer.interval,) * len(row), [total]))
        return _side_by_side(builders)

    return merge([build(group) for group in layer.groups])


def _side_by_side(parts: list[AdderGraph]) -> AdderGraph:
    """Graphs over the same inputs as one."""
    inputs = parts[0].inputs
    adders: list[Adder] = []
    outputs: list[Output] = []
    for part in parts:
        shift = len(adders)

        def moved(node: int, shift: int = shift) -> int:
            return node if node < len(inputs) else node + shift

        for a in part.adders:
            adders.append(
                type(a)(moved(a.left), a.left_shift, moved(a.right), a.right_shift, a.subtract)
            )
        for o in part.outputs:
            assert o.node is not None
            outputs.append(type(o)(moved(o.node), o.shift, o.negate))
    return AdderGraph(inputs, tuple(adders), tuple(outputs))


def row_sharing(layer: Layer) -> AdderGraph:
    def build(matrix: Matrix) -> AdderGraph:
        builder = AdderGraphBuilder(matrix.shape[1])
        width = layer.kernel_width
        # Columns (ky, kx, channel): the taps of a kernel row are `channels` apart.
        channels = matrix.shape[1] // (width * width)
        outputs = []
        for row in matrix:
            parts = []
            for ky in range(width):
                for channel in range(channels):
                    taps = [(ky * width + kx) * channels + channel for kx in range(width)]
                    response = builder.sum(ShiftedNode(t, 0, bool(row[t] < 0)) for t in taps)
                    assert response is not None
                    parts.append(response)
            outputs.append(_tree(builder, parts))
        return builder.finish((layer.interval,) * matrix.shape[1], outputs)

    return merge([build(group) for group in layer.groups])


def _tree(builder: AdderGraphBuilder, parts: list[ShiftedNode]) -> ShiftedNode:
    total = builder.sum(parts)
    assert total is not None
    return total


def solved(layer: Layer, options: SolverOptions) -> AdderGraph:
    return merge(
        [
            solve(MatrixProblem(layer.name, group, (layer.interval,) * group.shape[1]), options)
            for group in layer.groups
        ]
    )


def flat(layer: Layer, free: AdderGraph) -> AdderGraph:
    """The flattest graph of our solver with at most 5 % more adders than ``free``."""
    best = free
    for depth in range(free.depth - 1, 0, -1):
        try:
            graph = solved(layer, SolverOptions(use_cache=False, max_depth=depth))
        except SephwError:
            break
        if len(graph.adders) > 1.05 * len(free.adders):
            break
        best = graph
    return best


def count(layer: Layer) -> list[tuple[Counted, AdderGraph]]:
    rows: list[tuple[Counted, AdderGraph]] = []

    def add(way: str, make: Callable[[], AdderGraph]) -> AdderGraph:
        began = time.perf_counter()
        graph = make()
        seconds = time.perf_counter() - began
        adders = len(graph.adders)
        rows.append(
            (
                Counted(
                    layer.name,
                    way,
                    layer.macs,
                    adders,
                    graph.negations,
                    round(adders / layer.macs, 4),
                    graph.depth,
                    schedule(graph).register_bits(graph),
                    round(seconds, 2),
                ),
                graph,
            )
        )
        return graph

    add("trees", lambda: trees(layer))
    add("row sharing", lambda: row_sharing(layer))
    if find_spec("da4ml") is not None:
        add("da4ml", lambda: solved(layer, SolverOptions(solver="da4ml", use_cache=False)))
    free = add("greedy", lambda: solved(layer, SolverOptions(use_cache=False)))
    add("greedy, flat", lambda: flat(layer, free))
    return rows


def random_layers(seeds: int) -> list[Layer]:
    def matrix(outputs: int, inputs: int, seed: int) -> Matrix:
        rng = np.random.default_rng(seed)
        return 2 * rng.integers(0, 2, (outputs, inputs), np.int64) - 1

    interval = Interval(0, 255)
    layers = [
        Layer(f"random 16->16 3x3, seed {seed}", (matrix(16, 144, seed),), 3, interval)
        for seed in range(seeds)
    ]
    groups = tuple(matrix(16, 144, 100 + k) for k in range(4))
    return [*layers, Layer("random 64->64 3x3, groups 4", groups, 3, interval)]


def trained_layers(model: Path) -> list[Layer]:
    """The pattern layers of a trained network."""
    from sephw.checkpoint import build_network, load_checkpoint
    from sephw.frontend import export_qonnx, read_qonnx
    from sephw.nn import freeze
    from sephw.ops.pattern_conv import PatternConv

    checkpoint = load_checkpoint(model)
    size = checkpoint.arguments
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        shape = (size["in_channels"], size["height"], size["width"])
        export_qonnx(freeze(build_network(checkpoint)), path, shape)
        nodes = read_qonnx(path).graph.nodes
    layers = []
    for node in nodes:
        op = node.operator
        if isinstance(op, PatternConv):
            groups = tuple(np.split(op.patterns, op.groups))
            interval = Interval(op.input_dtype.min, op.input_dtype.max)
            layers.append(Layer(f"{model.stem} {node.name}", groups, op.kernel_width, interval))
    return layers


def synthesize(layer: str, way: str, graph: AdderGraph, target: str, digits: int) -> Synthesized:
    """Cells by Yosys; the tool sees files of its working directory only."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        interval, files = 1, ["core.sv"]
        if digits:
            core = emit_serial(graph, "core", digits)
            text, interval = core.text, core.interval_cycles
            for source, content in sources_of(scan(text).instantiated).items():
                (folder / source).write_text(content)
                files.append(source)
        else:
            text = emit_parallel(graph, "core")
        (folder / "core.sv").write_text(text)
        # Digit-serial cores are counted without the parallel ends.
        top = "core_digits" if digits else "core"
        flow = "synth_ecp5" if target == "ECP5" else "synth_xilinx -family xc7"
        script = (
            f"read_verilog -sv {' '.join(files)}; {flow} -top {top} -flatten; "
            "tee -q -o stat.json stat -json"
        )
        run_yosys(script, folder, purpose=layer, timeout_seconds=3000)
        stat = json.loads((folder / "stat.json").read_text())
    cells = stat["design"]["num_cells_by_type"]
    if target == "ECP5":
        luts = cells.get("LUT4", 0) + 2 * cells.get("CCU2C", 0)
        registers = cells.get("TRELLIS_FF", 0)
    else:
        luts = sum(n for kind, n in cells.items() if kind.startswith("LUT"))
        registers = sum(n for kind, n in cells.items() if kind.startswith("FD"))
        # Shift registers in LUTs.
        luts += sum(n for kind, n in cells.items() if kind.startswith("SRL"))
    seconds = round(time.perf_counter() - began, 1)
    return Synthesized(layer, way, target, digits, interval, luts, registers, seconds)


def table(header: list[str], rows: list[list[object]]) -> str:
    lines = [" | ".join(header), " | ".join("---" for _ in header)]
    lines += [" | ".join(str(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def markdown(counted: list[Counted], cells: list[Synthesized]) -> str:
    text = "# Adders of compiled pattern layers\n\n"
    text += "Made by `python -m benchmarks.adder_counts`. Counts are estimated from the graphs.\n\n"
    text += table(
        [
            "layer",
            "way",
            "adders",
            "negated outputs",
            "per MAC",
            "depth",
            "register bits",
            "seconds",
        ],
        [
            [
                c.layer,
                c.way,
                f"{c.adders:,}",
                c.negated_outputs,
                f"{c.adders_per_mac:.3f}",
                c.depth,
                f"{c.register_bits:,}",
                c.seconds,
            ]
            for c in counted
        ],
    )
    if cells:
        text += "\n\nCells synthesized by Yosys, cores only (LUT4 counts two per carry cell):\n\n"
        text += table(
            ["layer", "way", "target", "core", "cycles per pixel", "LUTs", "flip-flops"],
            [
                [
                    s.layer,
                    s.way,
                    s.target,
                    f"{s.digit_bits}-bit digits" if s.digit_bits else "bit-parallel",
                    s.interval_cycles,
                    f"{s.luts:,}",
                    f"{s.flip_flops:,}",
                ]
                for s in cells
            ],
        )
    return text + "\n"


@click.command()
@click.option("--model", "models", multiple=True, type=click.Path(path_type=Path, exists=True))
@click.option("--seeds", default=3, show_default=True)
@click.option("--yosys", is_flag=True, help="Synthesize the first random layer as well.")
@click.option("--out", default=PUBLISHED, type=click.Path(path_type=Path))
def main(models: tuple[Path, ...], seeds: int, yosys: bool, out: Path) -> None:
    layers = random_layers(seeds)
    for model in models:
        layers += trained_layers(model)
    counted: list[Counted] = []
    cells: list[Synthesized] = []
    for layer in layers:
        rows = count(layer)
        for row, _ in rows:
            click.echo(f"{row.layer}: {row.way}: {row.adders} adders, depth {row.depth}")
        if yosys and layer is layers[0]:
            graphs = {row.way: graph for row, graph in rows}
            way = "greedy, flat"
            for digits, target in product((1, 2, 4, 8, 0), ("ECP5", "xc7")):
                cells.append(synthesize(layer.name, way, graphs[way], target, digits))
                click.echo(str(cells[-1]))
        counted += [row for row, _ in rows]
    out.mkdir(parents=True, exist_ok=True)
    record = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "counted": [asdict(row) for row in counted],
        "synthesized": [asdict(row) for row in cells],
    }
    (out / "adder_counts.json").write_text(json.dumps(record, indent=1) + "\n")
    (out / "adder_counts.md").write_text(markdown(counted, cells))


if __name__ == "__main__":
    main()
