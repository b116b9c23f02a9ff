"""torch deploy network → QONNX → hardware graph, and what torch and QONNX compute per layer."""

from sephw.frontend.builder import Layer
from sephw.frontend.capture import capture_qonnx, capture_torch
from sephw.frontend.export_qonnx import export_qonnx
from sephw.frontend.foreign import copy_qonnx, qonnx_input_shape
from sephw.frontend.read_qonnx import ReadResult, read_qonnx

__all__ = [
    "Layer",
    "ReadResult",
    "capture_qonnx",
    "capture_torch",
    "copy_qonnx",
    "export_qonnx",
    "qonnx_input_shape",
    "read_qonnx",
]
