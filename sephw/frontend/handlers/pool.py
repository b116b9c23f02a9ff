"""MaxPool, AveragePool, ReduceSum, ReduceMean, GlobalAveragePool."""

from __future__ import annotations

import numpy as np

from sephw.errors import SephwError
from sephw.frontend.call import Call
from sephw.frontend.values import Average, Branch, Quantized, Sum, Value
from sephw.ops.average_pool import AveragePool
from sephw.ops.global_pool import GlobalPool
from sephw.ops.max_pool import MaxPool
from sephw.ops.sliding_window import SlidingWindow


def max_pool(call: Call) -> Value:
    """MaxPool → SlidingWindow and MaxPool; zero padding is neutral for unsigned values."""
    source, size, kernel, window = _window(call)
    tensor = call.builder.tensors[source.tensor]
    pooled = call.builder.add(call.module, "", MaxPool(
        height=size[0], width=size[1], channels=tensor.channels, kernel_height=kernel[0],
        kernel_width=kernel[1], dtype=tensor.dtype, groups=1,
    ), (window,))  # fmt: skip
    call.builder.share(pooled, call.output, np.full(tensor.channels, source.exponent))
    return Quantized(pooled, source.exponent, 4)


def average_pool(call: Call) -> Value:
    """AveragePool → SlidingWindow and AveragePool, exact sums; padding counts as zeros."""
    if call.attributes.get("ceil_mode", 0):
        raise SephwError(f"{call.where}: ceil_mode is not supported; pad instead")
    if any(call.attributes.get("pads", [0])) and not call.attributes.get("count_include_pad", 0):
        raise SephwError(
            f"{call.where}: averages at the border are over fewer values; "
            "set count_include_pad=True"
        )
    source, size, kernel, window = _window(call)
    tensor = call.builder.tensors[source.tensor]
    pooled = call.builder.add(call.module, "", AveragePool(
        height=size[0], width=size[1], channels=tensor.channels, kernel_height=kernel[0],
        kernel_width=kernel[1], dtype=tensor.dtype, groups=1,
    ), (window,))  # fmt: skip
    count = kernel[0] * kernel[1]
    if count & (count - 1):
        return Average(pooled, source.exponent, count, 4)
    exponent = source.exponent + count.bit_length() - 1
    call.builder.share(pooled, call.output, np.full(tensor.channels, exponent))
    coefficient = np.full(tensor.channels, 2.0**-exponent)
    return Sum((Branch(pooled, coefficient),), np.zeros(tensor.channels), 4)


def _window(call: Call) -> tuple[Quantized, tuple[int, int], tuple[int, int], str]:
    """The input, the output's size, the kernel, and the tensor of the SlidingWindow added."""
    source = call.quantized(0)
    tensor = call.builder.tensors[source.tensor]
    kernel_height, kernel_width = call.attributes["kernel_shape"]
    strides = list(call.attributes.get("strides", [1, 1]))
    top, left, bottom, right = call.attributes.get("pads", [0, 0, 0, 0])
    if (
        strides[0] != strides[1]
        or list(call.attributes.get("dilations", [1, 1])) != [1, 1]
        or str(call.attributes.get("auto_pad", "NOTSET")) not in ("NOTSET", "VALID")
    ):
        raise SephwError(f"{call.where}: dilation, unequal strides and auto_pad are not supported")
    ceil = bool(call.attributes.get("ceil_mode", 0))
    size = (
        _outputs(tensor.height, kernel_height, strides[0], top, bottom, ceil),
        _outputs(tensor.width, kernel_width, strides[0], left, right, ceil),
    )
    window = call.builder.add(call.module, "window", SlidingWindow(
        height=tensor.height, width=tensor.width, channels=tensor.channels, dtype=tensor.dtype,
        kernel_height=kernel_height, kernel_width=kernel_width, stride=strides[0],
        padding_top=top, padding_left=left, output_height=size[0], output_width=size[1], groups=1,
    ), (source.tensor,))  # fmt: skip
    return source, size, (kernel_height, kernel_width), window


def _outputs(size: int, kernel: int, stride: int, before: int, after: int, ceil: bool) -> int:
    """Windows along one side; with ``ceil`` the last may reach beyond the map, not start there."""
    room = size + before + after - kernel
    if not ceil:
        return room // stride + 1
    outputs = -(-room // stride) + 1
    return outputs - 1 if (outputs - 1) * stride >= size + before else outputs


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
