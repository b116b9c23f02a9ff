"""Insert forks: afterwards every tensor has one reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import gcd

from sephw.errors import SephwError
from sephw.ir import Folding, Graph, Node, Tensor
from sephw.ops.fork import MAX_COPIES, Fork
from sephw.passes.insert_width_converters import input_lanes


@dataclass(frozen=True)
class Reads:
    """The tensors read once forks are inserted: by (node name, input number), and as outputs.

    ``readers``: of every tensor before that; being a graph output counts.
    """

    inputs: Mapping[tuple[str, int], str]
    outputs: tuple[str, ...]
    readers: Mapping[str, int]


def insert_forks(graph: Graph) -> Graph:
    """The same graph with a Fork behind every tensor that is read more than once.

    Being a graph output counts as a read. The copies of ``t`` are ``t_copy0``, ``t_copy1``, … in
    the order of their readers and keep its PyTorch module; beyond four copies, forks follow
    forks. A Fork has the lanes of what it reads; at a graph input, all channels.

    Raises SephwError where the name of a copy is taken.
    """
    tensors = dict(graph.tensors)
    reads = reads_of_copies(graph)
    nodes: list[Node] = []

    def add_forks(name: str) -> None:
        if reads.readers[name] > 1:
            source = tensors[name]
            made = input_lanes(source) if name in graph.inputs else graph.stream(name).lanes
            nodes.extend(_forks(source, reads.readers[name], fork_folding(source, made), tensors))

    for name in graph.inputs:
        add_forks(name)
    for node in graph.nodes:
        inputs = tuple(reads.inputs[node.name, i] for i in range(len(node.inputs)))
        nodes.append(replace(node, inputs=inputs))
        for name in node.outputs:
            add_forks(name)
    forked = replace(graph, nodes=tuple(nodes), tensors=tensors, outputs=reads.outputs)
    forked.validate()
    return forked


def reads_of_copies(graph: Graph) -> Reads:
    """The tensor that every input and graph output of ``graph`` reads once forks are inserted."""
    readers = Counter((*(t for node in graph.nodes for t in node.inputs), *graph.outputs))
    taken: Counter[str] = Counter()

    def name_of(tensor: str) -> str:
        if readers[tensor] == 1:
            return tensor
        taken[tensor] += 1
        return f"{tensor}_copy{taken[tensor] - 1}"

    inputs = {(n.name, i): name_of(t) for n in graph.nodes for i, t in enumerate(n.inputs)}
    return Reads(inputs, tuple(map(name_of, graph.outputs)), readers)


def fork_sizes(readers: int) -> tuple[int, ...]:
    """Copies that each fork makes, one fork behind the other, for so many readers; () for one."""
    sizes: list[int] = []
    while readers > 1:
        last = readers <= MAX_COPIES
        sizes.append(readers if last else MAX_COPIES)
        readers -= readers if last else MAX_COPIES - 1
    return tuple(sizes)


def fork_folding(source: Tensor, lanes: int) -> Folding:
    """The folding of forks behind ``source``, which is made with ``lanes`` lanes."""
    common = gcd(source.channels, lanes)
    return Folding(pe=common, simd=common)


def fork_of(source: Tensor, copies: int) -> Fork:
    """The operator that makes ``copies`` copies of ``source``."""
    return Fork(
        height=source.height,
        width=source.width,
        channels=source.channels,
        dtype=source.dtype,
        copies=copies,
    )


def link_name(source: Tensor, number: int) -> str:
    """The tensor from fork ``number`` behind ``source``, counted from 0, to the next fork."""
    return f"{source.name}_more{number}"


def _forks(
    source: Tensor, readers: int, folding: Folding, tensors: dict[str, Tensor]
) -> tuple[Node, ...]:
    """The fork (a chain of them beyond four copies) for ``readers`` readers of ``source``."""
    forks: list[Node] = []
    read, made = source, 0
    sizes = fork_sizes(readers)
    for i, size in enumerate(sizes):
        copies = size if i == len(sizes) - 1 else size - 1
        names = [f"{source.name}_copy{made + k}" for k in range(copies)]
        made += copies
        if copies < size:
            names.append(link_name(source, i))
        for name in names:
            if name in tensors:
                raise SephwError(f"graph: the tensor name '{name}' is taken; rename that layer")
            tensors[name] = replace(source, name=name)
        forks.append(
            Node(
                name=f"{source.name}_fork{i or ''}",
                module=source.module,
                operator=fork_of(source, size),
                inputs=(read.name,),
                outputs=tuple(names),
                folding=folding,
            )
        )
        read = tensors[names[-1]]
    return tuple(forks)
