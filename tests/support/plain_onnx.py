"""What onnxruntime makes of a QONNX file by itself: an independent reference for the reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from qonnx.custom_op.general.bipolar_quant import binary_quant
from qonnx.custom_op.general.quant import quant

from sephw.errors import SephwError
from sephw.frontend import capture_qonnx, copy_qonnx, read_qonnx

onnxruntime.set_default_logger_severity(4)
# What is added before which operator; of what is not negative.
_ROUNDERS = {
    "FLOOR": (0.0, "Floor"),
    "DOWN": (0.0, "Floor"),
    "CEIL": (0.0, "Ceil"),
    "UP": (0.0, "Ceil"),
    "ROUND": (0.0, "Round"),
    "HALF_EVEN": (0.0, "Round"),
    "HALF_UP": (0.5, "Floor"),
    "HALF_DOWN": (-0.5, "Ceil"),
}


def plain(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` with QONNX' quantizers as standard nodes, or as constants where they quantize one.

    Constants are quantized by qonnx' own functions.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.node[:]
    del made.graph.value_info[:]
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    for node in model.graph.node:
        if node.op_type not in ("Quant", "IntQuant", "BipolarQuant"):
            made.graph.node.append(node)
        elif node.input[0] in constants:
            data = _quantized(node, [constants[name] for name in node.input])
            constants[node.output[0]] = data
            made.graph.initializer.append(numpy_helper.from_array(data, node.output[0]))
        else:
            made.graph.node.extend(_standard(node, constants))
    for node in made.graph.node:
        node.name = ""  # Of two with one name onnxruntime takes neither.
    return made


def run_plain(model: onnx.ModelProto, images: Any) -> Any:
    """The output for uint8-like images (N, H, W, C), one session, one image at a time."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(plain(model).SerializeToString(), options)
    name = session.get_inputs()[0].name
    values = images.transpose(0, 3, 1, 2).astype(np.float32) / 256
    return np.stack([session.run(None, {name: value[None]})[0] for value in values])


def outcome(model: onnx.ModelProto, folder: Path, seed: int = 0) -> str:
    """Copy, read and compare ``model`` with what onnxruntime makes of the file that was given.

    "exact", "mismatch", or the one line that refuses it. Of what is exact the copy is what
    `check_written` wants, and every layer is what qonnx' executor has.
    """
    source, copied = folder / "given.onnx", folder / "copy.onnx"
    onnx.save(model, source)
    try:
        read = copy_qonnx(source, copied)
    except SephwError as error:
        return str(error)
    graph = read.graph
    again = read_qonnx(copied).graph
    assert [(n.name, n.module) for n in again.nodes] == [(n.name, n.module) for n in graph.nodes]
    shape = graph.tensors[graph.inputs[0]].shape
    images = np.random.default_rng(seed).integers(0, 256, (3, *shape))
    images[0] = 255
    values = graph.run(images)
    (layer,) = (layer for layer in read.layers if layer.is_output)
    found = values[layer.tensor] * np.exp2(-layer.exponents.astype(float))
    flat = found.transpose(0, 3, 1, 2).reshape(len(images), -1)
    own = capture_qonnx(copied, read.layers, images)
    equal = all(np.array_equal(own[one.tensor], values[one.tensor]) for one in read.layers)
    for file in (model, onnx.load(copied)):
        equal &= np.array_equal(flat, run_plain(file, images).reshape(flat.shape))
    check_written(copied)
    return "exact" if equal else "mismatch"


def check_written(path: Path) -> None:
    """onnx' full checker and strict inference take the file, and give the shapes that it has.

    The quantizers are spelled out, so that nothing is left that onnx does not know.
    """
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(path)
    spelled = plain(model)
    onnx.checker.check_model(spelled, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(spelled, strict_mode=True, data_prop=True)
    shapes, said = (
        {e.name: _sizes(e) for e in (*graph.value_info, *graph.output)}
        for graph in (inferred.graph, model.graph)
    )
    assert said and all(shapes[name] == sizes for name, sizes in said.items() if name in shapes)
    named = set(said)
    assert named.issuperset(name for node in model.graph.node for name in node.output if name)


def _sizes(entry: Any) -> list[int]:
    """Of each axis; 0: any."""
    return [dim.dim_value for dim in entry.type.tensor_type.shape.dim]


def _quantized(node: Any, inputs: list[Any]) -> Any:
    if node.op_type == "BipolarQuant":
        return np.asarray(binary_quant(*inputs), np.float32)
    found = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    mode = found["rounding_mode"].decode()
    return np.asarray(quant(*inputs, found["signed"], found["narrow"], mode), np.float32)


def _standard(node: Any, constants: dict[str, Any]) -> list[Any]:
    """Quant of an activation, unsigned and of zero point 0."""
    found = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    bits = float(constants[node.input[3]].reshape(()))
    top = 2**bits - 1 - found["narrow"]
    name = node.output[0]
    parts = [f"{name}/{i}" for i in range(4)]
    added, rounder = _ROUNDERS[found.get("rounding_mode", b"ROUND").decode().upper()]
    ends = [
        helper.make_tensor(f"{name}/c{i}", TensorProto.FLOAT, (), [v])
        for i, v in enumerate((0.0, top, added))
    ]
    return [
        *(helper.make_node("Constant", [], [end.name], value=end) for end in ends),
        helper.make_node("Div", [node.input[0], node.input[1]], [parts[0]]),
        helper.make_node("Max", [parts[0], ends[0].name], [f"{name}/m"]),
        helper.make_node("Min", [f"{name}/m", ends[1].name], [parts[1]]),
        helper.make_node("Add", [parts[1], ends[2].name], [parts[2]]),
        helper.make_node(rounder, [parts[2]], [parts[3]]),
        helper.make_node("Mul", [parts[3], node.input[1]], [name]),
    ]
