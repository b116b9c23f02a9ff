"""Pipelining: one register behind each adder, and shared delay registers that balance the paths."""

from __future__ import annotations

from dataclasses import dataclass

from sephw.adder_graph.graph import AdderGraph


@dataclass(frozen=True)
class Pipeline:
    """The pipeline stage of every node.

    Inputs arrive in stage 0; an adder of stage s is a register that holds its sum s cycles later.
    All outputs are read in stage ``latency_cycles``. ``last``: the last stage in which anything
    reads a node; one chain of registers, shared by all readers, delays it from its own stage to
    this one.
    """

    stages: tuple[int, ...]
    last: tuple[int, ...]
    latency_cycles: int

    def delays(self, node: int) -> int:
        """Delay registers behind the node."""
        return self.last[node] - self.stages[node]

    def register_bits(self, graph: AdderGraph) -> int:
        """Flip-flops of all sums and delays, each as wide as its node."""
        first = len(graph.inputs)
        return sum(
            interval.bits * (self.delays(node) + (node >= first))
            for node, interval in enumerate(graph.intervals)
        )

    def digit_registers(self, graph: AdderGraph) -> int:
        """Registers of one digit: sums and delays of the digit-serial form."""
        return sum(self.delays(node) for node in range(graph.nodes)) + len(graph.adders)


def schedule(graph: AdderGraph) -> Pipeline:
    """Assign stages with few register bits: as soon as possible, then moved while that saves
    bits.
    """
    first = len(graph.inputs)
    latency = graph.depth
    readers: list[list[int]] = [[] for _ in range(graph.nodes)]
    for index, adder in enumerate(graph.adders):
        for source in {adder.left, adder.right}:
            readers[source].append(first + index)
    taken = {output.node for output in graph.outputs if output.node is not None}
    stages = list(graph.depths)
    bits = [interval.bits for interval in graph.intervals]

    def last(node: int) -> int:
        ends = [stages[reader] - 1 for reader in readers[node]]
        if node in taken:
            ends.append(latency)
        return max(ends, default=stages[node])

    def cost(node: int, sources: set[int]) -> int:
        held = bits[node] * (last(node) - stages[node])
        return held + sum(bits[s] * (last(s) - stages[s]) for s in sources)

    moved = True
    while moved:
        moved = False
        for node in range(graph.nodes - 1, first - 1, -1):
            adder = graph.adders[node - first]
            sources = {adder.left, adder.right}
            earliest = 1 + max(stages[s] for s in sources)
            latest = min(
                [stages[r] - 1 for r in readers[node]] + ([latency] if node in taken else []),
                default=stages[node],
            )
            start, best = stages[node], cost(node, sources)
            keep = start
            for stage in range(earliest, latest + 1):
                stages[node] = stage
                found = cost(node, sources)
                if found < best:
                    best, keep = found, stage
            stages[node] = keep
            moved = moved or keep != start
    return Pipeline(tuple(stages), tuple(last(node) for node in range(graph.nodes)), latency)
