"""Conv, Gemm, MatMul → SlidingWindow, PatternConv, Conv8."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sephw.errors import SephwError
from sephw.frontend.call import Call, per_channel
from sephw.frontend.values import Branch, Constant, Quantized, Real, Sum, Value, integer_rows
from sephw.ops.conv8 import Conv8
from sephw.ops.pattern_conv import PatternConv
from sephw.ops.sliding_window import SlidingWindow


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
