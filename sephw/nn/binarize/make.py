"""Construction of layers of `sephw.nn` from a torch layer's weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sephw.errors import SephwError
from sephw.nn.geometry import padding_fault, pair
from sephw.nn.layers import PatternConv2d, PointwiseConv2d, QuantConv2d, QuantLinear


def check_conv(where: str, path: str, conv: nn.Conv2d, pattern: bool) -> tuple[int, int]:
    """The padding of ``conv`` in pixels. Raises SephwError where the engines cannot compute it."""
    if pair(conv.dilation) != (1, 1):
        raise SephwError(f"{where}: dilation {pair(conv.dilation)}; use a dilation of 1")
    if conv.stride[0] != conv.stride[1]:
        raise SephwError(f"{where}: unequal strides {pair(conv.stride)}; use one stride")
    if conv.padding_mode != "zeros":
        raise SephwError(
            f"{where}: padding_mode '{conv.padding_mode}'; only zeros can enter at the border, "
            "use padding_mode='zeros'"
        )
    height, width = conv.kernel_size
    if pattern and (height % 2 == 0 or width % 2 == 0):
        raise SephwError(
            f"{where}: a pattern of even size {height}×{width}; use an odd kernel, or leave the "
            f"layer 8-bit with keep={path!r}"
        )
    if conv.padding == "valid":
        return 0, 0
    if isinstance(conv.padding, str):
        if height % 2 == 0 or width % 2 == 0:
            raise SephwError(
                f"{where}: padding='same' of an even kernel is unequal on both sides; "
                "use an odd kernel"
            )
        return height // 2, width // 2
    fault = padding_fault(conv.kernel_size, conv.padding)
    if fault is not None:
        raise SephwError(f"{where}: {fault}")
    return pair(conv.padding)


def make_conv(
    conv: nn.Conv2d, padding: tuple[int, int], pattern: bool, scale_bits: int, gain: Tensor
) -> QuantConv2d | PatternConv2d:
    """The replacement of ``conv`` for an input that is ``gain`` (C,) times the original one."""
    has_bias = conv.bias is not None
    made: QuantConv2d | PatternConv2d
    stride = conv.stride[0]
    kernel = (conv.kernel_size[0], conv.kernel_size[1])
    channels = (conv.in_channels, conv.out_channels)
    if pattern:
        made = PatternConv2d(*channels, kernel, stride, padding, conv.groups, scale_bits, has_bias)
    elif kernel == (1, 1) and padding == (0, 0):
        made = PointwiseConv2d(*channels, stride, conv.groups, has_bias)
    else:
        made = QuantConv2d(*channels, kernel, stride, padding, conv.groups, has_bias)
    grouped = conv.weight.detach().double().unflatten(0, (conv.groups, -1))
    made.double()
    share = gain.view(conv.groups, 1, -1, 1, 1)
    with torch.no_grad():
        made.weight.copy_((grouped / share).flatten(0, 1))
        if conv.bias is not None:
            made.bias = nn.Parameter(conv.bias.detach().double())
    return made


def make_linear(linear: nn.Linear, gain: Tensor) -> QuantLinear:
    """The replacement of ``linear``; ``gain`` as for `make_conv`."""
    return _filled_linear(linear.weight, linear.bias, gain)


def make_linear_from_conv(conv: nn.Conv2d, gain: Tensor) -> QuantLinear:
    """A 1×1 convolution without groups as the linear layer of a 1×1 map."""
    return _filled_linear(conv.weight.flatten(1), conv.bias, gain)


def make_flattened_linear(linear: nn.Linear, shape: tuple[int, ...], gain: Tensor) -> QuantConv2d:
    """``linear`` behind a flattened map (C, H, W) as a convolution with a kernel of H×W."""
    channels, height, width = shape
    size = (height, width)
    made = QuantConv2d(channels, linear.out_features, size, bias=linear.bias is not None)
    made.double()
    with torch.no_grad():
        weight = linear.weight.detach().double().unflatten(1, shape)
        made.weight.copy_(weight / gain.view(1, -1, 1, 1))
        if linear.bias is not None:
            made.bias.copy_(linear.bias)
    return made


def _filled_linear(weight: Tensor, bias: Tensor | None, gain: Tensor) -> QuantLinear:
    made = QuantLinear(weight.shape[1], weight.shape[0], bias is not None)
    made.double()
    with torch.no_grad():
        made.weight.copy_(weight.detach().double() / gain)
        if bias is not None:
            made.bias.copy_(bias)
    return made
