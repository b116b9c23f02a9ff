"""QONNX file → hardware graph. Scales end here: the graph holds integers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sephw.errors import SephwError
from sephw.files import reading
from sephw.frontend.builder import GraphBuilder, Layer
from sephw.frontend.call import NodeCall
from sephw.frontend.handler import dispatch
from sephw.frontend.handlers import HANDLERS
from sephw.frontend.join import join_output
from sephw.frontend.onnx_file import array_of, image_input, load_model
from sephw.frontend.scope import label_of, module_of
from sephw.frontend.values import Average, Constant, Curve, Image, Quantized, Sum, Unrolled, Value
from sephw.ir import Graph, IntType

_INPUT = "input"
_FUNCTIONS = ("Concat", "MaxPool")
# Where qonnx keeps operators on (N, H, W, C).
_CHANNELS_LAST = "qonnx.custom_op.channels_last"


@dataclass(frozen=True, eq=False)
class ReadResult:
    """The graph, and the tensors that torch, QONNX and the graph have in common."""

    graph: Graph
    layers: tuple[Layer, ...]


@dataclass(frozen=True, eq=False)
class PortableForms:
    """Forms of nodes that hold for any batch and tool, by their output in ONNX.

    ``pads``: (top, left, bottom, right) of a pool's windows, where none is rounded up. ``shapes``:
    targets of reshapes that keep the input's batch.
    """

    pads: Mapping[str, tuple[int, int, int, int]]
    shapes: Mapping[str, tuple[int, ...]]


def read_qonnx(path: Path) -> ReadResult:
    """Read a QONNX file as either torch exporter of Brevitas writes it.

    One uint8-like input (N, C, H, W), quantized first; one output. Raises SephwError naming the
    file, or the node (its PyTorch module where known) for anything that cannot be made exact.
    """
    return read_model(path, load_model(path))[0]


def read_model(path: Path, model: Any) -> tuple[ReadResult, PortableForms]:
    """Read a checked model; ``path`` is for errors and the graph's name. See `read_qonnx`."""
    with reading(str(path), "report the file as a defect of sephw"):
        return _read(path, model)


def _read(path: Path, model: Any) -> tuple[ReadResult, PortableForms]:
    image = image_input(path, model)
    graph = model.graph
    builder = GraphBuilder(batch=image.batch)
    builder.add_input(_INPUT, (image.height, image.width, image.channels), IntType(8, signed=False))
    values: dict[str, Value | None] = {
        tensor.name: Constant(array_of(str(path), tensor)) for tensor in graph.initializer
    }
    values[image.name] = Image()
    output = graph.output[0].name
    nodes = live_nodes(graph)
    _check_layout(nodes)
    modules = [module_of(node) for node in nodes]
    last_of = _last_nodes(modules)
    last: NodeCall | None = None
    for number, (node, module) in enumerate(zip(nodes, modules, strict=True)):
        # These may be functions inside of a module, whose output is what its last node makes.
        closes = node.op_type not in _FUNCTIONS or last_of.get(module) == number
        inputs = tuple(values.get(name) if name else None for name in node.input)
        call = NodeCall(builder, node, label_of(node), module if closes else "", inputs)
        values[node.output[0]] = dispatch(HANDLERS, call)
        last = call
    if last is None or last.output != output:
        raise SephwError(
            f"{path}: output '{output}' is not what a layer makes; export a network that computes "
            "something"
        )
    tensor = _make_output(path, last, values[output])
    if not builder.nodes:
        raise SephwError(
            f"{path}: output '{output}' is the image itself; export a network with layers"
        )
    read = ReadResult(builder.graph(path.stem, (_INPUT,), (tensor,)), tuple(builder.layers))
    return read, PortableForms(builder.pads, builder.shapes)


def _check_layout(nodes: Sequence[Any]) -> None:
    """SephwError naming the first node on (N, H, W, C), before what else is wrong is said."""
    for node in nodes:
        if node.domain == _CHANNELS_LAST:
            raise SephwError(
                f"{node.op_type} '{label_of(node)}': channels come last ({_CHANNELS_LAST}); export "
                "the network with channels first, (N, C, H, W)"
            )


def live_nodes(graph: Any) -> list[Any]:
    """The nodes that the output depends on, in the file's (topological) order."""
    wanted = {entry.name for entry in graph.output}
    found = []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted.update(name for name in node.input if name)
            found.append(node)
    return found[::-1]


def _make_output(path: Path, last: NodeCall, final: Value | None) -> str:
    """The output's tensor, marked as such; with a Join where it is a sum."""
    builder = last.builder
    if isinstance(final, Sum):
        return join_output(last, final)
    if isinstance(final, Quantized):
        exponents = np.full(builder.tensors[final.tensor].channels, final.exponent)
        builder.share(final.tensor, last.output, exponents, is_output=True)
        return final.tensor
    if isinstance(final, Average):
        raise last.inexact(final)
    if isinstance(final, Curve):
        raise SephwError(
            f"{path}: output '{last.output}' is what float32 rounds on the way; put a quantizer "
            "(Quant; sephw.nn.QuantReLU) behind it"
        )
    if isinstance(final, Unrolled):
        raise SephwError(
            f"{path}: output '{last.output}' is a flattened map; end the network with the map "
            "itself, without Flatten"
        )
    raise SephwError(
        f"{path}: output '{last.output}' does not depend on the image; export the network itself"
    )


def _last_nodes(modules: Sequence[str]) -> dict[str, int]:
    """The number of the last node of each module, those of modules within it counted."""
    last = {}
    for number, module in enumerate(modules):
        parts = module.split(".") if module else []
        for depth in range(len(parts)):
            last[".".join(parts[: depth + 1])] = number
    return last
