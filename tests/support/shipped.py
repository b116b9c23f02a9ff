"""The shipped models as frozen networks and hardware graphs, each made once per process."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import torch
from plain_onnx import check_written

from sephw.checkpoint import build_network, load_checkpoint
from sephw.frontend import export_qonnx, read_qonnx
from sephw.ir import Graph
from sephw.nn import freeze

MODELS = Path(__file__).resolve().parents[2] / "models"


@cache
def shipped(name: str) -> tuple[torch.nn.Module, Graph]:
    """The deploy network of a model, and the graph that its QONNX file gives."""
    checkpoint = load_checkpoint(MODELS / f"{name}.pth")
    deploy = freeze(build_network(checkpoint)).eval()
    form = checkpoint.preprocessing
    shape = (form["channels"], form["height"], form["width"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export_qonnx(deploy, path, shape)
        check_written(path)
        return deploy, read_qonnx(path).graph
