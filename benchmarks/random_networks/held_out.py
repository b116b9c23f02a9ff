"""Random networks as held-out ones of the resource model: estimates beside what Yosys makes.

Networks of a seed are taken in turn: small ones, none with filters that are dead by construction.
Each that is taken is checked as all random networks are, then synthesized for one technology.
"""

from __future__ import annotations

import itertools
import json
import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.random_networks.check import CheckEndedError, Status, check_all, prepare
from benchmarks.random_networks.describe import (
    Case,
    Convolution,
    Join,
    Linear,
    Network,
    Norm,
    Weights,
)
from benchmarks.random_networks.draw import draw
from sephw.backends.rtl import write_project
from sephw.ir import Graph, MemoryKind, Node
from sephw.ir.resources import RESOURCE_KINDS, Resources
from sephw.resources import estimate
from sephw.resources.held_out import read_again
from sephw.synth import Synthesis, SynthesisSettings, synthesize
from sephw.technologies import (
    CELLS,
    CHARACTERIZATION,
    ECP5,
    GOWIN,
    ICE40,
    XC7,
    Technology,
)

FILE = Path(__file__).resolve().parents[2] / "sephw/resources/data/held_out_networks.json"
# Synthesis takes longest for 7-series: fewer of those.
_TURNS = (
    ECP5,
    ICE40,
    GOWIN,
    ECP5,
    ICE40,
    XC7,
    ECP5,
    ICE40,
    GOWIN,
    GOWIN,
)
# Engines and LUTs beyond which most networks take more than half a minute.
MOST_ENGINES = 16
MOST_LUTS = 1000
_TIMEOUT_SECONDS = 1200.0
# Networks whose RTL is simulated by one program.
_BATCH = 8
# What the kind of engines ends in whose factors are constants.
FOLDED = ", constant factors"
# Channels that no image changes: synthesis removes what computes them, in a trained network little.
_CONSTANT_NORMS = (Norm.ZERO, Norm.HUGE_VARIANCE)


@dataclass(frozen=True)
class Row:
    """Counts of a whole network's engines, by kind of resource.

    ``estimated``: the sum over its engines, adder graphs solved. ``synthesized``: of one netlist of
    all engines, in the same units; ``carry``: its carry cells, which are among its LUTs where they
    take some. ``luts``: by kind and family of engine how many there are, their LUTs as estimated
    and as synthesized.
    """

    seed: int
    index: int
    technology: str
    engines: int
    estimated: Mapping[str, int]
    synthesized: Mapping[str, int]
    carry: int
    luts: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class HeldOut:
    """All rows, and the Yosys that made them."""

    yosys: str = ""
    networks: tuple[Row, ...] = ()

    def next_index(self, seed: int) -> int:
        """Index of the network of ``seed`` from which on none was looked at."""
        return max((row.index for row in self.networks if row.seed == seed), default=-1) + 1


def read(path: Path = FILE) -> HeldOut:
    """The rows of a file; none where there is no file. Rows need no ``luts``."""
    if not path.is_file():
        return HeldOut()
    content = json.loads(path.read_text("utf-8"))
    return HeldOut(content["yosys"], tuple(_row(row) for row in content["networks"]))


def _row(entry: Mapping[str, Any]) -> Row:
    luts = {kind: tuple(counts) for kind, counts in entry.get("luts", {}).items()}
    return Row(**{**entry, "luts": luts})


def write(found: HeldOut, path: Path = FILE) -> None:
    """A row a line, sorted; the file appears whole or not at all."""
    rows = sorted(found.networks, key=lambda row: (row.seed, row.index, row.technology))
    lines = ",\n".join(f"  {json.dumps(asdict(row))}" for row in rows)
    text = f'{{\n "yosys": {json.dumps(found.yosys)},\n "networks": [\n{lines}\n ]\n}}\n'
    partial = path.with_suffix(".partial")
    partial.write_text(text, "utf-8")
    partial.replace(path)
    read_again()


def technology_of(index: int) -> Technology:
    """The one technology for which network ``index`` is synthesized."""
    turns = [technology for technology in _TURNS if technology.has(CHARACTERIZATION)]
    return turns[index % len(turns)]


def measure(
    count: int,
    seed: int,
    note: Callable[[str], None],
    *,
    path: Path = FILE,
    most_seconds: float = math.inf,
) -> HeldOut:
    """Add rows to the file until it has ``count``, of the networks of ``seed`` in turn.

    Goes on behind the last network of ``seed`` in the file. A network that is not exact is noted
    and left out. After ``most_seconds`` no other is begun.
    """
    until = time.monotonic() + most_seconds
    known = read(path)
    indices = _selected(seed, known.next_index(seed))
    while len(known.networks) < count:
        some = tuple(islice(indices, min(_BATCH, count - len(known.networks))))
        for index, outcome in zip(some, check_all([draw(seed, i) for i in some]), strict=True):
            if time.monotonic() >= until:
                return known
            if outcome.status is not Status.EXACT:
                note(f"{seed}:{index} is left out, {outcome.status}: {outcome.reason}")
                continue
            version, row = _measured(seed, index, note)
            known = HeldOut(version, (*known.networks, row))
            write(known, path)
            note(f"{len(known.networks)} of {count}: {row}")
    return known


