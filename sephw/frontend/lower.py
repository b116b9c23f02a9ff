"""ONNX operators → nodes of the hardware graph; one function per ONNX operator.

The functions follow values as sums of branches (``values``): a convolution starts a branch,
Mul/Add scale and join branches, a Quant rounds them in one Join.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sephw.errors import SephwError
from sephw.frontend.builder import Builder
from sephw.frontend.values import (
    Branch,
    Constant,
    Quantized,
    Real,
    Sum,
    Value,
    as_sum,
    dyadic,
    integer_rows,
)
from sephw.ir import IntType
from sephw.ops.conv8 import Conv8
from sephw.ops.global_pool import GlobalPool
from sephw.ops.join import Join
from sephw.ops.max_pool import MaxPool
from sephw.ops.pattern_conv import PatternConv
from sephw.ops.sliding_window import SlidingWindow

BUDGET_BITS = 24


@dataclass(frozen=True, eq=False)
class Call:
    """One ONNX node being read: its inputs as values, attributes, module, error prefix."""

    builder: Builder
    node: Any
    module: str
    values: tuple[Value | None, ...]
    attributes: dict[str, Any]

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


def quant(call: Call) -> Value:
    """Quant: on weights a constant, on the input its type, on a sum a Join."""
    scale, zero_point = call.constant(1), call.constant(2)
    bits = int(call.constant(3).reshape(()))
    signed = bool(call.attributes.get("signed", 1))
    narrow = bool(call.attributes.get("narrow", 0))
    rounding = str(call.attributes.get("rounding_mode", "ROUND")).upper()
    if np.any(zero_point != 0):
        raise SephwError(f"{call.where}: zero point {zero_point.reshape(-1)[0]:g}; it must be 0")
    first = call.values[0]
    if isinstance(first, Constant):
        return Constant(quantize_constant(first.data, scale, bits, signed, narrow, rounding))
    mantissa, power = dyadic(np.asarray(scale, np.float64).reshape(-1), call.where)
    if len(mantissa) != 1 or mantissa[0] != 1:
        raise SephwError(
            f"{call.where}: activation scale must be one power of two, not "
            f"{np.asarray(scale).reshape(-1)[0]:g}; train with sephw.nn.QuantReLU"
        )
    exponent = int(power[0])
    if signed:
        raise SephwError(f"{call.where}: signed activations; quantize after a ReLU")
    if first is None:
        return _declare_input(call, exponent, bits)
    if rounding != "FLOOR":
        raise SephwError(
            f"{call.where}: rounding_mode {rounding} is not exact in hardware; "
            "use FLOOR with half an LSB in the bias (sephw.nn.freeze does)"
        )
    value = first if isinstance(first, Sum) else as_sum(first, call.channels(first))
    tensor = join(call, value, exponent, IntType(bits, signed=False), "")
    call.builder.share(
        tensor, call.output, np.full(call.builder.tensors[tensor].channels, exponent)
    )
    return Quantized(tensor, exponent, value.rank)


def quantize_constant(
    data: np.ndarray, scale: np.ndarray, bits: int, signed: bool, narrow: bool, rounding: str
) -> np.ndarray:
    """Quant's definition on a constant, float32, zero point 0 (QONNX operator specification)."""
    low = (-(2 ** (bits - 1)) + narrow) if signed else 0
    high = (2 ** (bits - 1) - 1) if signed else 2**bits - 1 - narrow
    rounders: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "ROUND": np.round, "FLOOR": np.floor, "CEIL": np.ceil, "ROUND_TO_ZERO": np.trunc,
    }  # fmt: skip
    integers = np.clip(rounders[rounding](data / scale), low, high)
    return (integers * scale).astype(np.float32)


def _declare_input(call: Call, exponent: int, bits: int) -> Quantized:
    (name,) = [t for t in call.builder.tensors]
    tensor = call.builder.tensors[name]
    call.builder.tensors[name] = replace(tensor, dtype=IntType(bits, signed=False))
    return Quantized(name, exponent, 4)


def bipolar_quant(call: Call) -> Value:
    """BipolarQuant on weights: ±scale."""
    data, scale = call.constant(0), call.constant(1)
    signs = np.where(np.asarray(data) >= 0, np.float32(1), np.float32(-1))
    return Constant(signs * scale, bipolar=True)


