"""Deploy network → QONNX file, by Brevitas' exporter."""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from sephw.errors import SephwError
from sephw.frontend.flatten import flatten
from sephw.frontend.scope import SCOPES, module_of


def export_qonnx(
    deploy: nn.Module, path: Path, input_shape: tuple[int, int, int], *, dynamo: bool | None = None
) -> None:
    """Write ``deploy`` as one self-contained QONNX file, batch 1, input named ``input``.

    ``input_shape`` is (channels, height, width). ``dynamo`` chooses torch's exporter; both make
    the same network. None: the older one, which is several times as fast, where it can be used:
    for what `freeze` makes, a traced network, unless Brevitas is compiled (BREVITAS_JIT).
    The file is byte-identical for the same network, exporter and versions.
    Raises SephwError if the exporter fails.
    """
    # The exporters leave a missing torchvision and their own progress on the terminal.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    import brevitas.config
    import onnx
    from brevitas.export import export_qonnx as brevitas_export

    if dynamo is None:
        dynamo = not isinstance(deploy, fx.GraphModule) or brevitas.config.JIT_ENABLED
    flattened = None if dynamo or not isinstance(deploy, fx.GraphModule) else flatten(deploy)
    example = torch.zeros(1, *input_shape)
    talk = io.StringIO()
    root = logging.getLogger()
    torch_log = logging.getLogger("torch.onnx")
    levels = (root.level, torch_log.level)
    try:
        logging.disable(logging.WARNING)
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(talk),
            contextlib.redirect_stderr(talk),
        ):
            warnings.simplefilter("ignore")
            brevitas_export(
                deploy if flattened is None else flattened.network,
                args=example,
                export_path=str(path),
                input_names=["input"],
                output_names=["logits"],
                dynamo=dynamo,
            )
    except Exception as error:
        raise SephwError(f"QONNX export: {str(error).splitlines()[0]}") from error
    finally:
        logging.disable(logging.NOTSET)
        root.setLevel(levels[0])
        torch_log.setLevel(levels[1])
    proto = onnx.load(str(path))
    for data in path.parent.glob(path.name + ".data"):
        data.unlink()
    if flattened is not None:
        flattened.restore_scopes(proto.graph.node)
    save_tidy(proto, path)


def save_tidy(proto: Any, path: Path) -> None:
    """Save ``proto``, which is changed: shapes inferred, no traces of where it was made, and
    names after PyTorch modules."""
    import onnx
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.infer_shapes import InferShapes

    for node in proto.graph.node:
        # Stack traces hold paths of the machine that exported.
        keep = [p for p in node.metadata_props if p.key == SCOPES]
        del node.metadata_props[:]
        node.metadata_props.extend(keep)
    for part in (proto, proto.graph, *proto.graph.value_info, *proto.graph.initializer):
        del part.metadata_props[:]
    for entry in (*proto.graph.input, *proto.graph.output):
        del entry.metadata_props[:]
    named = ModelWrapper(proto).transform(InferShapes()).model
    name_after_modules(named)
    onnx.save(named, str(path))


def name_after_modules(model: Any) -> None:
    """Rename nodes and tensors after the PyTorch modules they come from, in place.

    The exporters and qonnx leave generated, partly random names; these are readable and the same
    every time. The graph's inputs and outputs keep their names.
    """
    graph = model.graph
    renamed = {entry.name: entry.name for entry in (*graph.input, *graph.output)}
    taken: set[str] = set(renamed.values())

    def unique(base: str) -> str:
        names = itertools.chain([base], (f"{base}_{n}" for n in itertools.count(2)))
        name = next(n for n in names if n not in taken)
        taken.add(name)
        return name

    for node in graph.node:
        module = module_of(node)
        node.name = unique(f"{module}.{node.op_type}" if module else node.op_type)
        for index, tensor in enumerate(node.input):
            if tensor and tensor not in renamed:
                renamed[tensor] = unique(f"{node.name}.in{index}")
            node.input[index] = renamed.get(tensor, tensor)
        for index, tensor in enumerate(node.output):
            if tensor not in renamed:
                renamed[tensor] = unique(f"{node.name}.out{index or ''}")
            node.output[index] = renamed[tensor]
    for initializer in graph.initializer:
        initializer.name = renamed[initializer.name]
    for entry in graph.value_info:
        entry.name = renamed.get(entry.name, entry.name)
    del graph.quantization_annotation[:]
    ordered = sorted(graph.initializer, key=lambda t: str(t.name))
    infos = sorted(graph.value_info, key=lambda t: str(t.name))
    for field, entries in ((graph.initializer, ordered), (graph.value_info, infos)):
        copies = [type(e).FromString(e.SerializeToString()) for e in entries]
        del field[:]
        field.extend(copies)


def to_network_input(images: np.ndarray) -> torch.Tensor:
    """uint8 or int64 (N, H, W, C) images as the network's float32 (N, C, H, W) = q/256."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 256
