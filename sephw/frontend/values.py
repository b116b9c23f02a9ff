"""What the reader knows of each ONNX tensor: constant, quantized tensor, sum, or average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError

Int = NDArray[np.int64]
Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant. ``bipolar`` marks the output of a BipolarQuant node."""

    data: NDArray[np.float32]
    bipolar: bool = False


@dataclass(frozen=True, eq=False)
class Quantized:
    """A graph tensor whose value is integer · 2^-exponent; ``rank`` of its ONNX tensor."""

    tensor: str
    exponent: int
    rank: int


@dataclass(frozen=True, eq=False)
class Branch:
    """coefficient[c] · integer of ``tensor``; every coefficient a dyadic number, float64 (C,)."""

    tensor: str
    coefficient: Real


@dataclass(frozen=True, eq=False)
class Sum:
    """Σ branches + constant per channel, before rounding. ``relu``: clipped at 0 after the sum."""

    branches: tuple[Branch, ...]
    constant: Real
    rank: int
    relu: bool = False


@dataclass(frozen=True, eq=False)
class Average:
    """integer of ``tensor`` · 2^-exponent / count, where count is no power of two.

    float32 rounds it; a factor that count divides makes it exact again.
    """

    tensor: str
    exponent: int
    count: int
    rank: int


Value = Constant | Quantized | Sum | Average


def as_sum(value: Quantized | Sum, channels: int) -> Sum:
    """A quantized tensor as a sum of one branch."""
    if isinstance(value, Sum):
        return value
    coefficient = np.full(channels, 2.0**-value.exponent)
    return Sum((Branch(value.tensor, coefficient),), np.zeros(channels), value.rank)


def dyadic(values: Real, where: str, limit_bits: int = 24) -> tuple[Int, Int]:
    """Odd integers m and exponents p with values = m · 2^-p, elementwise (0 → m = 0, p = 0).

    Raises SephwError naming ``where`` if a mantissa has more than ``limit_bits`` bits.
    """
    fraction, exponent = np.frexp(values)
    mantissa = np.ldexp(fraction, 53).astype(np.int64)
    lowest = np.where(mantissa == 0, 1, mantissa & -mantissa)
    zeros = np.round(np.log2(lowest.astype(np.float64))).astype(np.int64)
    mantissa >>= zeros
    power = np.where(mantissa == 0, 0, 53 - exponent.astype(np.int64) - zeros)
    widest = int(np.abs(mantissa).max(initial=0)).bit_length()
    if widest > limit_bits:
        raise SephwError(
            f"{where}: a scale needs {widest} mantissa bits; scales must be dyadic "
            f"(integer · 2^-n, at most {limit_bits} bits): freeze the network with sephw first"
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
    return np.ldexp(weights, exponent[:, None]).astype(np.int64), exponent
