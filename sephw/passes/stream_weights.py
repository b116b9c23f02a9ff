"""Gives each engine whose folding streams its weights a further graph input for them.

Where a word of weights serves a tile of several pixels, buffers surround the engine: node ``n`` of
tensor ``t`` reads ``n_windows`` and ``n_words`` from the nodes of these names and makes ``n_sums``,
which the node ``n_tiles`` reorders to ``t``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sephw.errors import SephwError
from sephw.ir import Folding, Graph, Node, Operator, Tensor, Work
from sephw.ops.convolution import FoldedConvolution, streaming

Placed = tuple[Operator, Folding]


def stream_weights(graph: Graph, bandwidth_bits: int | None = None) -> Graph:
    """The same graph with convolutions `streamed` wherever their foldings stream weights.

    The new input of node ``n`` is ``n_weights``; runs behind fold, forks and width converters.
    ``bandwidth_bits``: what the memory behind these inputs gives, bits per clock cycle; None: as
    much as is taken. Each stream gets the part of it that its traffic is of all traffic, no more
    than it needs: its words come evenly spread over the frame interval, which is as long as the
    slowest engine takes, or as the memory takes for all weights of a frame. Those of tiles come
    over that part of it in which their buffer reads.

    Raises SephwError where the name of a new input is taken.
    """
    tensors = dict(graph.tensors)
    nodes: list[Node] = []
    demands: dict[str, int] = {}
    for node in graph.nodes:
        known = any(values is not None for values in node.operator.constant_inputs)
        convolution = streaming(node.operator, node.folding)
        if known or convolution is None:
            nodes.append(node)
            continue
        weights = f"{node.name}_weights"
        buffers = buffers_around(node.operator, node.folding)
        if buffers:
            made, new = _tiled(node, convolution, buffers, weights)
        else:
            made, new = _streamed(node, convolution, weights)
        for tensor in new:
            if tensor.name in tensors:
                raise SephwError(
                    f"{node.where}: the tensor name '{tensor.name}' is taken; rename that layer"
                )
            tensors[tensor.name] = tensor
        nodes += made
        demands[weights] = convolution.demand_bits(node.folding)
    streamed = replace(graph, nodes=tuple(nodes), tensors=tensors, inputs=(*graph.inputs, *demands))
    if demands and bandwidth_bits is not None:
        streamed = _paced(streamed, demands, bandwidth_bits)
    streamed.validate()
    return streamed


def buffers_around(
    operator: Operator, folding: Folding, *, known: bool = True
) -> tuple[Placed, ...]:
    """The buffers around ``operator`` once its weights are streamed, each with its folding.

    Before input 0, before the weights, behind the output; none where ``folding`` has tiles of one
    pixel. ``known``: see `FoldedConvolution.tile_buffers`.
    """
    convolution = streaming(operator, folding)
    buffers = () if convolution is None else convolution.tile_buffers(folding, known=known)
    return tuple((buffer, buffer.legal_foldings()[0]) for buffer in buffers)


def _streamed(
    node: Node, convolution: FoldedConvolution, weights: str
) -> tuple[list[Node], list[Tensor]]:
    """(the node with one more input, new tensors)."""
    operator = convolution.streamed(node.folding)
    made = replace(node, operator=operator, inputs=(*node.inputs, weights))
    return [made], [_tensor(weights, operator, 1, node)]


def _tiled(
    node: Node, convolution: FoldedConvolution, buffers: Sequence[Placed], weights: str
) -> tuple[list[Node], list[Tensor]]:
    """(the node between its buffers, new tensors)."""
    operator = convolution.streamed(node.folding)
    (source,), (result,) = node.inputs, node.outputs
    windows, words, sums = (f"{node.name}_{end}" for end in ("windows", "words", "sums"))
    names = (windows, words, f"{node.name}_tiles")
    ends = ((source, windows), (weights, words), (sums, result))
    before, beside, behind = (
        Node(name, node.module, buffer, (read,), (made,), folding)
        for name, (buffer, folding), (read, made) in zip(names, buffers, ends, strict=True)
    )
    between = replace(node, operator=operator, inputs=(windows, words), outputs=(sums,))
    shape, dtype = operator.output_shapes[0], operator.output_types[0]
    new = [
        _tensor(weights, beside.operator, 0, node),
        _tensor(windows, operator, 0),
        _tensor(words, operator, 1),
        Tensor(sums, *shape, dtype),
    ]
    return [before, beside, between, behind], new


def _tensor(name: str, reader: Operator, port: int, node: Node | None = None) -> Tensor:
    """The tensor that ``port`` of ``reader`` reads, an output of the module of ``node``."""
    shape, dtype = reader.input_shapes[port], reader.input_types[port]
    return Tensor(name, *shape, dtype, "" if node is None else node.module)


def weight_traffic_bits(graph: Graph) -> dict[str, int]:
    """Bits per frame of every weight input, by tensor."""
    return {
        name: graph.tensors[name].elements * graph.tensors[name].dtype.bits
        for name in graph.constants
    }


def weight_readers(graph: Graph) -> dict[str, Node]:
    """The node that computes with each weight input, by tensor."""
    readers = {}
    for name in graph.constants:
        (node,) = graph.consumers(name)
        while node.operator.work == Work():  # a buffer
            (node,) = graph.consumers(node.outputs[0])
        readers[name] = node
    return readers


def _paced(graph: Graph, demands: Mapping[str, int], bandwidth_bits: int) -> Graph:
    """With the pace of each input of ``demands``, bits a frame interval by tensor."""
    streams = [graph.stream(t).words for t in (*graph.inputs, *graph.outputs)]
    engines = [node.operator.frame_cycles(node.folding) for node in graph.nodes]
    cycles = max(-(-sum(demands.values()) // bandwidth_bits), *streams, *engines)
    paced = {}
    for name, demand in demands.items():
        beats = demand // graph.stream(name).width_bits
        paced[name] = replace(graph.tensors[name], source_beats=beats, source_cycles=cycles)
    return graph.with_nodes(graph.nodes, {**graph.tensors, **paced})
