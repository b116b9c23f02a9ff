"""In-place writes as values: a reader of a tensor after a write reads the write's result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from torch import fx

from sephw.errors import SephwError
from sephw.nn.binarize.call import Modules, describe
from sephw.nn.binarize.trace import CallEffects, Trace


@dataclass(frozen=True, eq=False)
class Values:
    """A graph without in-place writes, the ``shapes`` of its tensors and the traced call of
    each.
    """

    graph: fx.Graph
    shapes: Mapping[fx.Node, tuple[int, ...] | None]
    origins: Mapping[fx.Node, fx.Node]


def without_writes(trace: Trace, modules: Modules) -> Values:
    """The calls that the output needs, each name of a tensor bound to its last write.

    ``y.add_(z)``, ``y += z``, ``nn.ReLU(inplace=True)`` change every name of ``y``: the tensors
    that lie in the same memory. SephwError for writes into parameters and buffers, into another
    tensor than the result, and into views that hold part of a tensor.
    """
    graph, live = fx.Graph(), trace.live()
    latest: dict[fx.Node, fx.Node] = {}
    shapes: dict[fx.Node, tuple[int, ...] | None] = {}
    origins: dict[fx.Node, fx.Node] = {}
    for node in trace.graph.nodes:
        if node not in live:
            continue
        copy = graph.node_copy(node, lambda source: latest[source])
        seen = trace.seen.get(node, CallEffects(None, 0, frozenset()))
        latest[node], shapes[copy], origins[copy] = copy, seen.shape, node
        if not seen.changed:
            continue
        where = describe(node, modules)
        held = next((trace.parameters[s] for s in seen.changed if s in trace.parameters), None)
        if held is not None:
            raise SephwError(
                f"{where}: writes into '{held}' while it computes; the hardware's parameters are "
                "constants, leave it away"
            )
        if seen.changed != {seen.storage}:
            raise SephwError(
                f"{where}: writes into part of a tensor, or into another one; compute "
                "a new tensor instead"
            )
        for other in list(latest):
            of_other = trace.seen.get(other)
            if other is node or of_other is None or of_other.storage != seen.storage:
                continue
            latest[other] = copy
            if of_other.shape != seen.shape:
                latest[other] = _reshaped(graph, where, copy, seen.shape, of_other.shape)
                shapes[latest[other]], origins[latest[other]] = of_other.shape, node
    return Values(graph, shapes, origins)


def _reshaped(
    graph: fx.Graph,
    where: str,
    node: fx.Node,
    shape: tuple[int, ...] | None,
    other: tuple[int, ...] | None,
) -> fx.Node:
    """``node`` in the shape of another view of its memory, which has to hold the same images."""
    if shape is None or other is None or _lengths(shape) != _lengths(other):
        raise SephwError(
            f"{where}: writes into a view that another tensor sees in other sizes, {other}; "
            "compute a new tensor instead"
        )
    return graph.call_method("reshape", (node, *other))


def _lengths(shape: tuple[int, ...]) -> tuple[int, int]:
    """Images, and elements of each."""
    return shape[0], prod(shape[1:])
