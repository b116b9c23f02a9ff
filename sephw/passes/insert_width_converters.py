"""Insert width converters: afterwards both ends of every stream have the same lanes."""

from __future__ import annotations

from dataclasses import replace
from math import gcd

from sephw.errors import SephwError
from sephw.ir import Graph, Node, Tensor
from sephw.ops.width_converter import WidthConverter


def insert_width_converters(graph: Graph) -> Graph:
    """The same graph with a WidthConverter wherever a reader's lanes are not its producer's.

    Where neither lane count divides the other, two converters meet at their greatest common
    divisor. A graph input brings one pixel (all channels) a beat, one of weights what its reader
    reads; a graph output stays as made.
    The tensor behind a converter of ``t`` to n lanes is ``t_lanes<n>``, the node ``t_to_lanes<n>``.

    Raises SephwError for a tensor with several readers: insert forks before.
    """
    tensors = dict(graph.tensors)
    pixels = {name for name in graph.inputs if name not in graph.constants}
    nodes: list[Node] = []
    for node in graph.nodes:
        inputs = []
        streams = node.operator.input_streams(node.folding)
        for name, wanted in zip(node.inputs, streams, strict=True):
            if len(graph.consumers(name)) + graph.outputs.count(name) > 1:
                raise SephwError(f"graph: tensor '{name}' has several readers; insert forks first")
            made = input_lanes(tensors[name]) if name in pixels else graph.stream(name).lanes
            source = tensors[name]
            for before, behind in conversions(made, wanted.lanes):
                converter = _converter(source, before, behind)
                nodes.append(converter)
                source = replace(source, name=converter.outputs[0])
                if source.name in tensors:
                    raise SephwError(
                        f"graph: the tensor name '{source.name}' is taken; rename that layer"
                    )
                tensors[source.name] = source
            inputs.append(source.name)
        nodes.append(replace(node, inputs=tuple(inputs)))
    converted = graph.with_nodes(tuple(nodes), tensors)
    converted.validate()
    return converted


def input_lanes(tensor: Tensor) -> int:
    """Lanes of a graph input that brings pixels: all channels a beat."""
    return tensor.channels


def conversions(made: int, wanted: int) -> tuple[tuple[int, int], ...]:
    """(lanes before, lanes behind) of each converter from ``made`` to ``wanted`` lanes, in order.

    Where neither divides the other, two converters meet at the greatest common divisor.
    """
    if made == wanted:
        return ()
    common = gcd(made, wanted)
    return ((made, wanted),) if common in (made, wanted) else ((made, common), (common, wanted))


def converter_of(source: Tensor, lanes_in: int, lanes_out: int) -> WidthConverter:
    """The operator that converts ``source``."""
    return WidthConverter(
        height=source.height,
        width=source.width,
        channels=source.channels,
        dtype=source.dtype,
        lanes_in=lanes_in,
        lanes_out=lanes_out,
    )


def _converter(source: Tensor, lanes_in: int, lanes_out: int) -> Node:
    operator = converter_of(source, lanes_in, lanes_out)
    return Node(
        name=f"{source.name}_to_lanes{lanes_out}",
        module=source.module,
        operator=operator,
        inputs=(source.name,),
        outputs=(f"{source.name}_lanes{lanes_out}",),
        folding=operator.folding,
    )
