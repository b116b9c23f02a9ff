"""Seeded structural mutations of ONNX models: what a damaged or hostile file may hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, checker, helper, numpy_helper

Rng = np.random.Generator
_NUMBERS = [0, 1, 2, 3, 5, -1, -2, 7, 255, 1 << 16, 1 << 31, (1 << 63) - 1, -(1 << 63)]
_FLOATS = [0.0, 0.5, 1.0, -1.0, 3.5, 1e-40, 1e30, float("inf"), float("nan"), 2.0**-8, 1 / 3]
_NAMES = ["", "x", "input", "logits", "n\nl", "é", "a" * 300, "*/ `x", "..", "reg"]
_KINDS = [
    "Add",
    "AveragePool",
    "BipolarQuant",
    "Clip",
    "Concat",
    "Constant",
    "Conv",
    "Dropout",
    "Flatten",
    "Gemm",
    "GlobalAveragePool",
    "Identity",
    "If",
    "MatMul",
    "MaxPool",
    "Mul",
    "Quant",
    "ReduceMean",
    "ReduceSum",
    "Relu",
    "Reshape",
    "Squeeze",
    "Transpose",
    "Trunc",
    "",
]
_DOMAINS = ["", "ai.onnx", "qonnx.custom_op.general", "onnx.brevitas", "com.example"]


def mutated(model: onnx.ModelProto, seed: int) -> onnx.ModelProto | bytes:
    """A copy with one to three mutations; sometimes bytes that are no model any more."""
    rng = np.random.default_rng(seed)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for _ in range(int(rng.integers(1, 4))):
        try:
            _pick(rng, _MUTATIONS)(rng, copy)
        except (ValueError, TypeError, IndexError, OverflowError, checker.ValidationError):
            continue  # onnx itself refuses to hold that
    if rng.random() < 0.06:
        content = bytearray(copy.SerializeToString())
        for _ in range(int(rng.integers(1, 9))):
            content[int(rng.integers(len(content)))] = int(rng.integers(256))
        return bytes(content[: int(rng.integers(len(content)))] if rng.random() < 0.3 else content)
    return copy


def _pick(rng: Rng, values: Any) -> Any:
    return values[int(rng.integers(len(values)))]


def _node(rng: Rng, model: Any) -> Any:
    return _pick(rng, model.graph.node)


def _tensor(rng: Rng, model: Any) -> Any:
    return _pick(rng, model.graph.initializer)


def _any_name(rng: Rng, model: Any) -> str:
    graph = model.graph
    names = [n for node in graph.node for n in (*node.input, *node.output)]
    return str(_pick(rng, [*names, *(t.name for t in graph.initializer), *_NAMES]))


def _drop_node(rng: Rng, model: Any) -> None:
    del model.graph.node[int(rng.integers(len(model.graph.node)))]


def _repeat_node(rng: Rng, model: Any) -> None:
    model.graph.node.append(_node(rng, model))


def _swap_nodes(rng: Rng, model: Any) -> None:
    nodes = list(model.graph.node)
    i, j = rng.integers(len(nodes), size=2)
    nodes[i], nodes[j] = nodes[j], nodes[i]
    copies = [type(n).FromString(n.SerializeToString()) for n in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)


def _change_kind(rng: Rng, model: Any) -> None:
    _node(rng, model).op_type = _pick(rng, _KINDS)


def _change_domain(rng: Rng, model: Any) -> None:
    _node(rng, model).domain = _pick(rng, _DOMAINS)


def _rename_node(rng: Rng, model: Any) -> None:
    _node(rng, model).name = _pick(rng, _NAMES)


def _rewire(rng: Rng, model: Any) -> None:
    node = _node(rng, model)
    node.input[int(rng.integers(len(node.input)))] = _any_name(rng, model)


def _swap_inputs(rng: Rng, model: Any) -> None:
    node = _node(rng, model)
    i, j = rng.integers(len(node.input), size=2)
    node.input[i], node.input[j] = str(node.input[j]), str(node.input[i])


def _more_inputs(rng: Rng, model: Any) -> None:
    _node(rng, model).input.append(_any_name(rng, model))


def _fewer_inputs(rng: Rng, model: Any) -> None:
    del _node(rng, model).input[-1]


def _rename_output(rng: Rng, model: Any) -> None:
    node = _node(rng, model)
    node.output[0] = _any_name(rng, model)


def _more_outputs(rng: Rng, model: Any) -> None:
    _node(rng, model).output.append(_any_name(rng, model))


def _drop_attribute(rng: Rng, model: Any) -> None:
    node = _node(rng, model)
    del node.attribute[int(rng.integers(len(node.attribute)))]


def _repeat_attribute(rng: Rng, model: Any) -> None:
    node = _node(rng, model)
    node.attribute.append(_pick(rng, node.attribute))


def _change_attribute(rng: Rng, model: Any) -> None:
    attribute = _pick(rng, _node(rng, model).attribute)
    if attribute.type == AttributeProto.INTS and len(attribute.ints):
        attribute.ints[int(rng.integers(len(attribute.ints)))] = _pick(rng, _NUMBERS)
    elif attribute.type == AttributeProto.INTS or rng.random() < 0.2:
        attribute.ints.append(_pick(rng, _NUMBERS))
    elif attribute.type == AttributeProto.STRING:
        attribute.s = _pick(rng, [b"", b"\xff", b"CEIL", b"SAME_UPPER", b"VALID", b"x" * 999])
    elif attribute.type == AttributeProto.FLOAT:
        attribute.f = _pick(rng, _FLOATS)
    else:
        attribute.i = _pick(rng, _NUMBERS)


def _retype_attribute(rng: Rng, model: Any) -> None:
    _pick(rng, _node(rng, model).attribute).type = int(rng.integers(0, 15))


def _add_attribute(rng: Rng, model: Any) -> None:
    name = _pick(rng, ["axis", "auto_pad", "pads", "axes", "alpha", "seed", "ceil_mode", "value"])
    value = _pick(rng, [_pick(rng, _NUMBERS[:8]), 0.5, "SAME_LOWER", [1, 1], [0, 0, 1, 1]])
    _node(rng, model).attribute.append(helper.make_attribute(name, value))


def _drop_constant(rng: Rng, model: Any) -> None:
    del model.graph.initializer[int(rng.integers(len(model.graph.initializer)))]


def _resize_constant(rng: Rng, model: Any) -> None:
    tensor = _tensor(rng, model)
    if tensor.dims and rng.random() < 0.7:
        tensor.dims[int(rng.integers(len(tensor.dims)))] = _pick(rng, _NUMBERS)
    else:
        tensor.dims.append(_pick(rng, _NUMBERS))


def _retype_constant(rng: Rng, model: Any) -> None:
    _tensor(rng, model).data_type = int(rng.integers(0, 27))


def _cut_constant(rng: Rng, model: Any) -> None:
    tensor = _tensor(rng, model)
    tensor.raw_data = tensor.raw_data[: int(rng.integers(len(tensor.raw_data) + 1))]


def _recast_constant(rng: Rng, model: Any) -> None:
    tensor = _tensor(rng, model)
    kind = _pick(rng, [np.int64, np.int32, np.float64, np.float16, bool, np.uint8, np.complex64])
    data = numpy_helper.to_array(tensor).astype(kind)
    tensor.CopyFrom(numpy_helper.from_array(data, tensor.name))


def _reshape_constant(rng: Rng, model: Any) -> None:
    tensor = _tensor(rng, model)
    data = numpy_helper.to_array(tensor)
    shape = _pick(rng, [(-1,), (1, -1), (-1, 1), (1, 1, -1), (*data.shape, 1), (1, *data.shape)])
    tensor.CopyFrom(numpy_helper.from_array(data.reshape(shape), tensor.name))


def _fill_constant(rng: Rng, model: Any) -> None:
    tensor = _tensor(rng, model)
    data = np.array(numpy_helper.to_array(tensor))
    flat = data.reshape(-1)
    flat[int(rng.integers(len(flat)))] = _pick(rng, _FLOATS if data.dtype.kind == "f" else _NUMBERS)
    tensor.CopyFrom(numpy_helper.from_array(data, tensor.name))


def _scale_constant(rng: Rng, model: Any) -> None:
    tensor = _tensor(rng, model)
    data = numpy_helper.to_array(tensor)
    factor = _pick(rng, [2.0, 0.5, 3.0, -1.0, 2.0**40, 2.0**-60, 2.0**-140, 0.0])
    tensor.CopyFrom(numpy_helper.from_array((data * factor).astype(data.dtype), tensor.name))


def _externalize(rng: Rng, model: Any) -> None:
    tensor = _tensor(rng, model)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (
        ("location", _pick(rng, ["/etc/hostname", "../x", "absent", ".", ""])),
        ("offset", "0"),
        ("length", str(_pick(rng, _NUMBERS))),
    ):
        tensor.external_data.add(key=key, value=value)


def _resize_input(rng: Rng, model: Any) -> None:
    shape = model.graph.input[0].type.tensor_type.shape
    if rng.random() < 0.7:
        shape.dim[int(rng.integers(len(shape.dim)))].dim_value = _pick(rng, _NUMBERS)
    elif rng.random() < 0.5:
        del shape.dim[-1]
    else:
        shape.dim.add(dim_param="N")


def _retype_end(rng: Rng, model: Any) -> None:
    entry = _pick(rng, [*model.graph.input, *model.graph.output])
    if rng.random() < 0.2:
        entry.type.sequence_type.elem_type.tensor_type.elem_type = 1
    entry.type.tensor_type.elem_type = int(rng.integers(0, 27))


def _rename_end(rng: Rng, model: Any) -> None:
    _pick(rng, [*model.graph.input, *model.graph.output]).name = _any_name(rng, model)


def _more_ends(rng: Rng, model: Any) -> None:
    field = _pick(rng, [model.graph.input, model.graph.output])
    entry = field.add()
    entry.CopyFrom(field[0])
    entry.name = _any_name(rng, model)


def _drop_end(rng: Rng, model: Any) -> None:
    del _pick(rng, [model.graph.input, model.graph.output])[0]


def _change_opset(rng: Rng, model: Any) -> None:
    entry = _pick(rng, model.opset_import)
    entry.version = int(_pick(rng, [*range(1, 27), *_NUMBERS]))
    if rng.random() < 0.2:
        entry.domain = _pick(rng, _DOMAINS)


def _drop_opset(rng: Rng, model: Any) -> None:
    del model.opset_import[int(rng.integers(len(model.opset_import)))]


def _change_version(rng: Rng, model: Any) -> None:
    model.ir_version = _pick(rng, [*range(14), *_NUMBERS])


def _wrong_value_info(rng: Rng, model: Any) -> None:
    name = _any_name(rng, model)
    model.graph.value_info.append(helper.make_tensor_value_info(name, 1, (3, 1, 4)))


def _scopes(rng: Rng, model: Any) -> None:
    value = _pick(rng, ["", "[", "['a', 'b']", "3", "['', '\\n*/']", "[" * 500, "[1, 2]", "None"])
    _node(rng, model).metadata_props.add(key="pkg.torch.onnx.name_scopes", value=value)


def _odd_parts(rng: Rng, model: Any) -> None:
    part = _pick(rng, ["functions", "sparse", "training", "graph", "annotation"])
    if part == "functions":
        model.functions.add(name="Conv", domain="")
    elif part == "sparse":
        model.graph.sparse_initializer.add().values.name = "s"
    elif part == "training":
        model.training_info.add()
    elif part == "graph":
        content = model.graph.SerializeToString()
        attribute = _node(rng, model).attribute.add(name="body", type=AttributeProto.GRAPH)
        attribute.g.ParseFromString(content)
    else:
        model.graph.quantization_annotation.add(tensor_name="x")


_MUTATIONS: list[Callable[[Rng, Any], None]] = [
    _drop_node,
    _repeat_node,
    _swap_nodes,
    _change_kind,
    _change_domain,
    _rename_node,
    _rewire,
    _swap_inputs,
    _more_inputs,
    _fewer_inputs,
    _rename_output,
    _more_outputs,
    _drop_attribute,
    _repeat_attribute,
    _change_attribute,
    _change_attribute,
    _change_attribute,
    _retype_attribute,
    _add_attribute,
    _drop_constant,
    _resize_constant,
    _retype_constant,
    _cut_constant,
    _recast_constant,
    _reshape_constant,
    _fill_constant,
    _fill_constant,
    _scale_constant,
    _externalize,
    _resize_input,
    _retype_end,
    _rename_end,
    _more_ends,
    _drop_end,
    _change_opset,
    _drop_opset,
    _change_version,
    _wrong_value_info,
    _scopes,
    _odd_parts,
]
