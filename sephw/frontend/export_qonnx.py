"""Deploy network → QONNX file, by Brevitas' exporter."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from sephw.errors import SephwError


def export_qonnx(
    deploy: nn.Module, path: Path, input_shape: tuple[int, int, int], *, dynamo: bool = True
) -> None:
    """Write ``deploy`` as one self-contained QONNX file, batch 1, input named ``input``.

    ``input_shape`` is (channels, height, width). ``dynamo`` chooses torch's exporter; both make
    the same network. The file is byte-identical for the same network and versions.
    Raises SephwError if the exporter fails.
    """
    # The exporters leave a missing torchvision and their own progress on the terminal.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    import onnx
    from brevitas.export import export_qonnx as brevitas_export
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.infer_shapes import InferShapes

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
                deploy,
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
    for node in proto.graph.node:
        # Stack traces hold paths of the machine that exported.
        keep = [p for p in node.metadata_props if p.key == SCOPES]
        del node.metadata_props[:]
        node.metadata_props.extend(keep)
    for part in (proto, proto.graph, *proto.graph.value_info, *proto.graph.initializer):
        del part.metadata_props[:]
    for entry in (*proto.graph.input, *proto.graph.output):
        del entry.metadata_props[:]
    onnx.save(ModelWrapper(proto).transform(InferShapes()).model, str(path))


SCOPES = "pkg.torch.onnx.name_scopes"


def to_network_input(images: np.ndarray) -> torch.Tensor:
    """uint8 or int64 (N, H, W, C) images as the network's float32 (N, C, H, W) = q/256."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 256
