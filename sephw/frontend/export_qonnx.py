"""Deploy network → QONNX file, by Brevitas' exporter."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import fx, nn

from sephw.files import reading
from sephw.frontend.flatten import flatten
from sephw.frontend.onnx_file import load_model
from sephw.frontend.read_qonnx import ReadResult
from sephw.frontend.scope import module_of
from sephw.frontend.tidy import write_tidy

_FREEZE = "freeze it first (sephw.nn.freeze)"


def export_qonnx(
    deploy: nn.Module,
    path: str | Path,
    input_shape: tuple[int, int, int],
    *,
    dynamo: bool | None = None,
) -> ReadResult:
    """Write ``deploy`` as one self-contained QONNX file, batch 1, input named ``input``.

    ``input_shape`` is (channels, height, width). ``dynamo`` chooses torch's exporter; both make
    the same network. None: the older one, which is several times as fast, where it can be used:
    for what `freeze` makes, a traced network, unless Brevitas is compiled (BREVITAS_JIT).
    The file is byte-identical for the same network, exporter and versions.
    Returns what the reader makes of it. Raises SephwError if the exporter fails, or for what the
    reader refuses.
    """
    path = Path(path)
    return write_tidy(path, exported_model(deploy, path, input_shape, dynamo=dynamo), path)


def exported_model(
    deploy: nn.Module,
    path: Path,
    input_shape: tuple[int, int, int],
    *,
    dynamo: bool | None = None,
) -> onnx.ModelProto:
    """The model as the exporter wrote it to ``path``, its nodes named by modules.

    Arguments and errors are those of `export_qonnx`, but for the reader's.
    """
    # The exporters leave a missing torchvision and their own progress on the terminal.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    import brevitas.config
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
            reading(str(path), _FREEZE, failed="torch cannot export the network"),
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
    finally:
        logging.disable(logging.NOTSET)
        root.setLevel(levels[0])
        torch_log.setLevel(levels[1])
    model = load_model(path)
    for data in path.parent.glob(path.name + ".data"):
        data.unlink()
    if flattened is not None:
        flattened.restore_scopes(model.graph.node)
    for node in model.graph.node:
        if not module_of(node):  # Of no module, or a function's: the exporters name it differently.
            node.name = node.op_type
    return model


def to_network_input(images: np.ndarray) -> torch.Tensor:
    """uint8 or int64 (N, H, W, C) images as the network's float32 (N, C, H, W) = q/256."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 256
