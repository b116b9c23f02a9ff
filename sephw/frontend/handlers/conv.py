"""Conv, Gemm, MatMul → SlidingWindow, PatternConv, Conv8."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sephw.errors import SephwError
from sephw.exact_sums import Real, within_range
from sephw.frontend.call import NodeCall, per_channel
from sephw.frontend.handler import NoAttributes
from sephw.frontend.values import (
    Constant,
    Quantized,
    Sum,
    Unrolled,
    Value,
    integer_rows,
    single,
)
from sephw.frontend.window import KernelWindow, WindowAttributes, add_window, window_of
from sephw.ir import IntType
from sephw.ops.conv8 import Conv8
from sephw.ops.pattern_conv import PatternConv

_STAND_IN_TYPE = IntType(16, signed=True)


@dataclass(frozen=True)
class ConvAttributes:
    """The attributes of Conv."""

    auto_pad: str = "NOTSET"
    dilations: tuple[int, ...] | None = None
    group: int = 1
    kernel_shape: tuple[int, ...] | None = None
    pads: tuple[int, ...] | None = None
    strides: tuple[int, ...] | None = None


@dataclass(frozen=True)
class GemmAttributes:
    """The attributes of Gemm: alpha·A·B + beta·C."""

    alpha: float = 1.0
    beta: float = 1.0
    transA: bool = False  # noqa: N815
    transB: bool = False  # noqa: N815


def conv(call: NodeCall, given: ConvAttributes) -> Value:
    """Conv → SlidingWindow (unless 1×1, stride 1) and PatternConv or Conv8."""
    source = call.quantized(0)
    tensor = call.builder.tensors[source.tensor]
    weights = np.asarray(call.constant(1), np.float64)
    if weights.ndim != 4 or source.rank != 4:
        raise SephwError(
            f"{call.where}: weights of {weights.ndim} axes on an input of {source.rank}; both must "
            "have 4: use 2-D convolutions"
        )
    out_channels, per_group, *kernel = weights.shape
    groups = given.group
    if groups < 1 or out_channels % groups or per_group * groups != tensor.channels:
        raise SephwError(
            f"{call.where}: weights {_shape(weights)} in {groups} groups do not fit its input's "
            f"{tensor.channels} channels; export it again"
        )
    if given.kernel_shape not in (None, tuple(kernel)):
        raise SephwError(
            f"{call.where}: kernel_shape {list(given.kernel_shape or ())}, but its weights are "
            f"{_shape(weights)}; export it again"
        )
    attributes = WindowAttributes(
        tuple(kernel), given.strides, given.pads, given.dilations, given.auto_pad
    )
    window = window_of(call, tensor, attributes)
    call.builder.pads[call.output] = window.pads
    read = source.tensor
    if window.kernel != (1, 1) or window.stride > 1:
        read = add_window(call, source.tensor, window, groups)
    elif any(window.pads):
        raise SephwError(f"{call.where}: padding of a 1×1 kernel; use no padding")
    rows = weights.transpose(0, 2, 3, 1).reshape(out_channels, -1)
    bias = _bias(call, out_channels)
    return _engine(call, source, read, rows, bias, window.outputs, window.kernel, groups)


def matmul(call: NodeCall, given: NoAttributes) -> Value:
    """MatMul with constant (inputs, outputs) weights → Conv8 on a 1×1 or flattened map."""
    return _linear(call, _matrix(call).T, None)


def gemm(call: NodeCall, given: GemmAttributes) -> Value:
    """Gemm with constant weights and optional bias → Conv8 on a 1×1 or flattened map."""
    if given.transA or given.alpha != 1.0 or given.beta != 1.0:
        raise SephwError(
            f"{call.where}: only alpha = beta = 1 and an untransposed input; put the factors into "
            "weights and bias"
        )
    rows = _matrix(call) if given.transB else _matrix(call).T
    bias = None
    if call.optional(2) is not None:
        bias = per_channel(call, call.constant(2), len(rows), 2)
    return _linear(call, rows, bias)


def _matrix(call: NodeCall) -> Real:
    weights = np.asarray(call.constant(1), np.float64)
    if weights.ndim != 2:
        raise SephwError(f"{call.where}: weights {_shape(weights)}; it takes a matrix")
    return weights


def _bias(call: NodeCall, channels: int) -> Real | None:
    if call.optional(2) is None:
        return None
    bias = np.asarray(call.constant(2), np.float64)
    if bias.shape != (channels,):
        raise SephwError(
            f"{call.where}: a bias of shape {_shape(bias)} for {channels} channels; export it again"
        )
    return bias


def _linear(call: NodeCall, rows: Real, bias: Real | None) -> Sum:
    """A 1×1 convolution of a 1×1 map; of a flattened map one as large as the map."""
    given = call.value(0)
    source = Quantized(given.tensor, given.exponent, 2) if isinstance(given, Unrolled) else None
    source = source or call.quantized(0)
    tensor = call.builder.tensors[source.tensor]
    if source.rank != 2:
        raise SephwError(
            f"{call.where}: reads a map of {source.rank} axes; put Flatten (axis 1) before it"
        )
    if rows.shape[1] != tensor.elements:
        raise SephwError(
            f"{call.where}: weights for {rows.shape[1]} inputs, but it reads {tensor.elements}; "
            "export it again"
        )
    kernel = (tensor.height, tensor.width)
    if kernel == (1, 1):
        return _engine(call, source, source.tensor, rows, bias, (1, 1), kernel, 1)
    read = add_window(call, source.tensor, KernelWindow(kernel, (1, 1), (0, 0), (0, 0), 1))
    # ONNX flattens channel by channel, windows come pixel by pixel.
    maps = rows.reshape(len(rows), tensor.channels, *kernel).transpose(0, 2, 3, 1)
    return _engine(call, source, read, maps.reshape(len(rows), -1), bias, (1, 1), kernel, 1)


def _engine(
    call: NodeCall,
    source: Quantized,
    window: str,
    rows: Real,
    bias: Real | None,
    size: tuple[int, int],
    kernel: tuple[int, int],
    groups: int,
) -> Sum:
    """As `_exact_engine`; a sum of the same size in its place where that is refused."""
    return call.attempt(
        lambda: _exact_engine(call, source, window, rows, bias, size, kernel, groups),
        lambda: _stand_in(call, len(rows), size, source.rank),
    )


def _stand_in(call: NodeCall, channels: int, size: tuple[int, int], rank: int) -> Sum:
    tensor = call.builder.stand_in(call.label, (*size, channels), _STAND_IN_TYPE)
    return single(tensor, np.ones(channels), rank)


def _exact_engine(
    call: NodeCall,
    source: Quantized,
    window: str,
    rows: Real,
    bias: Real | None,
    size: tuple[int, int],
    kernel: tuple[int, int],
    groups: int,
) -> Sum:
    """The engine of ``rows``, (out_channels, taps · channels of a group), and its bias."""
    out_channels = rows.shape[0]
    integers, exponent = integer_rows(rows, call.where)
    tensor = call.builder.tensors[source.tensor]
    magnitude = np.ones(out_channels)
    if _is_pattern(call.value(1), rows):
        magnitude = np.abs(integers[:, 0]).astype(np.float64)
        operator: PatternConv | Conv8 = PatternConv(
            height=size[0],
            width=size[1],
            in_channels=tensor.channels,
            out_channels=out_channels,
            kernel_height=kernel[0],
            kernel_width=kernel[1],
            groups=groups,
            input_dtype=tensor.dtype,
            patterns=np.sign(integers),
        )
    elif np.abs(integers).max() > 128 or integers.max() > 127:
        raise SephwError(
            f"{call.where}: weights need more than 8 bits on a power-of-two grid; give them a "
            "Quant of at most 8 bits and a power-of-two scale (stage BQ)"
        )
    else:
        operator = Conv8(
            height=size[0],
            width=size[1],
            in_channels=tensor.channels,
            out_channels=out_channels,
            kernel_height=kernel[0],
            kernel_width=kernel[1],
            groups=groups,
            input_dtype=tensor.dtype,
            weights=integers,
        )
    acc = call.builder.add(call.label, "", operator, (window,))
    exponents = (exponent + source.exponent).astype(np.int64)
    if not within_range(np.exp2(-exponents.astype(np.float64))):
        raise SephwError(
            f"{call.where}: its sums have steps as far from 1 as 2^±{np.abs(exponents).max()}, "
            "where float32 may round; rescale the layer"
        )
    # A scale inside of ±1 weights leaves no bare accumulator to compare.
    if (magnitude == 1).all():
        call.share(acc, exponents, bias)
    coefficient = magnitude * np.exp2(-exponents.astype(np.float64))
    made = single(acc, coefficient, source.rank)
    # Tools add a bias before, among or behind the products: no chain says in what order.
    return made if bias is None else made.plus(bias)


def _is_pattern(weights: Value, rows: Real) -> bool:
    """Whether the weights are ±scale with one scale per filter, of a BipolarQuant."""
    if not isinstance(weights, Constant) or not weights.bipolar:
        return False
    magnitudes = np.abs(rows)
    return bool((magnitudes == magnitudes[:, :1]).all() and magnitudes.all())


def _shape(array: Any) -> str:
    return f"({', '.join(map(str, array.shape))})"
