"""Brevitas quantizers of the numerics contract: every scale is a power of two, or α = mean|W|."""

from typing import Any

import torch
from brevitas.core.zero_point import ZeroZeroPoint
from brevitas.function.ops_ste import floor_ste
from brevitas.inject.enum import (
    BitWidthImplType,
    FloatToIntImplType,
    QuantType,
    RestrictValueType,
    ScalingImplType,
    StatsOp,
)
from brevitas.quant.fixed_point import Int8WeightPerChannelFixedPoint
from brevitas.quant.solver import ActQuantSolver, WeightQuantSolver
from torch import Tensor, nn

__all__ = [
    "ExactWeight",
    "PatternWeight",
    "PowerOfTwoActivation",
    "PowerOfTwoWeight",
    "RoundHalfUp",
    "UnitPatternWeight",
    "floor_activation",
]


class RoundHalfUp(nn.Module):
    """floor(x + 1/2) with a straight-through gradient: the rounding that hardware shifts do."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        """Round ``x`` elementwise; same shape and dtype."""
        return floor_ste(x + 0.5)


class ExponentScaling(nn.Module):
    """Activation scale 2^-exponent with the exponent in a buffer, set by calibration."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("exponent", torch.tensor(0.0))

    def forward(self, x: Tensor, threshold: Tensor) -> Tensor:
        """Scalar scale; ``x`` and ``threshold`` are part of Brevitas' interface and unused."""
        return torch.exp2(-self.exponent)


class _IntegerGrid(nn.Module):
    """Integer threshold of 1: the scaling above already is the step, not the range."""

    # Brevitas' injector refuses constructors with arbitrary arguments.
    def __init__(self) -> None:
        super().__init__()

    def forward(self, bit_width: Tensor) -> Tensor:
        return torch.ones_like(bit_width)


class _Signs(WeightQuantSolver):
    """The common base of both pattern quantizers: one bit, sign(0) = +1."""

    quant_type = QuantType.BINARY
    bit_width_impl_type = BitWidthImplType.CONST
    bit_width = 1
    signed = True
    narrow_range = True
    zero_point_impl = ZeroZeroPoint
    restrict_scaling_type = RestrictValueType.FP


class PatternWeight(_Signs):
    """1-bit weights α·sign(W), sign(0) = +1, α = mean|W| per output filter (arXiv 1706.03912)."""

    scaling_impl_type = ScalingImplType.STATS
    scaling_stats_op = StatsOp.AVE
    scaling_per_output_channel = True


class UnitPatternWeight(_Signs):
    """1-bit weights −1/+1 without a scale, as the deploy network holds them."""

    scaling_impl_type = ScalingImplType.CONST
    scaling_init = 1.0
    scaling_per_output_channel = False


class PowerOfTwoWeight(Int8WeightPerChannelFixedPoint):
    """8-bit weights −127..127, one power-of-two scale per output channel, from max|W|."""


class ExactWeight(WeightQuantSolver):
    """8-bit weights with given per-channel scales (``weight_scaling_init``), for deployment."""

    quant_type = QuantType.INT
    bit_width_impl_type = BitWidthImplType.CONST
    bit_width = 8
    signed = True
    narrow_range = True
    float_to_int_impl_type = FloatToIntImplType.ROUND
    zero_point_impl = ZeroZeroPoint
    scaling_impl_type = ScalingImplType.CONST
    int_scaling_impl = _IntegerGrid
    restrict_scaling_type = RestrictValueType.FP
    scaling_per_output_channel = True


class _UnsignedGrid(ActQuantSolver):
    """The common base of both activation quantizers: unsigned integers times one step per
    tensor.
    """

    quant_type = QuantType.INT
    bit_width_impl_type = BitWidthImplType.CONST
    signed = False
    narrow_range = False
    zero_point_impl = ZeroZeroPoint
    int_scaling_impl = _IntegerGrid
    scaling_per_output_channel = False


class PowerOfTwoActivation(_UnsignedGrid):
    """Unsigned activations on a calibrated power-of-two grid, rounded half up."""

    bit_width = 8
    float_to_int_impl = RoundHalfUp
    scaling_impl = ExponentScaling


class _FloorActivation(_UnsignedGrid):
    float_to_int_impl_type = FloatToIntImplType.FLOOR
    scaling_impl_type = ScalingImplType.CONST
    restrict_scaling_type = RestrictValueType.FP


def floor_activation(bits: int, exponent: int) -> Any:
    """Deploy-side quantizer: clip(floor(x · 2^exponent), 0, 2^bits − 1) · 2^-exponent."""
    return _FloorActivation.let(bit_width=bits, scaling_init=2.0**-exponent)
