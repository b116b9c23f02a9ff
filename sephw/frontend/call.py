"""One ONNX node being read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.exact_sums import Int, Real
from sephw.frontend.builder import GraphBuilder
from sephw.frontend.values import (
    Average,
    Constant,
    Curve,
    Image,
    Quantized,
    Sum,
    Unrolled,
    Value,
    as_sum,
    dyadic,
)
from sephw.ir import IntType

V = TypeVar("V")
# An image is uint8 · 2^-8; so is what stands in for a tensor that should be quantized.
IMAGE_BITS, IMAGE_EXPONENT = 8, 8


@dataclass(frozen=True, eq=False)
class NodeCall:
    """One ONNX node being read: its inputs as values, what it is called, error prefix.

    ``values``: None for an optional input that is left away. ``label`` names the node to a person,
    ``module`` is the PyTorch module that makes its output, "" where there is none. ``refusals``:
    collects what the node is refused for; None: the first refusal is raised.
    """

    builder: GraphBuilder
    node: Any
    label: str
    module: str
    values: tuple[Value | None, ...]
    refusals: list[SephwError] | None = None

    @property
    def where(self) -> str:
        """The node's name in errors."""
        return f"{self.node.op_type} '{self.label}'"

    @property
    def output(self) -> str:
        """Name of the node's first output tensor in ONNX."""
        return str(self.node.output[0])

    @property
    def reads_image(self) -> bool:
        """Whether an input is the network's input, not quantized yet."""
        return any(isinstance(value, Image) for value in self.values)

    def refuse(self, error: SephwError) -> None:
        """Refuse the node, whose meaning is clear enough to go on as if it were mended.

        Raises ``error`` unless refusals are collected.
        """
        if self.refusals is None:
            raise error
        if str(error) not in map(str, self.refusals):
            self.refusals.append(error)

    def attempt(self, compute: Callable[[], V], stand_in: Callable[[], V]) -> V:
        """Return ``compute()``, or ``stand_in()`` where the node is refused before or by it."""
        if self.refusals:
            return stand_in()
        try:
            return compute()
        except SephwError as error:
            self.refuse(error)
            return stand_in()

    def check_scales(self, value: Sum) -> None:
        """SephwError for a scale or a constant that is not dyadic, whatever the ranges."""
        for number in (*(branch.coefficient for branch in value.branches), *value.constants):
            dyadic(number, self.where)

    def stand_in(self, like: str, channels: int, dtype: IntType) -> str:
        """A tensor of the size of ``like`` in the place of what the refused node would make."""
        tensor = self.builder.tensors[like]
        return self.builder.stand_in(self.label, (tensor.height, tensor.width, channels), dtype)

    def with_quantized_image(self) -> NodeCall:
        """The same node as if the input were quantized before it."""
        values = (
            Quantized(self.builder.image, IMAGE_EXPONENT, value.rank)
            if isinstance(value, Image)
            else value
            for value in self.values
        )
        return replace(self, values=tuple(values))

    def value(self, index: int) -> Value:
        """Input ``index``; SephwError where it is left away."""
        found = self.optional(index)
        if found is None:
            raise SephwError(f"{self.where}: input {index} is missing; export it again")
        return found

    def optional(self, index: int) -> Value | None:
        """Input ``index``; None where it is left away."""
        return self.values[index] if index < len(self.values) else None

    def constant(self, index: int) -> NDArray[np.float32]:
        """Input ``index`` as a constant array of finite float32."""
        data = self._data(index)
        if data.dtype != np.float32:
            error = SephwError(
                f"{self.where}: input {index} is {data.dtype}; it must be float32: export the "
                "network in float32"
            )
            if data.dtype.kind not in "iuf":
                raise error
            self.refuse(error)
            data = data.astype(np.float32)
        if not np.isfinite(data).all():
            raise SephwError(
                f"{self.where}: input {index} holds infinity or NaN; give it finite numbers"
            )
        return data

    def scalar(self, index: int) -> float:
        """Input ``index`` as a constant of one number."""
        data = self.constant(index)
        if data.size != 1:
            raise SephwError(
                f"{self.where}: input {index} has {data.size} numbers; it must be one number"
            )
        return float(data.reshape(()))

    def integers(self, index: int) -> tuple[int, ...]:
        """Input ``index`` as a constant list of integers (axes, a shape)."""
        data = self._data(index)
        if data.dtype != np.int64 or data.ndim != 1:
            raise SephwError(f"{self.where}: input {index} must be a list of int64")
        return tuple(data.tolist())

    def _data(self, index: int) -> NDArray[Any]:
        value = self.value(index)
        if not isinstance(value, Constant):
            raise SephwError(
                f"{self.where}: input {index} must be a constant; fold what makes it into one"
            )
        if not value.data.size:
            raise SephwError(f"{self.where}: input {index} is empty; export it again")
        return value.data

    def quantized(self, index: int) -> Quantized:
        """Input ``index`` as a quantized tensor."""
        value = self.value(index)
        if isinstance(value, Constant):
            raise SephwError(f"{self.where}: input {index} must not be a constant; leave it away")
        if isinstance(value, Unrolled):
            raise self.unrolled(value)
        if isinstance(value, Quantized):
            return value
        error = SephwError(
            f"{self.where}: its input is not quantized; put a quantizer (Quant; "
            "sephw.nn.QuantReLU) before it"
        )
        if not isinstance(value, Sum | Curve):
            raise error
        self.refuse(error)
        if isinstance(value, Sum) and value.chain is None:
            try:
                self.check_scales(value)
            except SephwError as rounded:
                self.refuse(rounded)
        return Quantized(self._unquantized(value), IMAGE_EXPONENT, value.rank)

    def _unquantized(self, value: Sum | Curve) -> str:
        """A quantized tensor of the size of ``value``, which lacks its quantizer."""
        held = value.branches[0].tensor if isinstance(value, Sum) else value.tensor
        channels = self.builder.tensors[held].channels
        return self.stand_in(held, channels, IntType(IMAGE_BITS, signed=False))

    def inexact(self, average: Average) -> SephwError:
        """The error of a node that reads an average that float32 has rounded."""
        count = average.count
        return SephwError(
            f"{self.where}: reads an average over {count} values, which is not exact; multiply it "
            f"by {count}·2^-{(count - 1).bit_length()} first (a sum times a power of two)"
        )

    def unrolled(self, value: Unrolled) -> SephwError:
        """The error of a node that reads a flattened map without being a linear layer."""
        tensor = self.builder.tensors[value.tensor]
        return SephwError(
            f"{self.where}: reads a flattened {tensor.height}×{tensor.width} map, which only a "
            "linear layer does; put it before Flatten"
        )

    def channels(self, value: Quantized | Sum) -> int:
        """Channels of a quantized tensor or sum."""
        if isinstance(value, Quantized):
            return self.builder.tensors[value.tensor].channels
        return value.channels

    def sum(self, index: int) -> Sum:
        """Input ``index`` as a sum of branches."""
        value = self.value(index)
        if isinstance(value, Constant | Image):
            raise SephwError(f"{self.where}: input {index} must not be a constant; leave it away")
        if isinstance(value, Average):
            raise self.inexact(value)
        if isinstance(value, Unrolled):
            raise self.unrolled(value)
        if isinstance(value, Curve):
            self.refuse(
                SephwError(
                    f"{self.where}: reads steps that float32 rounds, and no quantizer follows "
                    "them; put a quantizer (Quant; sephw.nn.QuantReLU) between them"
                )
            )
            value = Quantized(self._unquantized(value), IMAGE_EXPONENT, value.rank)
        if isinstance(value, Sum) and value.relu:
            self.refuse(
                SephwError(
                    f"{self.where}: reads a ReLU that no quantizer follows; put a quantizer "
                    "(Quant; sephw.nn.QuantReLU) between them"
                )
            )
        return as_sum(value, self.channels(value))

    def curve(self, index: int) -> Curve | None:
        """Input ``index`` as a function of one tensor, step by step; None where it is not one."""
        value = self.value(index)
        if isinstance(value, Quantized):
            value = as_sum(value, self.channels(value))
        if isinstance(value, Sum) and value.chain is not None:
            return Curve(value.branches[0].tensor, value.chain, value.rank)
        return value if isinstance(value, Curve) else None

    def share(self, tensor: str, exponents: Int, offset: Real | None = None) -> None:
        """Mark ``tensor`` as what torch and ONNX hold in the node's output; see `Layer`."""
        self.builder.share(tensor, self.output, exponents, self.module, offset)


def per_channel(call: NodeCall, data: NDArray[Any], channels: int, rank: int) -> Real:
    """A scalar or per-channel constant as float64 (channels,)."""
    values = np.asarray(data, np.float64)
    place = (channels, *(1,) * (rank - 2))  # behind the batch, as broadcasting counts
    if values.ndim <= rank and values.size == 1:
        return np.full(channels, float(values.reshape(())))
    if values.ndim <= rank and values.size == channels and values.shape[-(rank - 1) :] == place:
        return values.reshape(-1)
    shown = ", ".join(map(str, values.shape))
    raise SephwError(
        f"{call.where}: constant of shape ({shown}) is neither a scalar nor per channel; give it "
        f"the shape ({', '.join(map(str, (1, *place)))})"
    )
