"""Estimates of all engines of a graph, and which of their FIFOs should be block RAM."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sephw.ir import FifoMemory, Folding, Graph, Node, Operator
from sephw.ir.resources import Resources
from sephw.resources.estimate import estimate
from sephw.technologies import Device, Technology


class Cost(Protocol):
    """The cost of one engine; `Estimate` is one."""

    @property
    def resources(self) -> Resources:
        """Logic and blocks, output FIFOs included."""

    @property
    def fmax_mhz(self) -> float:
        """Highest clock."""


class Estimator(Protocol):
    """A resource model of engines: `estimate`."""

    def __call__(
        self,
        operator: Operator,
        folding: Folding,
        fifo_depths: Sequence[int],
        technology: Technology,
        *,
        solve: bool = False,
        fifos_in_blocks: bool = False,
    ) -> Cost:
        """Cost of an engine; ``fifo_depths`` in beats by output, ``solve`` its adder graph."""


# Below this share of the LUTs a design has no need of it.
_LUT_PRESSURE = 0.5
# Blocks beyond this share stay free: they stand in columns, and wires to them are long.
_MOST_BLOCKS = 0.8


@dataclass(frozen=True)
class FifoPlan:
    """Costs by node name; ``fifos_in_blocks``: the nodes whose output FIFOs go to block RAM.

    These FIFOs go there although rtl/sephw_fifo.sv would make them of LUTs. ``saved``:
    what that saves; block RAMs below 0.
    """

    costs: Mapping[str, Cost]
    fifos_in_blocks: frozenset[str] = frozenset()
    saved: Resources = field(default_factory=Resources)


def estimate_engines(
    graph: Graph,
    device: Device,
    *,
    solve: Callable[[Node], bool],
    estimator: Estimator = estimate,
) -> dict[str, Cost]:
    """Estimate every engine of ``graph`` on ``device``, by node name, FIFOs as the graph has them.

    ``solve``: as `estimate` does, by node. Raises SephwError for a technology that has not been
    characterized.
    """
    return {
        node.name: _cost(graph, node, device, solve, estimator, _in_blocks(graph, node))
        for node in graph.nodes
    }


def _in_blocks(graph: Graph, node: Node) -> bool:
    """True where the FIFOs of the node's outputs are block RAM; they are all alike."""
    return any(graph.tensors[name].fifo_memory is FifoMemory.BLOCK for name in node.outputs)


def _cost(
    graph: Graph,
    node: Node,
    device: Device,
    solve: Callable[[Node], bool],
    estimator: Estimator,
    fifos_in_blocks: bool,
) -> Cost:
    return estimator(
        node.operator,
        node.folding,
        [graph.tensors[name].fifo_depth for name in node.outputs],
        device.technology,
        solve=solve(node),
        fifos_in_blocks=fifos_in_blocks,
    )


def plan_fifo_memories(
    graph: Graph,
    device: Device,
    *,
    solve: Callable[[Node], bool],
    estimator: Estimator = estimate,
) -> FifoPlan:
    """Choose the FIFOs of ``graph`` for block RAM on ``device``, whatever the graph says of them.

    By default a FIFO weighs LUTs against block RAMs as the device has them. What counts here is
    what the design leaves of both: while it takes more than half of the LUTs, the FIFOs that save
    most LUTs per block go there, up to four fifths of the block RAMs. ``solve``, and errors: as
    `estimate_engines` has them.
    """

    def cost(node: Node, fifos_in_blocks: bool) -> Cost:
        return _cost(graph, node, device, solve, estimator, fifos_in_blocks)

    costs = {node.name: cost(node, False) for node in graph.nodes}
    available = device.available
    total = before = sum((c.resources for c in costs.values()), Resources())
    if not puts_fifos_in_blocks(device) or total.lut <= _LUT_PRESSURE * available.lut:
        return FifoPlan(costs)
    moves = []
    for node in graph.nodes:
        moved = cost(node, True)
        change = costs[node.name].resources.minus(moved.resources)
        if change.bram < 0 < change.lut:
            moves.append((change.lut / change.bram, node.name, moved))
    chosen = []
    for _, name, moved in sorted(moves, key=lambda move: move[:2]):
        after = total.minus(costs[name].resources) + moved.resources
        if after.bram > _MOST_BLOCKS * available.bram:
            continue
        total = after
        costs[name] = moved
        chosen.append(name)
        if total.lut <= _LUT_PRESSURE * available.lut:
            break
    return FifoPlan(costs, frozenset(chosen), before.minus(total))


def puts_fifos_in_blocks(device: Device) -> bool:
    """True where it is the engines' to say where FIFOs are, not the synthesis'."""
    rams = device.technology.rams
    return rams is not None and rams.engines_place_fifos


__all__ = [
    "Cost",
    "Estimator",
    "FifoPlan",
    "estimate_engines",
    "plan_fifo_memories",
    "puts_fifos_in_blocks",
]
