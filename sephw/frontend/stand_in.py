"""Stand-ins for nodes that are not taken, so that those behind them are judged as well."""

from __future__ import annotations

from sephw.frontend.call import NodeCall
from sephw.frontend.onnx_file import ONNX_DOMAINS
from sephw.frontend.values import Average, Constant, Curve, Quantized, Sum, Value

# Each makes one tensor of the shape of its first input.
_KEEP_SHAPE = (
    "Abs",
    "Celu",
    "Elu",
    "Exp",
    "Gelu",
    "InstanceNormalization",
    "LogSoftmax",
    "Mish",
    "Neg",
    "PRelu",
    "Selu",
    "Softmax",
    "Softplus",
    "Softsign",
    "Sqrt",
    "ThresholdedRelu",
)


def left_away(call: NodeCall) -> Value | None:
    """The first input of a node that keeps its shape, as if the node were left away.

    None for other nodes, for those that read several activations, and for constants that could
    make the result larger.
    """
    node = call.node
    if node.op_type not in _KEEP_SHAPE or node.domain not in ONNX_DOMAINS or not call.values:
        return None
    first, *others = call.values
    if not isinstance(first, Quantized | Sum | Average | Curve):
        return None
    channels = call.builder.tensors[_tensor(first)].channels
    for other in others:
        if other is None:
            continue
        if not isinstance(other, Constant) or other.data.size not in (1, channels):
            return None
    return first


def _tensor(value: Quantized | Sum | Average | Curve) -> str:
    return value.branches[0].tensor if isinstance(value, Sum) else value.tensor
