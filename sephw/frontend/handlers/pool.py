"""MaxPool, AveragePool, ReduceSum, ReduceMean, GlobalAveragePool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sephw.errors import SephwError
from sephw.frontend.call import NodeCall
from sephw.frontend.handler import NoAttributes
from sephw.frontend.values import Average, Quantized, Sum, Value, single
from sephw.frontend.window import KernelWindow, WindowAttributes, add_window, window_of
from sephw.ops.average_pool import AveragePool
from sephw.ops.global_pool import GlobalPool
from sephw.ops.max_pool import MaxPool


@dataclass(frozen=True)
class MaxPoolAttributes:
    """The attributes of MaxPool; ``storage_order`` concerns the indices, which are not computed."""

    kernel_shape: tuple[int, ...]
    auto_pad: str = "NOTSET"
    ceil_mode: bool = False
    dilations: tuple[int, ...] | None = None
    pads: tuple[int, ...] | None = None
    storage_order: bool = False
    strides: tuple[int, ...] | None = None


@dataclass(frozen=True)
class AveragePoolAttributes:
    """The attributes of AveragePool."""

    kernel_shape: tuple[int, ...]
    auto_pad: str = "NOTSET"
    ceil_mode: bool = False
    count_include_pad: bool = False
    dilations: tuple[int, ...] | None = None
    pads: tuple[int, ...] | None = None
    strides: tuple[int, ...] | None = None


@dataclass(frozen=True)
class ReduceAttributes:
    """The attributes of ReduceSum and ReduceMean; ``axes`` is an input in later opsets."""

    axes: tuple[int, ...] | None = None
    keepdims: bool = True
    noop_with_empty_axes: bool = False


def max_pool(call: NodeCall, given: MaxPoolAttributes) -> Value:
    """MaxPool → SlidingWindow and MaxPool; zero padding is neutral for unsigned values."""
    source = _map(call)
    tensor = call.builder.tensors[source.tensor]
    window = window_of(
        call,
        tensor,
        WindowAttributes(
            given.kernel_shape,
            given.strides,
            given.pads,
            given.dilations,
            given.auto_pad,
            given.ceil_mode,
        ),
    )
    call.builder.pads[call.output] = window.pads
    pooled = _pooled(call, MaxPool, source, window)
    call.share(pooled, np.full(tensor.channels, source.exponent))
    return Quantized(pooled, source.exponent, 4)


def average_pool(call: NodeCall, given: AveragePoolAttributes) -> Value:
    """AveragePool → SlidingWindow and AveragePool, exact sums; padding counts as zeros."""
    source = _map(call)
    tensor = call.builder.tensors[source.tensor]
    plain, window = (
        window_of(
            call,
            tensor,
            WindowAttributes(
                given.kernel_shape,
                given.strides,
                given.pads,
                given.dilations,
                given.auto_pad,
                ceil,
            ),
        )
        for ceil in (False, given.ceil_mode)
    )
    if window != plain:
        raise SephwError(
            f"{call.where}: ceil_mode adds windows that reach beyond the map and average over "
            "fewer values; pad instead, with ceil_mode=0 and count_include_pad=1"
        )
    if any(window.pads) and not given.count_include_pad:
        raise SephwError(
            f"{call.where}: averages at the border are over fewer values; use count_include_pad=1"
        )
    call.builder.pads[call.output] = window.pads
    pooled = _pooled(call, AveragePool, source, window)
    count = window.kernel[0] * window.kernel[1]
    if count & (count - 1):
        return Average(pooled, source.exponent, count, 4)
    exponent = source.exponent + count.bit_length() - 1
    call.share(pooled, np.full(tensor.channels, exponent))
    return _scaled(call, pooled, exponent, 4)


def reduce_sum(call: NodeCall, given: ReduceAttributes) -> Value:
    """ReduceSum over H and W → GlobalPool."""
    return _global(call, 1, _rank(call, given))


def reduce_mean(call: NodeCall, given: ReduceAttributes) -> Value:
    """ReduceMean over H and W → GlobalPool and a factor 1/(H·W)."""
    rank = _rank(call, given)
    return _global(call, _pixels(call), rank)


def global_average_pool(call: NodeCall, given: NoAttributes) -> Value:
    """GlobalAveragePool → GlobalPool and a factor 1/(H·W)."""
    return _global(call, _pixels(call), 4)


def _map(call: NodeCall) -> Quantized:
    """The input, a quantized tensor of 4 axes."""
    source = call.quantized(0)
    if source.rank != 4:
        raise SephwError(
            f"{call.where}: its input has {source.rank} axes, a map has 4; pool before Flatten"
        )
    return source


def _pooled(
    call: NodeCall,
    pool: type[MaxPool] | type[AveragePool],
    source: Quantized,
    window: KernelWindow,
) -> str:
    """Add a sliding window and the pool that reads it; returns the pool's output tensor."""
    tensor = call.builder.tensors[source.tensor]
    read = add_window(call, source.tensor, window)
    return call.builder.add(
        call.label,
        "",
        pool(
            height=window.outputs[0],
            width=window.outputs[1],
            channels=tensor.channels,
            kernel_height=window.kernel[0],
            kernel_width=window.kernel[1],
            dtype=tensor.dtype,
            groups=1,
        ),
        (read,),
    )


def _rank(call: NodeCall, given: ReduceAttributes) -> int:
    """Axes of the result; SephwError unless height and width are reduced, and no other axis."""
    _map(call)
    axes = given.axes if call.optional(1) is None else call.integers(1)
    if axes is None or sorted(a % 4 for a in axes if -4 <= a < 4) != [2, 3]:
        shown = "all axes" if not axes else f"axes {list(axes)}"
        raise SephwError(
            f"{call.where}: reduces {shown}; only height and width are reduced, give axes=[2, 3]"
        )
    return 4 if given.keepdims else 2


def _pixels(call: NodeCall) -> int:
    tensor = call.builder.tensors[_map(call).tensor]
    pixels = tensor.height * tensor.width
    if pixels & (pixels - 1):
        call.refuse(
            SephwError(
                f"{call.where}: an average over {pixels} pixels is not exact; use a ReduceSum over "
                f"axes 2 and 3 and a Mul by 2^-{(pixels - 1).bit_length()} (sephw.nn.GlobalPool2d)"
            )
        )
    return pixels


def _global(call: NodeCall, pixels: int, rank: int) -> Value:
    source = _map(call)
    tensor = call.builder.tensors[source.tensor]
    pooled = call.builder.add(
        call.label,
        "",
        GlobalPool(
            height=tensor.height,
            width=tensor.width,
            channels=tensor.channels,
            dtype=tensor.dtype,
        ),
        (source.tensor,),
    )
    exponent = source.exponent + (pixels - 1).bit_length()
    call.share(pooled, np.full(tensor.channels, exponent))
    return _scaled(call, pooled, exponent, rank)


def _scaled(call: NodeCall, tensor: str, exponent: int, rank: int) -> Sum:
    """The sum whose value is integer · 2^-exponent."""
    channels = call.builder.tensors[tensor].channels
    return single(tensor, np.full(channels, 2.0**-exponent), rank)
