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
            made = tensors[name].channels if name in pixels else graph.stream(name).lanes
            source = tensors[name]
            for lanes in _steps(made, wanted.lanes):
                converter = _converter(source, made, lanes)
                nodes.append(converter)
                source = replace(source, name=converter.outputs[0])
                if source.name in tensors:
                    raise SephwError(
                        f"graph: the tensor name '{source.name}' is taken; rename that layer"
                    )
                tensors[source.name] = source
                made = lanes
            inputs.append(source.name)
        nodes.append(replace(node, inputs=tuple(inputs)))
    converted = graph.with_nodes(tuple(nodes), tensors)
    converted.validate()
    return converted


def _steps(made: int, wanted: int) -> tuple[int, ...]:
    """Lane counts to convert to, one after the other."""
    if made == wanted:
        return ()
    common = gcd(made, wanted)
    return (wanted,) if common in (made, wanted) else (common, wanted)


def _converter(source: Tensor, lanes_in: int, lanes_out: int) -> Node:
    operator = WidthConverter(
        height=source.height,
        width=source.width,
        channels=source.channels,
        dtype=source.dtype,
        lanes_in=lanes_in,
        lanes_out=lanes_out,
    )
    return Node(
        name=f"{source.name}_to_lanes{lanes_out}",
        module=source.module,
        operator=operator,
        inputs=(source.name,),
        outputs=(f"{source.name}_lanes{lanes_out}",),
        folding=operator.folding,
    )