def conv(call: Call) -> Value:
    """Conv → SlidingWindow (unless 1×1, stride 1) and PatternConv or Conv8."""
    source = call.quantized(0)
    tensor = call.builder.tensors[source.tensor]
    weights = np.asarray(call.constant(1), np.float64)
    out_channels, per_group, kernel_height, kernel_width = weights.shape
    groups = int(call.attributes.get("group", 1))
    strides = list(call.attributes.get("strides", [1, 1]))
    top, left, bottom, right = call.attributes.get("pads", [0, 0, 0, 0])
    if list(call.attributes.get("dilations", [1, 1])) != [1, 1] or strides[0] != strides[1]:
        raise SephwError(f"{call.where}: dilation and unequal strides are not supported")
    height = (tensor.height + top + bottom - kernel_height) // strides[0] + 1
    width = (tensor.width + left + right - kernel_width) // strides[0] + 1
    window = source.tensor
    if kernel_height * kernel_width > 1 or strides[0] > 1:
        window = call.builder.add(call.module, "window", SlidingWindow(
            height=tensor.height, width=tensor.width, channels=tensor.channels,
            dtype=tensor.dtype, kernel_height=kernel_height, kernel_width=kernel_width,
            stride=strides[0], padding_top=top, padding_left=left,
            output_height=height, output_width=width, groups=groups,
        ), (source.tensor,))  # fmt: skip
    rows = weights.transpose(0, 2, 3, 1).reshape(out_channels, -1)
    value = _engine(call, source, window, rows, (height, width), (kernel_height, kernel_width),
                    per_group * groups, groups)  # fmt: skip
    if len(call.values) > 2 and call.values[2] is not None:
        bias = np.asarray(call.constant(2), np.float64).reshape(-1)
        value = replace(value, constant=value.constant + bias)
    return value


def _engine(
    call: Call, source: Quantized, window: str, rows: Real, size: tuple[int, int],
    kernel: tuple[int, int], in_channels: int, groups: int,
) -> Sum:  # fmt: skip
    out_channels = rows.shape[0]
    integers, exponent = integer_rows(rows, call.where)
    bipolar = isinstance(call.values[1], Constant) and call.values[1].bipolar
    shared: dict[str, Any] = {
        "height": size[0], "width": size[1], "in_channels": in_channels,
        "out_channels": out_channels, "kernel_height": kernel[0], "kernel_width": kernel[1],
        "groups": groups, "input_dtype": call.builder.tensors[source.tensor].dtype,
    }  # fmt: skip
    magnitude = np.ones(out_channels)
    if bipolar:
        magnitude = np.abs(integers[:, 0]).astype(np.float64)
        integers = np.sign(integers)
    elif np.abs(integers).max() > 128 or integers.max() > 127:
        raise SephwError(
            f"{call.where}: weights need more than 8 bits on a power-of-two grid; "
            "train the layer to stage BQ"
        )
    operator = (
        PatternConv(patterns=integers, **shared) if bipolar else Conv8(weights=integers, **shared)
    )
    acc = call.builder.add(call.module, "", operator, (window,))
    coefficient = magnitude * np.exp2(-(exponent + source.exponent).astype(np.float64))
    # A foreign BipolarQuant scale inside the weights leaves no bare accumulator to compare.
    if (magnitude == 1).all():
        call.builder.share(acc, call.output, (exponent + source.exponent).astype(np.int64))
    return Sum((Branch(acc, coefficient),), np.zeros(out_channels), source.rank)


def matmul(call: Call) -> Value:
    """MatMul with constant (inputs, outputs) weights → Conv8 on a 1×1 map."""
    return _linear(call, np.asarray(call.constant(1), np.float64).T)


def gemm(call: Call) -> Value:
    """Gemm with constant weights and optional bias → Conv8 on a 1×1 map."""
    a = call.attributes
    if a.get("transA", 0) or a.get("alpha", 1.0) != 1.0 or a.get("beta", 1.0) != 1.0:
        raise SephwError(f"{call.where}: only alpha = beta = 1 and an untransposed input")
    weights = np.asarray(call.constant(1), np.float64)
    value = _linear(call, weights if a.get("transB", 0) else weights.T)
    if len(call.values) > 2 and call.values[2] is not None:
        bias = per_channel(call, call.constant(2), len(value.constant), 2)
        value = replace(value, constant=value.constant + bias)
    return value


def _linear(call: Call, rows: Real) -> Sum:
    source = call.quantized(0)
    tensor = call.builder.tensors[source.tensor]
    if tensor.height * tensor.width != 1:
        raise SephwError(
            f"{call.where}: a linear layer on a {tensor.height}×{tensor.width} map; "
            "pool to 1×1 first (sephw.nn.GlobalPool2d)"
        )
    return _engine(call, source, source.tensor, rows, (1, 1), (1, 1), tensor.channels, 1)


