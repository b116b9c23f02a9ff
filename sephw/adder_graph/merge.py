"""Merging of graphs into one with a block-diagonal matrix: the groups of a grouped layer."""

from __future__ import annotations

from collections.abc import Sequence

from sephw.adder_graph.graph import Adder, AdderGraph, Interval, Output


def merge(graphs: Sequence[AdderGraph]) -> AdderGraph:
    """One graph with the inputs and outputs of ``graphs`` in their order."""
    inputs: list[Interval] = []
    for graph in graphs:
        inputs.extend(graph.inputs)
    adders: list[Adder] = []
    outputs: list[Output] = []
    first = 0
    for graph in graphs:
        own = len(graph.inputs)
        place = [*range(first, first + own)]
        for adder in graph.adders:
            place.append(len(inputs) + len(adders))
            adders.append(
                Adder(
                    place[adder.left],
                    adder.left_shift,
                    place[adder.right],
                    adder.right_shift,
                    adder.subtract,
                )
            )
        outputs.extend(
            Output(None if o.node is None else place[o.node], o.shift, o.negate)
            for o in graph.outputs
        )
        first += own
    return AdderGraph(tuple(inputs), tuple(adders), tuple(outputs))
