"""The final graph of a choice of foldings, with the resource model's estimate of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sephw.explore.costs import Costs, in_flight
from sephw.explore.unsolved import schedule_of
from sephw.ir import Folding, Graph, Node
from sephw.ir.resources import Resources
from sephw.ops import WidthConverter
from sephw.passes import FoldingFile, lower
from sephw.passes.choose_fifo_memories import with_fifos_in_blocks
from sephw.resources import plan_fifo_memories
from sephw.resources.engines import Cost
from sephw.resources.wires import network_mhz
from sephw.sim.timing import simulate
from sephw.targets import Device


@dataclass(frozen=True, eq=False)
class FinalGraph:
    """Folded, with forks, converters and FIFOs.

    ``frame_cycles`` simulated, ``bottleneck`` what sets it, costs by node estimated; ``saved``:
    by FIFOs in block RAM, which the choice problem does not know; ``wires_ns`` as of ``Costs``.
    """

    graph: Graph
    frame_cycles: int
    bottleneck: str
    engines: Mapping[str, Cost]
    saved: Resources
    wires_ns: float = 0.0

    @property
    def resources(self) -> Resources:
        """The estimated resources of all engines."""
        return sum((cost.resources for cost in self.engines.values()), Resources())

    @property
    def fmax_mhz(self) -> float:
        """The clock of the slowest engine in MHz, with the delay of the whole network's wires."""
        slowest = min(cost.fmax_mhz for cost in self.engines.values())
        return network_mhz(slowest, self.resources.lut, self.wires_ns)

    @property
    def adder_graphs(self) -> frozenset[str]:
        """The nodes whose engine consists of an adder graph."""
        return frozenset(node.name for node in self.graph.nodes if node.variant.solves_graph)


def final_graph(
    graph: Graph,
    foldings: Mapping[str, Folding],
    costs: Costs,
    device: Device,
    weight_bandwidth_bits: int | None = None,
) -> FinalGraph:
    """Fold ``graph`` for ``device`` and do all passes, as an export does.

    Adder graphs that ``costs`` does not call solved are not solved here either: their sizes and
    pipelines, and with these some FIFOs, are guesses.
    """
    schedules = schedule_of(costs.solved)
    folded = lower(
        graph,
        FoldingFile(foldings),
        weight_bandwidth_bits=weight_bandwidth_bits,
        schedule_of=schedules,
    )
    timing = simulate(folded, schedules)
    plan = plan_fifo_memories(
        folded,
        device,
        estimator=costs.estimator,
        solve=lambda node: node.variant.solves_graph and node.name in costs.solved,
    )
    return FinalGraph(
        with_fifos_in_blocks(folded, device, plan.fifos_in_blocks),
        timing.frame_interval_cycles,
        timing.bottleneck,
        plan.costs,
        plan.saved,
        costs.wires_ns,
    )


def occupancy(final: Graph, least_frame_cycles: int = 1) -> dict[str, int]:
    """FIFO occupancy in integers, by the keys of ``Costs``, beyond what pipelines hold.

    ``least_frame_cycles`` is the lower bound of the frame interval for which pipelines are counted.
    """
    result: dict[str, int] = {}
    for node in final.nodes:
        streams = node.operator.output_streams(node.folding)
        for port, (name, stream) in enumerate(zip(node.outputs, streams, strict=True)):
            held = in_flight(node.operator, node.folding, port, least_frame_cycles)
            beats = final.tensors[name].fifo_depth - held
            key = _key(final, node, name)
            result[key] = result.get(key, 0) + max(0, beats) * stream.lanes
    return {name: count for name, count in result.items() if count}


def _key(final: Graph, node: Node | None, name: str) -> str:
    """The name of the tensor that was converted to ``name``."""
    while node is not None and isinstance(node.operator, WidthConverter):
        name = node.inputs[0]
        node = final.producer(name)
    return name
