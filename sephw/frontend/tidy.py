"""The model file of an export: self-contained, readably named, accepted by every tool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx

from sephw.files import reading
from sephw.frontend.onnx_file import ONNX_DOMAINS, QUANT_DOMAINS
from sephw.frontend.read_qonnx import PortableForms, ReadResult, read_model
from sephw.frontend.scope import SCOPES, label_of, module_of
from sephw.frontend.walk import live_nodes


def write_tidy(source: Path, model: Any, target: Path) -> ReadResult:
    """Save ``model``, which is changed, to ``target``; returns what the reader makes of it.

    Nodes that the output does not need are left out, names come from PyTorch modules or else the
    file's own, windows are padded instead of rounded up, reshapes keep the batch, shapes are
    inferred, traces of where it was made are gone. The file passes onnx' full checker and strict
    shape inference. Raises SephwError, before any of that, for what the reader refuses; ``source``
    names the file in errors.
    """
    with reading(str(source), "export it again", failed="cannot be written as QONNX"):
        _keep_needed(model.graph)
        _forget_origin(model)
        _unify_domains(model)
        name_after_modules(model)
        read, restated = read_model(source, model)
        _restate(model.graph, restated)
        infer_shapes(model)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, str(target))
    return read


def _keep_needed(graph: Any) -> None:
    nodes = [_copy(node) for node in live_nodes(graph)]
    _replace(graph.node, nodes)
    read = {name for node in nodes for name in node.input}
    ends = {entry.name for entry in graph.output}
    _replace(graph.initializer, [_copy(t) for t in graph.initializer if t.name in read | ends])
    constants = {tensor.name for tensor in graph.initializer}
    _replace(graph.input, [_copy(entry) for entry in graph.input if entry.name not in constants])
    del graph.value_info[:]
    del graph.quantization_annotation[:]
    for entry in graph.output:
        entry.type.tensor_type.ClearField("shape")


def _forget_origin(model: Any) -> None:
    """Metadata holds stack traces with paths of the machine that exported; scopes stay."""
    graph = model.graph
    for node in graph.node:
        module = module_of(node)
        del node.metadata_props[:]
        node.ClearField("doc_string")
        if module:
            node.metadata_props.add(key=SCOPES, value=repr([module, ""]))
    for part in (model, graph, *graph.initializer, *graph.input, *graph.output):
        del part.metadata_props[:]
        part.ClearField("doc_string")


def _unify_domains(model: Any) -> None:
    """One name for each domain: ONNX' own, and that of QONNX' operators in its first version."""
    (version,) = (e.version for e in model.opset_import if e.domain in ONNX_DOMAINS)
    for node in model.graph.node:
        if node.domain in ONNX_DOMAINS:
            node.domain = ""
        elif node.domain in QUANT_DOMAINS:
            node.domain = QUANT_DOMAINS[0]
    others = sorted({node.domain for node in model.graph.node} - {""})
    opsets = [("", version), *((domain, 1) for domain in others)]
    _replace(model.opset_import, [onnx.helper.make_opsetid(*opset) for opset in opsets])


def name_after_modules(model: Any) -> None:
    """Rename nodes and tensors after the PyTorch modules they come from, in place.

    The exporters leave generated, partly random names; these are readable and the same every time.
    A node without a module keeps its own name. The graph's inputs and outputs keep theirs.
    """
    graph = model.graph
    renamed = {entry.name: entry.name for entry in (*graph.input, *graph.output)}
    taken: set[str] = set(renamed.values())

    numbers: dict[str, int] = {}

    def unique(base: str) -> str:
        name = base
        while name in taken:
            numbers[base] = numbers.get(base, 1) + 1
            name = f"{base}_{numbers[base]}"
        taken.add(name)
        return name

    for node in graph.node:
        module = module_of(node)
        node.name = unique(f"{module}.{node.op_type}" if module else label_of(node))
        for index, tensor in enumerate(node.input):
            if tensor and tensor not in renamed:
                renamed[tensor] = unique(f"{node.name}.in{index}")
            node.input[index] = renamed.get(tensor, tensor)
        for index, tensor in enumerate(node.output):
            if tensor and tensor not in renamed:
                renamed[tensor] = unique(f"{node.name}.out{index or ''}")
            node.output[index] = renamed.get(tensor, tensor)
    for initializer in graph.initializer:
        initializer.name = renamed.get(initializer.name, initializer.name)
    _replace(graph.initializer, sorted(map(_copy, graph.initializer), key=lambda t: str(t.name)))


def _restate(graph: Any, restated: PortableForms) -> None:
    """Explicit padding for pools, and targets of reshapes that keep the batch."""
    for node in graph.node:
        output = node.output[0]
        if output in restated.pads:
            kept = [a for a in node.attribute if a.name not in ("auto_pad", "ceil_mode", "pads")]
            pads = onnx.helper.make_attribute("pads", restated.pads[output])
            _replace(node.attribute, [*map(_copy, kept), pads])
        if output in restated.shapes:
            target = np.array(restated.shapes[output], np.int64)
            name = f"{node.name}.shape"
            graph.initializer.append(onnx.numpy_helper.from_array(target, name))
            node.input[1] = name
    _keep_needed(graph)


def infer_shapes(model: Any) -> None:
    """Write every tensor's shape into ``model``, by onnx' strict inference.

    QONNX' quantizers, which onnx does not know, change no shape.
    """
    del model.graph.value_info[:]
    for entry in model.graph.output:
        entry.type.tensor_type.ClearField("shape")
    shadow = onnx.ModelProto()
    shadow.CopyFrom(model)
    for node in shadow.graph.node:
        if node.domain in QUANT_DOMAINS:
            node.domain, node.op_type = "", "Identity"
            del node.attribute[:]
            del node.input[1:]
    found = onnx.shape_inference.infer_shapes(
        shadow, check_type=True, strict_mode=True, data_prop=True
    )
    inferred = sorted(found.graph.value_info, key=lambda entry: str(entry.name))
    _replace(model.graph.value_info, [_copy(entry) for entry in inferred])
    _replace(model.graph.output, [_copy(entry) for entry in found.graph.output])


def _copy(message: Any) -> Any:
    return type(message).FromString(message.SerializeToString())


def _replace(field: Any, messages: list[Any]) -> None:
    del field[:]
    field.extend(messages)
