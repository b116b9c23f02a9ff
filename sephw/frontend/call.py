"""One ONNX node being read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sephw.errors import SephwError
from sephw.frontend.builder import Builder
from sephw.frontend.values import Average, Constant, Quantized, Real, Sum, Value, as_sum


@dataclass(frozen=True, eq=False)
class Call:
    """One ONNX node being read: its inputs as values, attributes, module, error prefix.

    ``closes_module``: no later node is of the module, so that its output is this node's.
    """

    builder: Builder
    node: Any
    module: str
    values: tuple[Value | None, ...]
    attributes: dict[str, Any]
    closes_module: bool = False

    @property
    def where(self) -> str:
        """How errors name the node."""
        return f"{self.node.op_type} '{self.module or self.node.name}'"

    @property
    def output(self) -> str:
        """Name of the node's first output tensor in ONNX."""
        return str(self.node.output[0])

    def constant(self, index: int) -> np.ndarray:
        """Input ``index`` as a constant array."""
        value = self.values[index]
        if not isinstance(value, Constant):
            raise SephwError(f"{self.where}: input {index} must be a constant")
        return value.data

    def quantized(self, index: int) -> Quantized:
        """Input ``index`` as a quantized tensor."""
        value = self.values[index]
        if not isinstance(value, Quantized):
            raise SephwError(
                f"{self.where}: its input is not quantized; put a quantizer "
                "(sephw.nn.QuantReLU) before it"
            )
        return value

    def inexact(self, average: Average) -> SephwError:
        """The error of a node that reads an average that float32 has rounded."""
        count = average.count
        return SephwError(
            f"{self.where}: reads an average over {count} values, which is not exact; multiply it "
            f"by {count}·2^-{(count - 1).bit_length()} first (a sum times a power of two)"
        )

    def channels(self, value: Quantized | Sum) -> int:
        """Channels of a quantized tensor or sum."""
        if isinstance(value, Quantized):
            return self.builder.tensors[value.tensor].channels
        return len(value.constant)

    def sum(self, index: int) -> Sum:
        """Input ``index`` as a sum of branches."""
        value = self.values[index]
        if isinstance(value, Constant) or value is None:
            raise SephwError(f"{self.where}: input {index} must not be a constant")
        if isinstance(value, Average):
            raise self.inexact(value)
        if isinstance(value, Sum) and value.relu:
            raise SephwError(
                f"{self.where}: a ReLU must be followed by its quantizer (sephw.nn.QuantReLU)"
            )
        return as_sum(value, self.channels(value))


def per_channel(call: Call, data: np.ndarray, channels: int, rank: int) -> Real:
    """A scalar or per-channel constant as float64 (channels,)."""
    values = np.asarray(data, np.float64)
    if values.size == 1:
        return np.full(channels, float(values.reshape(())))
    axis = 1 - rank  # channel axis counted from the end, as broadcasting does
    shape = (1,) * (-axis - 1)
    if values.size == channels and values.reshape(-1).shape == (channels,):
        tail = values.shape[values.ndim + axis :] if values.ndim >= -axis else ()
        if tail == (channels, *shape):
            return values.reshape(-1)
    raise SephwError(
        f"{call.where}: constant of shape {values.shape} is neither a scalar nor per channel"
    )
