"""Layers of `sephw.nn` with a torch layer's weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sephw.errors import SephwError
from sephw.nn.binarize.words import pair
from sephw.nn.layers import PatternConv2d, PointwiseConv2d, QuantConv2d, QuantLinear


def check_conv(where: str, conv: nn.Conv2d, pattern: bool) -> tuple[int, int]:
    """Its padding as numbers; SephwError where the engines cannot compute it."""
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
            "layer 8-bit with keep="
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
    return pair(conv.padding)


def make_conv(
    conv: nn.Conv2d, padding: tuple[int, int], pattern: bool, scale_bits: int, gain: Tensor
) -> QuantConv2d | PatternConv2d:
    """The layer that takes ``conv``'s place where its input is ``gain`` (C,) times the original."""
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
    share = gain.view(conv.groups, 1, -1, 1, 1)
    with torch.no_grad():
        made.weight.copy_((grouped / share).flatten(0, 1))
        if conv.bias is not None:
            made.bias = nn.Parameter(conv.bias.detach().clone())
    return made


def make_linear(linear: nn.Linear, gain: Tensor) -> QuantLinear:
    """The layer that takes ``linear``'s place; ``gain`` as for `make_conv`."""
    made = QuantLinear(linear.in_features, linear.out_features, linear.bias is not None)
    with torch.no_grad():
        made.weight.copy_(linear.weight.detach().double() / gain)
        if linear.bias is not None:
            made.bias.copy_(linear.bias)
    return made
