"""Fold: give every node its time sharing, by name or by a budget of cycles per frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches

from sephw.errors import UsageError
from sephw.ir import Folding, Graph, Node

DEFAULT_FRAME_CYCLES = 32768


def fold(
    graph: Graph,
    foldings: Mapping[str, Folding],
    frame_cycles: int = DEFAULT_FRAME_CYCLES,
) -> Graph:
    """The same graph with every node folded.

    Nodes named in ``foldings`` get that folding. The others get the smallest pe·simd that takes
    at most ``frame_cycles`` cycles per frame, or the fastest legal one where none does; an
    operator that follows its reader takes the reader's lanes (whole windows for one that reads
    whole windows) where it is fast enough with them.

    A named folding may leave pe and simd at 0 where its engine takes all lanes.

    Raises UsageError for a name that no node has, or a budget below 1; SephwError for an illegal
    folding, naming the PyTorch module and the legal values.
    """
    if frame_cycles < 1:
        raise UsageError(f"folding: frame_cycles={frame_cycles}; it must be at least 1")
    _check_names(graph, foldings)
    chosen: dict[str, Folding] = {}
    # Readers first: what follows a reader needs to know its lanes.
    for node in reversed(graph.nodes):
        if node.name in foldings:
            folding = _all_lanes(node, foldings[node.name])
            node.operator.check_folding(folding, node.where)
            chosen[node.name] = folding
        else:
            chosen[node.name] = _reader_lanes(
                graph, node, chosen, frame_cycles
            ) or smallest_folding(node, frame_cycles)
    nodes = tuple(replace(node, folding=chosen[node.name]) for node in graph.nodes)
    folded = graph.with_nodes(nodes, graph.tensors)
    folded.validate()
    return folded


def smallest_folding(node: Node, frame_cycles: int) -> Folding:
    """The smallest legal pe·simd within ``frame_cycles`` per frame, else the fastest."""
    operator = node.operator
    legal = operator.legal_foldings()
    cycles = {f: operator.frame_cycles(f) for f in legal}
    # legal_foldings() lists the preferred one first among equals, and min() keeps the first.
    within = [f for f in legal if cycles[f] <= frame_cycles]
    if within:
        return min(within, key=lambda f: f.pe * f.simd)
    return min(legal, key=lambda f: (cycles[f], f.pe * f.simd))


def _reader_lanes(
    graph: Graph, node: Node, chosen: Mapping[str, Folding], frame_cycles: int
) -> Folding | None:
    """The reader's lanes for a node with one reader that it follows; None where they do not fit."""
    readers = graph.consumers(node.outputs[0])
    if not node.operator.follows_reader or len(readers) != 1:
        return None
    reader = readers[0]
    port = reader.inputs.index(node.outputs[0])
    lanes = reader.operator.input_streams(chosen[reader.name])[port].lanes
    operator = node.operator
    same = [
        f
        for f in (*operator.legal_foldings(), *operator.further_foldings())
        if operator.output_streams(f)[0].lanes == lanes
    ]
    if not same:
        return None
    folding = same[0]
    budget = max(frame_cycles, reader.operator.frame_cycles(chosen[reader.name]))
    return folding if node.operator.frame_cycles(folding) <= budget else None


def _all_lanes(node: Node, folding: Folding) -> Folding:
    """``folding``, with all lanes where its engine takes these and it names none."""
    engine = folding.engine
    if not engine.whole_window or folding.pe or folding.simd:
        return folding
    found = (f for f in node.operator.further_foldings() if f.engine.family == engine.family)
    return next((replace(folding, pe=f.pe, simd=f.simd) for f in found), folding)


def _check_names(graph: Graph, foldings: Mapping[str, Folding]) -> None:
    names = [node.name for node in graph.nodes]
    for name in foldings:
        if name not in names:
            close = get_close_matches(name, names, n=3) or names[:3]
            listing = ", ".join(f"'{n}'" for n in close)
            raise UsageError(
                f"folding: the graph has no node '{name}'; close names: {listing}; "
                "graph.json lists them all"
            )
