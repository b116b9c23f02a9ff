"""Branches of a join before it is rounded: integers on a power-of-two grid, one per channel.

A term's value is integer · 2^-exponent. ``addend`` bounds every integer that can occur while the
term is computed (partial sums in any order included) for inputs 0..2^bits − 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from sephw.exact_sums import Addend, Int, Real, normalize


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
    def addend(self) -> Addend:
        """The term without its bias: the range of the engine's sums and one factor per channel."""

    @property
    def factors(self) -> Real:
        """The constants that float32 multiplies by in the branch, float64."""
        addend = self.addend
        return np.ldexp(addend.mantissa.astype(np.float64), -addend.exponent)

    @property
    @abstractmethod
    def bias(self) -> Real:
        """Real-valued constant the branch adds, float64 (C,)."""

    @abstractmethod
    def coarsen(self, limit: Int) -> Term:
        """The same branch with exponent ≤ limit per channel, constants re-rounded."""


def _counted(term: Term, top: int) -> Addend:
    """0..``top`` in every channel, without a factor."""
    zero = np.zeros(term.grid.channels, np.int64)
    return Addend.with_narrowest_type(zero + 1, term.exponent, zero, zero + top)


@dataclass(frozen=True, eq=False)
class IdentityTerm(Term):
    """A quantized tensor added as it is (skip connection)."""

    @property
    def exponent(self) -> Int:
        return np.full(self.grid.channels, self.grid.exponent, np.int64)

    @property
    def addend(self) -> Addend:
        return _counted(self, self.grid.top)

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
    def addend(self) -> Addend:
        return _counted(self, self.grid.top * self.pixels)

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
    def addend(self) -> Addend:
        # What divides a whole row is part of its scale, as the QONNX reader finds it.
        bits = np.bitwise_or.reduce(self.weights, axis=1)
        divided, exponent = normalize(bits, self.exponent)
        shift = np.where(divided == 0, 0, self.exponent - exponent)
        weights = self.weights >> shift[:, None]
        low = np.minimum(weights, 0).sum(axis=1) * self.grid.top
        high = np.maximum(weights, 0).sum(axis=1) * self.grid.top
        return Addend.with_narrowest_type(np.ones_like(low), exponent, low, high)

    @property
    def factors(self) -> Real:
        weights = np.ldexp(self.weights.astype(np.float64), -self.weight_exponent[:, None])
        return np.append(weights, super().factors[self.weights.any(axis=1)])

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
    def addend(self) -> Addend:
        plus = (self.patterns > 0).sum(axis=1)
        minus = self.patterns.shape[1] - plus
        return Addend.with_narrowest_type(
            self.mantissa, self.exponent, -minus * self.grid.top, plus * self.grid.top
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