def _selected(seed: int, first: int) -> Iterator[int]:
    """Indices of the networks to synthesize, from ``first`` on."""
    for index in itertools.count(first):
        with tempfile.TemporaryDirectory() as made:
            if selected(draw(seed, index), technology_of(index), Path(made)) is not None:
                yield index


def selected(case: Case, technology: Technology, folder: Path) -> Graph | None:
    """The folded graph of a network that is to be synthesized, else None."""
    if _has_constants(case.network):
        return None
    try:
        graph = prepare(case, folder).graph
    except CheckEndedError:
        return None
    if len(graph.nodes) > MOST_ENGINES or not _within(graph, technology, MOST_LUTS):
        return None
    return graph


def _has_constants(network: Network) -> bool:
    """Whether filters are zero, or batch norms leave channels that no image changes."""
    joined = [
        branch for part in network.parts if isinstance(part, Join) for branch in part.branches
    ]
    for branch in (*joined, *network.output):
        if isinstance(branch, Convolution) and branch.norm in _CONSTANT_NORMS:
            return True
        if isinstance(branch, Convolution | Linear) and branch.weights is Weights.DEAD:
            return True
    return False


def _within(graph: Graph, technology: Technology, luts: int) -> bool:
    """Whether all engines take no more than ``luts``; adder graphs, solved in seconds, last."""
    nodes = sorted(graph.nodes, key=lambda node: node.variant.solves_graph)
    total = 0
    for node in nodes:
        total += estimated(graph, node, technology).lut
        if total > luts:
            return False
    return True


def estimated(graph: Graph, node: Node, technology: Technology) -> Resources:
    """Of one engine."""
    depths = [graph.tensors[name].fifo_depth for name in node.outputs]
    return estimate(node.operator, node.folding, depths, technology, solve=True).resources


def estimated_resources(graph: Graph, technology: Technology) -> Resources:
    """The sum over all engines."""
    return sum((estimated(graph, node, technology) for node in graph.nodes), Resources())


def _measured(seed: int, index: int, note: Callable[[str], None]) -> tuple[str, Row]:
    """The version of Yosys, and what it makes of a network."""
    with tempfile.TemporaryDirectory() as made:
        graph = prepare(draw(seed, index), Path(made)).graph
        return _row_of(seed, index, graph, Path(made), note)


def _row_of(
    seed: int, index: int, graph: Graph, folder: Path, note: Callable[[str], None]
) -> tuple[str, Row]:
    technology = technology_of(index)
    synthesis = _synthesized(graph, technology, folder)
    luts: dict[str, tuple[int, int, int]] = {}
    for node in graph.nodes:
        before, after = estimated(graph, node, technology), synthesis.engines[node.name]
        kind = kind_of(node)
        engines, first, last = luts.get(kind, (0, 0, 0))
        luts[kind] = (engines + 1, first + before.lut, last + after.lut)
        note(f"{seed}:{index} {technology} {kind} '{node.name}': {before} as {after}")
    row = Row(
        seed,
        index,
        technology.name,
        len(graph.nodes),
        _counts(estimated_resources(graph, technology)),
        _counts(synthesis.total),
        carries(synthesis),
        luts,
    )
    return synthesis.yosys_version, row


def kind_of(node: Node) -> str:
    """Kind and family of an engine.

    Engines whose every lane has one factor are kinds of their own, since synthesis folds such
    constants into the logic: joins whose channels share it or have a lane each, convolutions with
    a lane for every weight.
    """
    name = f"{node.operator.kind} {node.variant.family}"
    depths = [1] * len(node.outputs)
    memories = node.operator.structure(node.folding, depths, solve=False).memories
    tables = [memory for memory in memories if memory.kind is MemoryKind.ROM]
    # Factors or weights are the first table.
    return f"{name}{FOLDED}" if tables and tables[0].columns == 0 else name


def _synthesized(graph: Graph, technology: Technology, folder: Path) -> Synthesis:
    write_project(graph, folder / "rtl", samples={}, golden={})
    return synthesize(
        folder / "rtl",
        graph,
        technology,
        folder / "synth",
        SynthesisSettings(_TIMEOUT_SECONDS, jobs=1),
        progress=lambda text: None,
    )


def carries(synthesis: Synthesis) -> int:
    """Carry cells of the netlist."""
    (module,) = json.loads(synthesis.netlist.read_text("utf-8"))["modules"].values()
    kinds = Counter(cell["type"] for cell in module["cells"].values())
    return kinds[synthesis.technology.require(CELLS).carry]


def _counts(resources: Resources) -> dict[str, int]:
    return {kind: getattr(resources, kind) for kind in RESOURCE_KINDS}
