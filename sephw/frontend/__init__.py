"""torch deploy network → QONNX → hardware graph, and what torch and QONNX compute per layer."""

from sephw.frontend.builder import Layer
from sephw.frontend.capture import capture_qonnx, capture_torch
from sephw.frontend.export_qonnx import export_qonnx, exported_model
from sephw.frontend.foreign import copy_qonnx, judge_qonnx, qonnx_input_shape
from sephw.frontend.read_qonnx import ReadResult, RefusedError, read_qonnx
from sephw.frontend.verdicts import ModelVerdict, NodeState, NodeVerdict, Refusal, judge_model

__all__ = [
    "Layer",
    "ModelVerdict",
    "NodeState",
    "NodeVerdict",
    "ReadResult",
    "Refusal",
    "RefusedError",
    "capture_qonnx",
    "capture_torch",
    "copy_qonnx",
    "export_qonnx",
    "exported_model",
    "judge_model",
    "judge_qonnx",
    "qonnx_input_shape",
    "read_qonnx",
]