def multiply(call: Call) -> Value:
    """Mul by a constant: scales every branch."""
    index = 1 if isinstance(call.values[1], Constant) else 0
    value = call.sum(1 - index)
    factor = per_channel(call, call.constant(index), len(value.constant), value.rank)
    branches = tuple(Branch(b.tensor, b.coefficient * factor) for b in value.branches)
    return replace(value, branches=branches, constant=value.constant * factor)


def add(call: Call) -> Value:
    """Add of a constant (bias) or of two sums (join)."""
    for index in (0, 1):
        if isinstance(call.values[index], Constant):
            value = call.sum(1 - index)
            bias = per_channel(call, call.constant(index), len(value.constant), value.rank)
            return replace(value, constant=value.constant + bias)
    first, second = call.sum(0), call.sum(1)
    if len(first.constant) != len(second.constant):
        raise SephwError(f"{call.where}: adds tensors of different channel counts")
    return Sum(
        first.branches + second.branches, first.constant + second.constant, first.rank
    )


def relu(call: Call) -> Value:
    """ReLU: the lower clip of the quantizer that follows."""
    return replace(call.sum(0), relu=True)


def max_pool(call: Call) -> Value:
    """MaxPool → SlidingWindow and MaxPool; zero padding is neutral for unsigned values."""
    source = call.quantized(0)
    tensor = call.builder.tensors[source.tensor]
    kernel_height, kernel_width = call.attributes["kernel_shape"]
    strides = list(call.attributes.get("strides", [1, 1]))
    top, left, bottom, right = call.attributes.get("pads", [0, 0, 0, 0])
    if (
        strides[0] != strides[1]
        or call.attributes.get("ceil_mode", 0)
        or list(call.attributes.get("dilations", [1, 1])) != [1, 1]
    ):
        raise SephwError(
            f"{call.where}: ceil_mode, dilation and unequal strides are not supported"
        )
    height = (tensor.height + top + bottom - kernel_height) // strides[0] + 1
    width = (tensor.width + left + right - kernel_width) // strides[0] + 1
    window = call.builder.add(call.module, "window", SlidingWindow(
        height=tensor.height, width=tensor.width, channels=tensor.channels, dtype=tensor.dtype,
        kernel_height=kernel_height, kernel_width=kernel_width, stride=strides[0],
        padding_top=top, padding_left=left, output_height=height, output_width=width, groups=1,
    ), (source.tensor,))  # fmt: skip
    pooled = call.builder.add(call.module, "", MaxPool(
        height=height, width=width, channels=tensor.channels, kernel_height=kernel_height,
        kernel_width=kernel_width, dtype=tensor.dtype, groups=1,
    ), (window,))  # fmt: skip
    call.builder.share(pooled, call.output, np.full(tensor.channels, source.exponent))
    return Quantized(pooled, source.exponent, 4)


def reduce_sum(call: Call) -> Value:
    """ReduceSum over H and W → GlobalPool."""
    return _global(call, 1)


def reduce_mean(call: Call) -> Value:
    """ReduceMean over H and W, GlobalAveragePool → GlobalPool and a factor 1/(H·W)."""
    tensor = call.builder.tensors[call.quantized(0).tensor]
    pixels = tensor.height * tensor.width
    if pixels & (pixels - 1):
        raise SephwError(
            f"{call.where}: an average over {pixels} pixels is not exact; "
            "use sephw.nn.GlobalPool2d, whose factor is a power of two"
        )
    return _global(call, pixels)


def _global(call: Call, pixels: int) -> Value:
    source = call.quantized(0)
    tensor = call.builder.tensors[source.tensor]
    axes = call.attributes.get("axes")
    if axes is None and len(call.values) > 1 and call.values[1] is not None:
        axes = [int(a) for a in call.constant(1).reshape(-1)]
    if axes is not None and sorted(a % 4 for a in axes) != [2, 3]:
        raise SephwError(f"{call.where}: reduces axes {list(axes)}; only height and width")
    keep = call.node.op_type == "GlobalAveragePool" or call.attributes.get("keepdims", 1)
    pooled = call.builder.add(call.module, "", GlobalPool(
        height=tensor.height, width=tensor.width, channels=tensor.channels, dtype=tensor.dtype,
    ), (source.tensor,))  # fmt: skip
    exponent = source.exponent + (pixels - 1).bit_length()
    call.builder.share(pooled, call.output, np.full(tensor.channels, exponent))
    coefficient = np.full(tensor.channels, 2.0**-exponent)
    return Sum((Branch(pooled, coefficient),), np.zeros(tensor.channels), 4 if keep else 2)


