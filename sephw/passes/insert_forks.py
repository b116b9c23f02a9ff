"""Insert forks: afterwards every tensor has one reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import gcd

from sephw.errors import SephwError
from sephw.ir import Folding, Graph, Node, Tensor
from sephw.ops.fork import MAX_COPIES, Fork


def insert_forks(graph: Graph) -> Graph:
    """The same graph with a Fork behind every tensor that is read more than once.

    Being a graph output counts as a read. The copies of ``t`` are ``t_copy0``, ``t_copy1``, … in
    the order of their readers and keep its PyTorch module; beyond four copies, forks follow
    forks. A Fork has the lanes of what it reads; at a graph input, all channels.
    """
    tensors = dict(graph.tensors)
    readers = _reader_counts(graph)
    copies: dict[str, Iterator[str]] = {}
    nodes: list[Node] = []

    def add_forks(name: str) -> None:
        if readers.get(name, 0) > 1:
            lanes = tensors[name].channels
            if name not in graph.inputs:
                lanes = gcd(lanes, graph.stream(name).lanes)
            forks = _forks(tensors[name], readers[name], Folding(pe=lanes, simd=lanes), tensors)
            nodes.extend(forks)
            leaves = {t for f in forks for t in f.outputs} - {f.inputs[0] for f in forks}
            copies[name] = iter(t for f in forks for t in f.outputs if t in leaves)

    for name in graph.inputs:
        add_forks(name)
    for node in graph.nodes:
        inputs = tuple(next(copies[t]) if t in copies else t for t in node.inputs)
        nodes.append(replace(node, inputs=inputs))
        for name in node.outputs:
            add_forks(name)
    outputs = tuple(next(copies[t]) if t in copies else t for t in graph.outputs)
    forked = replace(graph, nodes=tuple(nodes), tensors=tensors, outputs=outputs)
    forked.validate()
    return forked


def _reader_counts(graph: Graph) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in (*(t for node in graph.nodes for t in node.inputs), *graph.outputs):
        counts[name] = counts.get(name, 0) + 1
    return counts


def _forks(
    source: Tensor, count: int, folding: Folding, tensors: dict[str, Tensor]
) -> tuple[Node, ...]:
    """The fork (a chain of them beyond four copies) that makes ``count`` copies of ``source``."""
    forks: list[Node] = []
    left, read, made = count, source, 0
    while left:
        last = left <= MAX_COPIES
        names = [f"{source.name}_copy{made + i}" for i in range(left if last else MAX_COPIES - 1)]
        made += len(names)
        left -= len(names)
        if not last:
            names.append(f"{source.name}_more{len(forks)}")
        for name in names:
            if name in tensors:
                raise SephwError(f"graph: the tensor name '{name}' is taken; rename that layer")
            tensors[name] = replace(source, name=name)
        forks.append(
            Node(
                name=f"{source.name}_fork{len(forks) or ''}",
                module=source.module,
                operator=Fork(
                    height=source.height,
                    width=source.width,
                    channels=source.channels,
                    dtype=source.dtype,
                    copies=len(names),
                ),
                inputs=(read.name,),
                outputs=tuple(names),
                folding=folding,
            )
        )
        read = tensors[names[-1]]
    return tuple(forks)
