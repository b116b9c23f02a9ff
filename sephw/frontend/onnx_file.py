"""An ONNX file in memory: a regular file, checked by onnx, of one image input and one output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from sephw.errors import SephwError
from sephw.files import read_bytes, reading
from sephw.frontend.scope import printable

# The names that Quant and BipolarQuant go by: qonnx', and those of older exporters.
QUANT_DOMAINS = ("qonnx.custom_op.general", "finn.custom_op.general", "onnx.brevitas")
ONNX_DOMAINS = ("", "ai.onnx")
# Operators read here mean the same from here on: Add and Mul broadcast as numpy does.
_OLDEST_OPSET = 7
_MOST_BYTES = (1 << 31) - 1
# Of a side and of all values: more than any image, and what int64 copies of it still fit.
_LONGEST_SIDE, _MOST_VALUES = 1 << 16, 1 << 27
_MOST_NODES = 20_000
_AGAIN = "export it again"


@dataclass(frozen=True)
class ImageInput:
    """The one input, (N, C, H, W); ``batch``: the N that the file holds, 1 where it is open.

    ``rank``: how many axes it has, 2 of which are (N, C).
    """

    name: str
    batch: int
    channels: int
    height: int
    width: int
    rank: int = 4


def load_model(path: Path) -> onnx.ModelProto:
    """The model of a file that onnx' checker takes, domains that it uses declared.

    Raises SephwError, naming ``path``, for what is no regular file, no ONNX, damaged, too large or
    of an opset that is not read here.
    """
    with reading(str(path), "give a file that can be read"):
        content = read_bytes(path, str(path), most_bytes=_MOST_BYTES)
    with reading(str(path), _AGAIN, failed="not an ONNX file, or damaged"):
        model = onnx.load_model_from_string(content)
        onnx.load_external_data_for_model(model, str(path.parent))
        if not model.HasField("graph") or not model.opset_import:
            raise SephwError(f"{path}: not an ONNX file, or damaged; {_AGAIN}")
        _declare(model)
        _check_parts(path, model)
    with reading(str(path), _AGAIN, failed="onnx' checker refuses it"):
        onnx.checker.check_model(model)
    return model


def _declare(model: onnx.ModelProto) -> None:
    """Say what exporters leave out and tools do not miss, but the checker does."""
    declared = {entry.domain for entry in model.opset_import}
    used = {node.domain for node in model.graph.node}
    for domain in sorted(used - declared - set(ONNX_DOMAINS)):
        # What is not known is refused by the node's name later.
        model.opset_import.append(onnx.helper.make_opsetid(domain, 1))
    for entry in (*model.graph.input, *model.graph.output):
        if entry.type.HasField("tensor_type") and not entry.type.tensor_type.HasField("shape"):
            entry.type.tensor_type.shape.SetInParent()


def image_input(path: Path, model: onnx.ModelProto) -> ImageInput:
    """The one input of ``model``; SephwError where there are others, or its sizes are unknown."""
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [entry for entry in model.graph.input if entry.name not in constants]
    if len(inputs) != 1 or len(model.graph.output) != 1:
        raise SephwError(
            f"{path}: {len(inputs)} inputs and {len(model.graph.output)} outputs; a network here "
            "has one of each: export it with one image and one result"
        )
    (entry,) = inputs
    tensor = entry.type.tensor_type
    if tensor.elem_type != onnx.TensorProto.FLOAT:
        raise SephwError(
            f"{path}: input '{entry.name}' is {_type_name(tensor.elem_type)}; it must be float32, "
            "pixels as multiples of 1/256: export the network without the conversion"
        )
    sizes = [dim.dim_value for dim in tensor.shape.dim]
    if len(sizes) != 4 or min(sizes[1:]) < 1:
        shown = ", ".join(str(size or "?") for size in sizes)
        raise SephwError(
            f"{path}: input '{entry.name}' is ({shown}); it must be (N, C, H, W) with C, H "
            "and W known: export with an example of that shape"
        )
    batch, channels, height, width = sizes
    if batch < 1 and tensor.shape.dim[0].HasField("dim_value"):
        raise SephwError(
            f"{path}: input '{entry.name}' holds a batch of {batch}; export with a batch of 1"
        )
    if max(sizes) > _LONGEST_SIDE or channels * height * width > _MOST_VALUES:
        raise SephwError(
            f"{path}: input '{entry.name}' is ({', '.join(map(str, sizes))}): more than "
            f"{_LONGEST_SIDE:,} along a side or {_MOST_VALUES:,} values; export with a smaller one"
        )
    return ImageInput(entry.name, batch or 1, channels, height, width)


def likely_image(model: onnx.ModelProto) -> ImageInput | None:
    """The image that a refused input can be taken for, to judge what reads it.

    The first one of (N, C, H, W), or of (N, C) as a flattened map; None where it is neither.
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    entry = next((entry for entry in model.graph.input if entry.name not in constants), None)
    if entry is None or not entry.type.HasField("tensor_type"):
        return None
    sizes = [dim.dim_value for dim in entry.type.tensor_type.shape.dim]
    if len(sizes) not in (2, 4) or min(sizes[1:]) < 1 or max(sizes[1:]) > _LONGEST_SIDE:
        return None
    channels, height, width = sizes[1:] if len(sizes) == 4 else (sizes[1], 1, 1)
    if channels * height * width > _MOST_VALUES:
        return None
    return ImageInput(entry.name, max(sizes[0], 1), channels, height, width, len(sizes))


def _check_parts(path: Path, model: onnx.ModelProto) -> None:
    """Refuse a model with parts that the reader does not evaluate."""
    graph = model.graph
    if len(graph.node) > _MOST_NODES:
        raise SephwError(
            f"{path}: {len(graph.node):,} nodes, more than {_MOST_NODES:,}; export a smaller "
            "network"
        )
    for found, what in (
        (model.functions, "functions of its own"),
        (graph.sparse_initializer, "sparse constants"),
    ):
        if found:
            raise SephwError(f"{path}: holds {what}; export it without them")
    versions = [e.version for e in model.opset_import if e.domain in ONNX_DOMAINS]
    newest = onnx.defs.onnx_opset_version()
    if len(versions) != 1 or not _OLDEST_OPSET <= versions[0] <= newest:
        shown = ", ".join(map(str, versions)) or "none"
        raise SephwError(
            f"{path}: opset {shown}; opsets {_OLDEST_OPSET} to {newest} are read: export it with "
            "one of them"
        )


def _type_name(kind: int) -> str:
    try:
        return str(onnx.TensorProto.DataType.Name(kind)).lower()
    except ValueError:
        return f"of type {kind}"


def array_of(where: str, tensor: Any) -> Any:
    """A constant as an array; SephwError, beginning with ``where``, for a damaged one."""
    with reading(where, _AGAIN, failed=f"constant '{printable(tensor.name)}' is damaged"):
        return onnx.numpy_helper.to_array(tensor)
