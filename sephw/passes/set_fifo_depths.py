"""Set FIFO depths: user-given ones replace the computed ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches

from sephw.errors import UsageError
from sephw.ir import Graph


def set_fifo_depths(graph: Graph, depths: Mapping[str, int]) -> Graph:
    """The same graph with `depths`, in beats, by tensor.

    Raises UsageError for a name that no tensor between engines has, listing close ones. Whether the
    network still runs is checked by the cycle simulation.
    """
    made = [name for node in graph.nodes for name in node.outputs]
    for name in depths:
        if name not in made:
            close = get_close_matches(name, made, n=3) or made[:3]
            listing = ", ".join(f"'{n}'" for n in close)
            raise UsageError(
                f"folding: no engine has the output FIFO '{name}'; close names: {listing}; "
                "graph.json lists them all"
            )
    tensors = {
        name: replace(tensor, fifo_depth=depths.get(name, tensor.fifo_depth))
        for name, tensor in graph.tensors.items()
    }
    return graph.with_nodes(graph.nodes, tensors)
