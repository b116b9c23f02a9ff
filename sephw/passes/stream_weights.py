"""Give each engine whose folding streams its weights a further graph input that brings them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sephw.errors import SephwError
from sephw.ir import Graph, Node, Tensor, WeightPlace


def stream_weights(graph: Graph, bandwidth_bits: int | None = None) -> Graph:
    """The same graph with ``Operator.streamed`` wherever a folding has its weights in a stream.

    The new input of node ``n`` is ``n_weights``; runs behind fold, forks and width converters.
    ``bandwidth_bits``: what the memory behind these inputs gives, bits per clock cycle; None: as
    much as is taken. Each stream gets the part of it that its traffic is of all traffic, no more
    than it needs: its words come evenly spread over the frame interval, which is as long as the
    slowest engine takes, or as the memory takes for all weights of a frame.

    Raises SephwError where the name of a new input is taken.
    """
    tensors = dict(graph.tensors)
    nodes: list[Node] = []
    added: list[str] = []
    for node in graph.nodes:
        known = any(values is not None for values in node.operator.constant_inputs)
        if known or node.folding.weights is not WeightPlace.STREAM:
            nodes.append(node)
            continue
        operator = node.operator.streamed(node.folding)
        name = f"{node.name}_weights"
        if name in tensors:
            raise SephwError(f"{node.where}: the tensor name '{name}' is taken; rename that layer")
        tensors[name] = Tensor(
            name, *operator.input_shapes[-1], operator.input_types[-1], node.module
        )
        nodes.append(replace(node, operator=operator, inputs=(*node.inputs, name)))
        added.append(name)
    streamed = replace(
        graph, nodes=tuple(nodes), tensors=tensors, inputs=(*graph.inputs, *added)
    )  # fmt: skip
    if added and bandwidth_bits is not None:
        streamed = _paced(streamed, added, bandwidth_bits)
    streamed.validate()
    return streamed


def weight_traffic_bits(graph: Graph) -> dict[str, int]:
    """Bits a frame of every input that brings weights, by tensor."""
    return {
        name: graph.tensors[name].elements * graph.tensors[name].dtype.bits
        for name in graph.constants
    }


def _paced(graph: Graph, added: Sequence[str], bandwidth_bits: int) -> Graph:
    traffic = sum(weight_traffic_bits(graph).values())
    streams = [graph.stream(t).words for t in (*graph.inputs, *graph.outputs)]
    engines = [node.operator.frame_cycles(node.folding) for node in graph.nodes]
    cycles = max(-(-traffic // bandwidth_bits), *streams, *engines)
    paced = {name: replace(graph.tensors[name], source_cycles=cycles) for name in added}
    return graph.with_nodes(graph.nodes, {**graph.tensors, **paced})
