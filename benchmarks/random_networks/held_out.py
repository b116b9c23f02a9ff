"""Random networks as held-out ones of the resource model: estimates beside what Yosys makes."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.random_networks.check import Status, prepare
from benchmarks.random_networks.describe import Convolution, Join, Linear, Network, Norm, Weights
from benchmarks.random_networks.draw import draw
from benchmarks.random_networks.results import Result
from sephw.backends.rtl import write_project
from sephw.ir import Graph
from sephw.ir.resources import Resources
from sephw.resources import CHARACTERIZED, estimate
from sephw.synth import Synthesis, synthesize
from sephw.targets import Technology

FILE = Path(__file__).resolve().parents[2] / "sephw/resources/data/held_out_networks.json"
KINDS = ("lut", "ff", "bram", "dsp")
# Synthesis takes longest for 7-series: fewer of those.
_TURNS = (
    Technology.ECP5,
    Technology.ICE40,
    Technology.GOWIN,
    Technology.ECP5,
    Technology.ICE40,
    Technology.XC7,
    Technology.ECP5,
    Technology.ICE40,
    Technology.GOWIN,
    Technology.GOWIN,
)
# Engines and LUTs beyond which most networks take more than half a minute.
_MOST_ENGINES = 16
_MOST_LUTS = 1000
_CARRIES = {
    Technology.ECP5: "CCU2C",
    Technology.ICE40: "SB_CARRY",
    Technology.XC7: "CARRY4",
    Technology.GOWIN: "ALU",
}
_TIMEOUT_SECONDS = 1200.0
# Channels that no image changes: synthesis removes what computes them, in a trained network little.
_CONSTANT_NORMS = (Norm.ZERO, Norm.HUGE_VARIANCE)


@dataclass(frozen=True)
class Row:
    """Counts of a whole network's engines, by kind of resource.

    ``estimated``: the sum over its engines, adder graphs solved. ``synthesized``: of one netlist of
    all engines, in the same units; ``carry``: its carry cells, which are among its LUTs where they
    take some.
    """

    seed: int
    index: int
    technology: str
    engines: int
    estimated: Mapping[str, int]
    synthesized: Mapping[str, int]
    carry: int


@dataclass(frozen=True)
class HeldOut:
    """All rows, and the Yosys that made them."""

    yosys: str = ""
    networks: tuple[Row, ...] = ()


def read(path: Path = FILE) -> HeldOut:
    """The committed rows; none where there is no file."""
    if not path.is_file():
        return HeldOut()
    content = json.loads(path.read_text("utf-8"))
    return HeldOut(content["yosys"], tuple(Row(**row) for row in content["networks"]))


def write(found: HeldOut, path: Path = FILE) -> None:
    """A row a line, sorted."""
    rows = sorted(found.networks, key=lambda row: (row.seed, row.index, row.technology))
    lines = ",\n".join(f"  {json.dumps(asdict(row))}" for row in rows)
    text = f'{{\n "yosys": {json.dumps(found.yosys)},\n "networks": [\n{lines}\n ]\n}}\n'
    path.write_text(text, "utf-8")


def measure(
    results: Sequence[Result], count: int, note: Callable[[str], None], most_seconds: float
) -> None:
    """Add rows to the file until it has ``count``, of exact networks in turn.

    Each network is synthesized for one technology, the next in turn; small ones only, for the
    sake of time, and none with filters that are dead by construction.
    """
    import time

    until = time.monotonic() + most_seconds
    known = read()
    done = {(row.seed, row.index) for row in known.networks}
    turns = [technology for technology in _TURNS if technology in CHARACTERIZED]
    for result in results:
        if len(known.networks) >= count or time.monotonic() >= until:
            break
        fits = result.outcome.engines <= _MOST_ENGINES
        if (result.seed, result.index) in done or not fits:
            continue
        if result.outcome.status is not Status.EXACT:
            continue
        case = draw(result.seed, result.index)
        if _has_constants(case.network):
            continue
        technology = turns[result.index % len(turns)]
        with tempfile.TemporaryDirectory() as made:
            graph = prepare(case, Path(made)).graph
            estimated = estimated_resources(graph, technology)
            if estimated.lut > _MOST_LUTS:
                continue
            synthesis = _synthesized(graph, technology, Path(made))
            row = Row(
                result.seed,
                result.index,
                technology.value,
                len(graph.nodes),
                _counts(estimated),
                _counts(synthesis.total),
                carries(synthesis),
            )
        known = HeldOut(synthesis.yosys_version, (*known.networks, row))
        write(known)
        note(f"{len(known.networks)} of {count}: {row}")


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


def estimated_resources(graph: Graph, technology: Technology) -> Resources:
    """The sum over all engines."""
    parts = [
        estimate(
            node.operator,
            node.folding,
            [graph.tensors[name].fifo_depth for name in node.outputs],
            technology,
            solve=True,
        ).resources
        for node in graph.nodes
    ]
    return sum(parts, Resources())


def _synthesized(graph: Graph, technology: Technology, folder: Path) -> Synthesis:
    write_project(graph, folder / "rtl", samples={}, golden={})
    return synthesize(
        folder / "rtl",
        graph,
        technology,
        folder / "synth",
        progress=lambda text: None,
        timeout_seconds=_TIMEOUT_SECONDS,
        jobs=1,
    )


def carries(synthesis: Synthesis) -> int:
    """Carry cells of the netlist."""
    (module,) = json.loads(synthesis.netlist.read_text("utf-8"))["modules"].values()
    kinds = Counter(cell["type"] for cell in module["cells"].values())
    return kinds[_CARRIES[synthesis.technology]]


def _counts(resources: Resources) -> dict[str, int]:
    return {kind: getattr(resources, kind) for kind in KINDS}
