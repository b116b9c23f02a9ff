"""The reader's knowledge of each ONNX tensor: image, constant, quantized, sum, or average."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.exact_sums import LARGEST_EXPONENT, Int, Real, normalize, within_range
from sephw.frontend.chain import Accumulator, Chain


@dataclass(frozen=True)
class Image:
    """The network's input of ``rank`` axes, which no quantizer has taken yet."""

    rank: int = 4


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant of any dtype. ``bipolar`` marks ±scale, the output of a BipolarQuant node."""

    data: NDArray[Any]
    bipolar: bool = False


@dataclass(frozen=True, eq=False)
class Quantized:
    """A graph tensor whose value is integer · 2^-exponent; ``rank`` of its ONNX tensor."""

    tensor: str
    exponent: int
    rank: int


@dataclass(frozen=True, eq=False)
class Unrolled:
    """A quantized map as one row per image, channel by channel: what a linear layer reads."""

    tensor: str
    exponent: int


@dataclass(frozen=True, eq=False)
class Branch:
    """coefficient[c] · integer of ``tensor``; every coefficient a dyadic number, float64 (C,)."""

    tensor: str
    coefficient: Real


@dataclass(frozen=True, eq=False)
class Sum:
    """Σ branches + Σ constants per channel, before rounding.

    ``constants``, float64 (C,) each, are kept apart as they were added: float32 must hold every
    sum on the way. ``relu``: clipped at 0 after the sum. ``chain``: the same, step by step as the
    file computes it, where there is one branch.
    """

    branches: tuple[Branch, ...]
    constants: tuple[Real, ...]
    rank: int
    relu: bool = False
    chain: Chain | None = None

    @property
    def channels(self) -> int:
        """Channels of every branch."""
        return len(self.branches[0].coefficient)

    def plus(self, constant: Real) -> Sum:
        """The sum and a constant, float64 (C,); without a chain."""
        return replace(self, constants=(*self.constants, constant), chain=None)

    def times(self, factor: Real) -> Sum:
        """The sum times a factor, float64 (C,); without a chain."""
        branches = tuple(Branch(b.tensor, b.coefficient * factor) for b in self.branches)
        constants = tuple(c * factor for c in self.constants)
        return replace(self, branches=branches, constants=constants, chain=None)


@dataclass(frozen=True, eq=False)
class Average:
    """integer of ``tensor`` · 2^-exponent / count, where count is no power of two.

    float32 rounds it; a factor that count divides makes it exact again.
    """

    tensor: str
    exponent: int
    count: int
    rank: int


@dataclass(frozen=True, eq=False)
class Curve:
    """A function of the integers of ``tensor`` that is no exact sum: float32 steps of a file."""

    tensor: str
    chain: Chain
    rank: int


Value = Image | Constant | Quantized | Unrolled | Sum | Average | Curve

_MOST_WEIGHT_BITS = 40


def as_sum(value: Quantized | Sum, channels: int) -> Sum:
    """A quantized tensor as a sum of one branch."""
    if isinstance(value, Sum):
        return value
    coefficient = np.full(channels, 2.0**-value.exponent)
    return single(value.tensor, coefficient, value.rank)


def single(tensor: str, coefficient: Real, rank: int) -> Sum:
    """The sum of one branch, with its chain; ``coefficient`` float64 (C,), dyadic."""
    return Sum((Branch(tensor, coefficient),), (), rank, chain=Accumulator(coefficient))


def check_range(values: Real, where: str) -> None:
    """SephwError naming ``where`` unless all are 0 or within 2^±``LARGEST_EXPONENT``."""
    if not within_range(values):
        raise SephwError(
            f"{where}: a scale is farther from 1 than 2^±{LARGEST_EXPONENT}, where float32 may "
            "round; rescale the layer"
        )


def dyadic(values: Real, where: str, limit_bits: int = 24) -> tuple[Int, Int]:
    """Odd integers m and exponents p with values = m · 2^-p, elementwise (0 → m = 0, p = 0).

    Raises SephwError naming ``where`` if a mantissa has more than ``limit_bits`` bits, and as
    `check_range` does.
    """
    check_range(values, where)
    fraction, exponent = np.frexp(values)
    mantissa, power = normalize(
        np.ldexp(fraction, 53).astype(np.int64), 53 - exponent.astype(np.int64)
    )
    widest = int(np.abs(mantissa).max(initial=0)).bit_length()
    if widest > limit_bits:
        raise SephwError(
            f"{where}: a scale needs {widest} mantissa bits; scales must be dyadic "
            f"(integer · 2^-n, at most {limit_bits} bits): round it to such a number"
        )
    return mantissa, power


def integer_rows(weights: Real, where: str) -> tuple[Int, Int]:
    """Integers and one exponent per row: weights[o] = integers[o] · 2^-exponent[o].

    ``weights`` float64 (out_channels, inputs). A row of zeros gets exponent 0.
    """
    _, power = dyadic(weights, where)
    nonzero = weights != 0
    exponent = np.where(
        nonzero.any(axis=1), np.where(nonzero, power, np.iinfo(np.int64).min).max(axis=1), 0
    )
    scaled = np.ldexp(weights, exponent[:, None])
    widest = float(np.abs(scaled).max(initial=0.0))
    if widest > 1 << _MOST_WEIGHT_BITS:
        raise SephwError(
            f"{where}: weights of one row lie 2^{int(np.log2(widest))} apart; give them a Quant of "
            "at most 8 bits and a power-of-two scale"
        )
    return scaled.astype(np.int64), exponent