def reshape(call: Call) -> Value:
    """Flatten, Reshape, Squeeze of a 1×1 map: only the rank changes."""
    value = call.values[0]
    if isinstance(value, Constant) or value is None:
        raise SephwError(f"{call.where}: reshape of a constant that was not folded")
    name = value.tensor if isinstance(value, Quantized) else value.branches[0].tensor
    tensor = call.builder.tensors[name]
    if tensor.height * tensor.width != 1:
        raise SephwError(
            f"{call.where}: flattens a {tensor.height}×{tensor.width} map; "
            "pool to 1×1 first (sephw.nn.GlobalPool2d)"
        )
    return replace(value, rank=2)


def identity(call: Call) -> Value:
    """Identity and Dropout at inference."""
    value = call.values[0]
    assert value is not None
    return value


def transpose(call: Call) -> Value:
    """Transpose of constant weights."""
    value = call.values[0]
    if not isinstance(value, Constant):
        raise SephwError(f"{call.where}: transposes an activation; only weights can be transposed")
    permutation = call.attributes.get("perm")
    return Constant(np.transpose(value.data, permutation), value.bipolar)


def join(call: Call, value: Sum, exponent: int | None, dtype: IntType | None, suffix: str) -> str:
    """Append the Join that computes ``value``; returns its tensor.

    ``exponent`` and ``dtype`` of the quantized result; None for logits, which keep every bit.
    Raises SephwError where float32 could have rounded (the 24-bit budget).
    """
    builder, where = call.builder, call.where
    parts = [dyadic(b.coefficient, where) for b in value.branches]
    bias_mantissa, bias_power = dyadic(value.constant, where)
    powers = np.stack([*(p for _, p in parts), bias_power])
    own = powers.max(axis=0) if exponent is None else np.maximum(powers.max(axis=0), exponent)
    _prove(call, value, parts, own)
    common = int(own.max())
    mantissas = np.stack([m for m, _ in parts])
    shifts = np.where(mantissas == 0, 0, common - np.stack([p for _, p in parts]))
    bias = bias_mantissa << (common - bias_power)
    types = tuple(builder.tensors[b.tensor].dtype for b in value.branches)
    first = builder.tensors[value.branches[0].tensor]
    shared: dict[str, Any] = {
        "height": first.height, "width": first.width, "channels": first.channels,
        "input_dtypes": types, "mantissas": mantissas, "shifts": shifts, "bias": bias,
    }  # fmt: skip
    if dtype is None:
        low, high = _range(value, builder, parts, common, bias)
        dtype = IntType.covering(low, high)
        dtype = IntType(dtype.bits + (not dtype.signed), signed=True)
        exponent = common
    assert exponent is not None
    operator = Join(**shared, shift=common - exponent, output_dtype=dtype)
    tensor = builder.add(call.module, suffix, operator, tuple(b.tensor for b in value.branches))
    if suffix:
        builder.share(tensor, call.output, np.full(first.channels, exponent), is_output=True)
    return tensor


def _prove(call: Call, value: Sum, parts: list[Any], own: np.ndarray) -> None:
    total = np.ceil(np.abs(value.constant) * np.exp2(own))
    for branch, (mantissa, power) in zip(value.branches, parts, strict=True):
        dtype = call.builder.tensors[branch.tensor].dtype
        largest = max(dtype.max, -dtype.min)
        total = total + np.abs(mantissa) * float(largest) * np.exp2(own - power)
    # Types are powers of two, up to one bit wider than the intervals freeze proved.
    if total.max() >= 2.0 ** (BUDGET_BITS + 1):
        raise SephwError(
            f"{call.where}: needs {int(np.log2(total.max())) + 1} bits, more than float32 holds "
            "exactly; freeze the network with sephw first"
        )


def _range(
    value: Sum, builder: Builder, parts: list[Any], common: int, bias: np.ndarray
) -> tuple[int, int]:
    low, high = bias.copy(), bias.copy()
    for branch, (mantissa, power) in zip(value.branches, parts, strict=True):
        dtype = builder.tensors[branch.tensor].dtype
        factor = mantissa << np.where(mantissa == 0, 0, common - power)
        low += np.minimum(factor * dtype.min, factor * dtype.max)
        high += np.maximum(factor * dtype.min, factor * dtype.max)
    return int(low.min()), int(high.max())


HANDLERS: dict[str, Callable[[Call], Value]] = {
    "Add": add,
    "BipolarQuant": bipolar_quant,
    "Conv": conv,
    "Dropout": identity,
    "Flatten": reshape,
    "Gemm": gemm,
    "GlobalAveragePool": reduce_mean,
    "Identity": identity,
    "MatMul": matmul,
    "MaxPool": max_pool,
    "Mul": multiply,
    "Quant": quant,
    "ReduceMean": reduce_mean,
    "ReduceSum": reduce_sum,
    "Relu": relu,
    "Reshape": reshape,
    "Squeeze": reshape,
    "Transpose": transpose,
}
