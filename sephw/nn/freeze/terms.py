"""Branches of a join before it is rounded: integers on a power-of-two grid, one per channel.

A term's value is integer · 2^-exponent. ``bound`` limits the magnitude of every integer that can
occur while the term is computed (partial sums in any order included) for inputs 0..2^bits − 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
Real = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """A quantized tensor: value = q · 2^-exponent with 0 ≤ q < 2^bits."""

    exponent: int
    bits: int
    channels: int

    @property
    def top(self) -> int:
        """Largest q."""
        return (1 << self.bits) - 1


@dataclass(frozen=True, eq=False)
class Term(ABC):
    """One branch. ``source`` is the module path it comes from."""

    source: str
    grid: Grid

    @property
    @abstractmethod
    def exponent(self) -> Int:
        """Exponent of the term's LSB per channel, int64 (C,)."""

    @property
    @abstractmethod
    def bound(self) -> Int:
        """Largest magnitude in units of the LSB, int64 (C,)."""

    @property
    @abstractmethod
    def bias(self) -> Real:
        """Real-valued constant the branch adds, float64 (C,)."""

    @abstractmethod
    def coarsen(self, limit: Int) -> Term:
        """The same branch with exponent ≤ limit per channel, constants re-rounded."""


@dataclass(frozen=True, eq=False)
class IdentityTerm(Term):
    """A quantized tensor added as it is (skip connection)."""

    @property
    def exponent(self) -> Int:
        return np.full(self.grid.channels, self.grid.exponent, np.int64)

    @property
    def bound(self) -> Int:
        return np.full(self.grid.channels, self.grid.top, np.int64)

    @property
    def bias(self) -> Real:
        return np.zeros(self.grid.channels)

    def coarsen(self, limit: Int) -> Term:
        return self


@dataclass(frozen=True, eq=False)
class PoolTerm(Term):
    """Σ over ``pixels`` pixels, times 2^-shift."""

    pixels: int
    shift: int

    @property
    def exponent(self) -> Int:
        return np.full(self.grid.channels, self.grid.exponent + self.shift, np.int64)

    @property
    def bound(self) -> Int:
        return np.full(self.grid.channels, self.grid.top * self.pixels, np.int64)

    @property
    def bias(self) -> Real:
        return np.zeros(self.grid.channels)

    def coarsen(self, limit: Int) -> Term:
        return self


def shift_round(values: Int, shift: Int) -> Int:
    """round(values / 2^shift), half away from zero; shift ≥ 0 broadcasts."""
    shift = np.minimum(shift, 40)  # more than any value here has
    half = np.where(shift > 0, np.int64(1) << np.maximum(shift - 1, 0), 0)
    return np.sign(values) * ((np.abs(values) + half) >> shift)


@dataclass(frozen=True, eq=False)
class WeightTerm(Term):
    """8-bit convolution or linear layer: int8 weights, weight = integer · 2^-weight_exponent.

    ``weights`` int64 (out_channels, inputs); ``weight_exponent`` int64 (out_channels,).
    """

    weights: Int
    weight_exponent: Int
    constant: Real

    @property
    def exponent(self) -> Int:
        return self.grid.exponent + self.weight_exponent

    @property
    def bound(self) -> Int:
        positive = np.maximum(self.weights, 0).sum(axis=1)
        negative = np.maximum(-self.weights, 0).sum(axis=1)
        return np.maximum(positive, negative) * self.grid.top

    @property
    def bias(self) -> Real:
        return self.constant

    def coarsen(self, limit: Int) -> Term:
        drop = np.maximum(self.exponent - limit, 0)
        if not drop.any():
            return self
        return replace(
            self,
            weights=shift_round(self.weights, drop[:, None]),
            weight_exponent=self.weight_exponent - drop,
        )


@dataclass(frozen=True, eq=False)
class PatternTerm(Term):
    """Pattern convolution: M · 2^-p · Σ ±q per channel.

    ``patterns`` int64 ±1 (out_channels, inputs); ``mantissa`` and ``scale_exponent`` int64
    (out_channels,).
    """

    patterns: Int
    mantissa: Int
    scale_exponent: Int
    constant: Real

    @property
    def exponent(self) -> Int:
        return self.grid.exponent + self.scale_exponent

    @property
    def bound(self) -> Int:
        plus = (self.patterns > 0).sum(axis=1)
        return (
            np.maximum(plus, self.patterns.shape[1] - plus)
            * self.grid.top
            # The accumulator itself exists even where the mantissa is zero.
            * np.maximum(np.abs(self.mantissa), 1)
        )

    @property
    def bias(self) -> Real:
        return self.constant

    def coarsen(self, limit: Int) -> Term:
        drop = np.maximum(self.exponent - limit, 0)
        if not drop.any():
            return self
        mantissa, exponent = normalize(shift_round(self.mantissa, drop), self.scale_exponent - drop)
        # What is zero is so on every grid.
        exponent = np.where(
            mantissa == 0, np.minimum(exponent, limit - self.grid.exponent), exponent
        )
        return replace(self, mantissa=mantissa, scale_exponent=exponent)


def normalize(mantissa: Int, exponent: Int) -> tuple[Int, Int]:
    """The same numbers mantissa · 2^-exponent with odd mantissas; zero gets exponent 0."""
    lowest = mantissa & -mantissa
    zeros = np.where(mantissa == 0, 0, np.round(np.log2(np.maximum(lowest, 1)))).astype(np.int64)
    return mantissa >> zeros, np.where(mantissa == 0, 0, exponent - zeros)
