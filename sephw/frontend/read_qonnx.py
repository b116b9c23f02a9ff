"""QONNX file → hardware graph. Scales end here: what leaves is integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sephw.errors import SephwError
from sephw.frontend.builder import Builder, Layer
from sephw.frontend.call import Call
from sephw.frontend.handlers import HANDLERS
from sephw.frontend.join import join_logits
from sephw.frontend.scope import module_of
from sephw.frontend.values import Average, Constant, Quantized, Sum, Value
from sephw.ir import Graph, IntType


@dataclass(frozen=True, eq=False)
class ReadResult:
    """The graph, and the tensors that torch, QONNX and the graph have in common."""

    graph: Graph
    layers: tuple[Layer, ...]


def read_qonnx(path: Path) -> ReadResult:
    """Read a QONNX file as either torch exporter of Brevitas writes it.

    One uint8-like input (N, C, H, W), quantized first; one output. Raises SephwError naming the
    node (its PyTorch module where known) for anything that cannot be made exact.
    """
    import onnx

    if not path.is_file():
        raise SephwError(f"'{path}': no such file")
    try:
        model = onnx.load(str(path))
    except Exception as error:
        raise SephwError(f"'{path}': not an ONNX file") from error
    graph = model.graph
    initializers = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    inputs = [i for i in graph.input if i.name not in initializers]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise SephwError(
            f"'{path}': {len(inputs)} inputs and {len(graph.output)} outputs; one of each"
        )
    dims = [d.dim_value for d in inputs[0].type.tensor_type.shape.dim]
    if len(dims) != 4:
        raise SephwError(f"'{path}': input '{inputs[0].name}' must be (N, C, H, W), not {dims}")
    builder = Builder()
    builder.add_input("input", (dims[2], dims[3], dims[1]), IntType(8, signed=False))
    values: dict[str, Value | None] = {n: Constant(a) for n, a in initializers.items()}
    values[inputs[0].name] = None
    last: Call | None = None
    last_of = _last_nodes([module_of(node) for node in graph.node])
    for number, node in enumerate(graph.node):
        if node.op_type == "Constant":
            data = onnx.helper.get_attribute_value(node.attribute[0])
            values[node.output[0]] = Constant(onnx.numpy_helper.to_array(data))
            continue
        handler = HANDLERS.get(node.op_type)
        module = module_of(node)
        if handler is None:
            raise SephwError(
                f"{node.op_type} '{module or node.name}': not supported; supported: "
                + ", ".join(sorted(HANDLERS))
            )
        call = Call(
            builder,
            node,
            module,
            tuple(values[name] if name else None for name in node.input),
            {a.name: _attribute(onnx, a) for a in node.attribute},
            closes_module=last_of.get(module) == number,
        )
        if call.values and call.values[0] is None and node.op_type != "Quant":
            raise SephwError(
                f"{call.where}: reads the input before it is quantized; start with a Quant"
            )
        values[node.output[0]] = handler(call)
        last = call
    assert last is not None
    name = graph.output[0].name
    if last.output != name:
        raise SephwError(f"'{path}': output '{name}' is not made by the last node")
    final = values[name]
    if isinstance(final, Sum):
        output = join_logits(last, final)
    elif isinstance(final, Quantized):
        output = final.tensor
    elif isinstance(final, Average):
        raise last.inexact(final)
    else:
        raise SephwError(f"'{path}': the output is a constant")
    return ReadResult(builder.graph(path.stem, ("input",), (output,)), tuple(builder.layers))


def _last_nodes(modules: Sequence[str]) -> dict[str, int]:
    """The number of the last node of each module, those of modules within it counted."""
    last = {}
    for number, module in enumerate(modules):
        parts = module.split(".") if module else []
        for depth in range(len(parts)):
            last[".".join(parts[: depth + 1])] = number
    return last


def _attribute(onnx: Any, attribute: Any) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    return np.asarray(value).tolist() if isinstance(value, list) else value
