"""Sums that float32 computes exactly and that engines hold on one grid, measured on integers.

The one rule of `sephw.nn.freeze`, which makes such sums, and of the QONNX reader, which proves
them from a file alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np
from numpy.typing import NDArray

from sephw.ir import IntType
from sephw.ops.join import MOST_SUM_BITS, sum_interval

Int = NDArray[np.int64]
Real = NDArray[np.float64]

# Of float32's mantissa: every integer below 2^24 is one of its numbers.
MANTISSA_BITS = 24
# Every sum and product of numbers within is a normal float32.
LARGEST_EXPONENT = 60
# Of mantissas on the common grid, in int64.
MOST_FACTOR_BITS = 56
# Exponent of zeros, which are on every grid.
_EVERY_GRID = np.int64(-(1 << 30))


def within_range(values: Real) -> bool:
    """Whether all are 0 or within 2^±``LARGEST_EXPONENT``; infinity and NaN are not."""
    magnitudes = np.abs(values[values != 0])
    with np.errstate(divide="ignore"):
        farthest = np.abs(np.log2(magnitudes)).max(initial=0.0)
    return bool(farthest <= LARGEST_EXPONENT + 1)


def normalize(mantissa: Int, exponent: Int) -> tuple[Int, Int]:
    """The same numbers mantissa · 2^-exponent with odd mantissas; zero gets exponent 0."""
    lowest = mantissa & -mantissa
    zeros = np.round(np.log2(np.maximum(lowest, 1))).astype(np.int64)
    return mantissa >> zeros, np.where(mantissa == 0, 0, exponent - zeros)


@dataclass(frozen=True, eq=False)
class Addend:
    """mantissa[c] · 2^-exponent[c] · q, where an engine makes the integer low[c] ≤ q ≤ high[c].

    All int64 (C,). low ≤ 0 ≤ high: the engine's own partial sums are within. ``dtype`` holds the
    q of all channels.
    """

    mantissa: Int
    exponent: Int
    low: Int
    high: Int
    dtype: IntType

    @classmethod
    def with_narrowest_type(cls, mantissa: Int, exponent: Int, low: Int, high: Int) -> Addend:
        """An addend whose dtype is the narrowest one for its range."""
        dtype = IntType.covering(int(low.min()), int(high.max()))
        return cls(mantissa, exponent, low, high, dtype)

    @property
    def largest(self) -> Int:
        """Largest magnitude of q per channel."""
        return np.maximum(self.high, -self.low)


@dataclass(frozen=True, eq=False)
class SumGrid:
    """The result of `measure` for Σ addends + Σ constants. Mantissas are odd or 0.

    ``own`` int64 (C,): the finest grid of each channel's parts is 2^-own. ``widest`` float64 (C,):
    the largest magnitude of any partial sum, in any order, in units of 2^-own, and of any q; where
    it is below 2^24 float32 computes all of them exactly. The derived values hold there only.
    """

    mantissas: Int
    exponents: Int
    constant_mantissas: Int
    constant_exponents: Int
    dtypes: tuple[IntType, ...]
    step: int | None
    own: Int
    widest: Real

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Per channel: whether float32 is exact."""
        return self.widest < 1 << MANTISSA_BITS

    @property
    def common(self) -> int:
        """The grid 2^-common of all channels, on which engines add."""
        return int(self.own.max())

    @cached_property
    def constant(self) -> tuple[Int, Int]:
        """Mantissa and exponent of each channel's sum of constants, int64 (C,) each."""
        scaled = self.constant_mantissas << _left(
            self.constant_mantissas, self.own - self.constant_exponents
        )
        return normalize(scaled.sum(axis=0), self.own)

    @property
    def shifts(self) -> Int:
        """The shift of each mantissa to the common grid, int64 (addends, C)."""
        return _left(self.mantissas, self.common - self.exponents)

    @property
    def bias(self) -> Int:
        """The constants on the common grid, int64 (C,), where there is no excess."""
        mantissa, exponent = self.constant
        return mantissa << _left(mantissa, self.common - exponent)

    @cached_property
    def excess_bits(self) -> int:
        """The bits by which the common grid is too fine for an engine; 0 where it is not."""
        mantissa, exponent = self.constant
        factors = np.vstack([self.mantissas, mantissa])
        shifts = np.vstack([self.shifts, _left(mantissa, self.common - exponent)])
        widest = float((np.log2(np.maximum(np.abs(factors), 1)) + shifts).max())
        if self.step is not None:
            widest = max(widest, self.common - self.step)
        if widest > MOST_FACTOR_BITS:
            return ceil(widest - MOST_FACTOR_BITS)
        low, high = sum_interval(self.mantissas, self.shifts, self.bias, self.dtypes)
        return max(0, IntType.covering(low, high).bits - MOST_SUM_BITS)


def measure(
    addends: Sequence[Addend], constants: Sequence[tuple[Int, Int]], step: int | None
) -> SumGrid:
    """Grids and widths of a sum. ``constants``: mantissas and exponents, int64 (C,) each.

    2^-step is that of the quantizer that follows; None for an output, which is not rounded.
    """
    channels = len(addends[0].mantissa)
    live = [np.where(a.largest == 0, 0, a.mantissa) for a in addends]
    mantissas, exponents = normalize(np.stack(live), np.stack([a.exponent for a in addends]))
    added = np.array([m for m, _ in constants], np.int64).reshape(-1, channels)
    constant_mantissas, constant_exponents = normalize(
        added, np.array([p for _, p in constants], np.int64).reshape(-1, channels)
    )
    parts = np.vstack([mantissas, constant_mantissas])
    grids = np.where(parts == 0, _EVERY_GRID, np.vstack([exponents, constant_exponents]))
    own = grids.max(axis=0)
    if step is not None:
        own = np.maximum(own, step)
    empty = own == _EVERY_GRID
    own = np.where(empty, own[~empty].min(initial=0) if not empty.all() else 0, own)
    largest = np.stack([a.largest for a in addends])
    values = np.vstack([np.abs(mantissas) * largest, np.abs(constant_mantissas)])
    powers = np.where(parts == 0, 0, own - np.vstack([exponents, constant_exponents]))
    total = np.ldexp(values.astype(np.float64), powers).sum(axis=0)
    return SumGrid(
        mantissas,
        exponents,
        constant_mantissas,
        constant_exponents,
        tuple(a.dtype for a in addends),
        step,
        own,
        np.maximum(total, largest.max(axis=0)),
    )


def averages_are_exact(count: int, factor: int, low: int, high: int) -> bool:
    """Whether float32 gives (Σ / count) · factor = Σ · factor / count for each Σ of low..high.

    Powers of two change nothing about it, so ``factor`` and the sums stand for all grids.
    """
    if max(high, -low) >= 1 << MANTISSA_BITS:
        return False
    sums = np.arange(low, high + 1)
    products = sums.astype(np.float32) / np.float32(count) * np.float32(factor)
    return bool((products.astype(np.float64) * count == sums.astype(np.float64) * factor).all())


def _left(mantissas: Int, shifts: Int) -> Int:
    """``shifts``, and 0 where there is nothing to shift."""
    return np.where(mantissas == 0, 0, shifts)
