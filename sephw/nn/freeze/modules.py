"""Modules of the deploy network: dyadic constants only, exact in float32.

Each has an ``accumulator``, an identity whose output is the integer accumulator times a power
of two: the point where representations are compared.
"""

from __future__ import annotations

import brevitas.nn as qnn
import numpy as np
import torch
from torch import Tensor, nn

from sephw.exact_sums import Int
from sephw.nn.freeze.terms import PatternTerm, WeightTerm
from sephw.nn.layers import AveragePool2d, PatternConv2d, QuantConv2d, QuantLinear
from sephw.nn.quantizers import ExactWeight, UnitPatternWeight, floor_activation


def _column(values: Int, exponent: Int, rank: int) -> Tensor:
    numbers = torch.from_numpy(np.ldexp(values.astype(np.float64), -exponent)).float()
    return numbers.view(1, -1, *([1] * (rank - 2)))


class DeployPatternConv2d(qnn.QuantConv2d):
    """Σ ±x, then one dyadic factor M·2^-p per channel."""

    def __init__(self, layer: PatternConv2d, term: PatternTerm) -> None:
        super().__init__(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            stride=layer.stride,
            padding=layer.padding,
            groups=layer.groups,
            bias=False,
            weight_quant=UnitPatternWeight,
        )
        self.weight.data = torch.from_numpy(term.patterns).float().view_as(self.weight)
        self.accumulator = nn.Identity()
        self.register_buffer("factor", _column(term.mantissa, term.scale_exponent, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.accumulator(super().forward(x)) * self.factor


class DeployConv2d(qnn.QuantConv2d):
    """Convolution with int8 weights, one power-of-two scale per output channel."""

    def __init__(self, layer: QuantConv2d, term: WeightTerm) -> None:
        super().__init__(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            stride=layer.stride,
            padding=layer.padding,
            groups=layer.groups,
            bias=False,
            weight_quant=ExactWeight,
            weight_scaling_init=_scale(term).view(-1, 1, 1, 1),
        )
        self.weight.data = _weights(term).view_as(self.weight)
        self.accumulator = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.accumulator(super().forward(x))


class DeployLinear(qnn.QuantLinear):
    """Linear layer with int8 weights; ``offset`` only where no quantizer follows (logits)."""

    def __init__(self, layer: QuantLinear, term: WeightTerm) -> None:
        super().__init__(
            layer.in_features,
            layer.out_features,
            bias=False,
            weight_quant=ExactWeight,
            weight_scaling_init=_scale(term).view(-1, 1),
        )
        self.weight.data = _weights(term).view_as(self.weight)
        self.accumulator = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.accumulator(super().forward(x))


def _scale(term: WeightTerm) -> Tensor:
    return torch.from_numpy(np.exp2(-term.weight_exponent.astype(np.float64))).float()


def _weights(term: WeightTerm) -> Tensor:
    exponent = term.weight_exponent[:, None]
    return torch.from_numpy(np.ldexp(term.weights.astype(np.float64), -exponent)).float()


class DeployGlobalPool2d(nn.Module):
    """Σ over the pixels, then 2^-shift."""

    def __init__(self, shift: int) -> None:
        super().__init__()
        self.factor = 2.0**-shift
        self.accumulator = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.accumulator(torch.sum(x, dim=(2, 3))) * self.factor


class DeployAveragePool2d(AveragePool2d):
    """Σ over each window (zeros outside), times 2^-⌈log2(k·k)⌉, exact in float32.

    ONNX has only the average, so it is written as average · (k·k · 2^-n). That is exact where
    dividing an integer by k·k and multiplying it again gives the integer back, which
    ``average_is_exact`` establishes for every sum that can occur.
    """

    def __init__(self, layer: AveragePool2d) -> None:
        super().__init__(layer.kernel_size, layer.stride, layer.padding)


class DeployReLU(qnn.QuantReLU):
    """Join's tail: add the offset (biases and half an LSB), clip at 0, floor, saturate."""

    def __init__(self, bits: int, output_exponent: int, offset: Int, exponent: Int, rank: int):
        super().__init__(act_quant=floor_activation(bits, output_exponent))
        self.register_buffer("offset", _column(offset, exponent, rank))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x + self.offset)


class DeployOffset(nn.Module):
    """Adds the logits' bias."""

    def __init__(self, offset: Int, exponent: Int, rank: int) -> None:
        super().__init__()
        self.register_buffer("offset", _column(offset, exponent, rank))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.offset


class DeployInput(qnn.QuantIdentity):
    """Declares the input's type: uint8 · 2^-8. An identity on such images."""

    def __init__(self) -> None:
        super().__init__(act_quant=floor_activation(8, INPUT_EXPONENT))


INPUT_EXPONENT = 8
INPUT_BITS = 8
