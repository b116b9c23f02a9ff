"""The 24-bit budget: every intermediate of a join fits float32's mantissa, proved by intervals.

What fits is measured by `sephw.exact_sums`, as the QONNX reader does on the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sephw.errors import SephwError
from sephw.exact_sums import (
    LARGEST_EXPONENT,
    MANTISSA_BITS,
    Int,
    Real,
    SumGrid,
    measure,
    within_range,
)
from sephw.nn.freeze.terms import Term, WeightTerm

BUDGET_BITS = MANTISSA_BITS
# Fraction bits kept below the output's LSB for biases, where no branch needs finer ones.
GUARD_BITS = 3
# Too large for any budget, and within int64.
_BEYOND = 2.0**60
# Bits of a logit below 2^-24 of the largest one.
SPARE_BITS = 8


@dataclass(frozen=True)
class LayerBudget:
    """The result of the proof for one join: its module, widest sum, and re-rounded channels."""

    module: str
    widest_bits: int
    coarsened_channels: int
    channels: int


@dataclass(frozen=True, eq=False)
class FittedSum:
    """Branches on one grid per channel.

    ``offset`` int64 (C,): the sum of all biases, plus half an output LSB where the join rounds,
    in units of 2^-exponent; ``exponent`` int64 (C,).
    """

    terms: tuple[Term, ...]
    offset: Int
    exponent: Int
    budget: LayerBudget


@dataclass(frozen=True, eq=False)
class BranchSum:
    """Branches that meet in ``module``. ``step``: f of its quantizer, None for logits."""

    module: str
    terms: tuple[Term, ...]
    step: int | None


def fit_all(sums: Sequence[BranchSum]) -> list[FittedSum]:
    """The fitted sum of each of ``sums``.

    A branch that several sums read has one set of constants: the coarsest that one of them needs.
    Raises SephwError naming the module where even the coarsest grid does not fit.
    """
    limits: dict[Term, Int] = {}
    while True:
        joins = [fit(found, limits) for found in sums]
        needed: dict[Term, list[Int]] = {}
        for found, join in zip(sums, joins, strict=True):
            for term, fitted in zip(found.terms, join.terms, strict=True):
                needed.setdefault(term, []).append(fitted.exponent)
        uneven = {
            term: np.min(exponents, axis=0)
            for term, exponents in needed.items()
            if (np.ptp(exponents, axis=0) > 0).any()
        }
        if not uneven:
            return joins
        limits |= uneven


def fit(found: BranchSum, limits: Mapping[Term, Int]) -> FittedSum:
    """Choose each channel's grid so that every sum is exact, re-rounding constants as needed.

    ``limits``: the finest exponent of each branch that has a limit.
    """
    module = found.module
    step = found.step
    terms = tuple(t.coarsen(limits[t]) if t in limits else t for t in found.terms)
    _check_sources(module, terms)
    bias = np.sum([t.bias for t in terms], axis=0)
    grid = np.max([t.exponent for t in terms], axis=0)
    if step is None:
        # Whatever is widest keeps its upper 24 bits, so no sum of logits is ever too wide.
        constant = bias
    else:
        grid = np.maximum(grid, step + GUARD_BITS)
        constant = bias + 2.0 ** -(step + 1)
    finest = LARGEST_EXPONENT + min(0, *(t.grid.exponent for t in terms))
    grid = np.minimum(np.minimum(grid, finest), _finest(constant))
    fitted = _fitted(module, terms, constant, grid, step)
    if step is None:
        # Rows of nearly zero weights have grids of their own, far below what the others need.
        total = np.ldexp(fitted.sums.widest, fitted.grid - fitted.sums.own)
        largest = np.max(np.log2(np.maximum(total, 1)) - fitted.grid)
        spare = np.int64(np.ceil(BUDGET_BITS + SPARE_BITS - largest))
        limit = np.minimum(fitted.grid, spare)
        # Branches without constants keep their grids.
        limit = np.max([limit, *(t.coarsen(limit).exponent for t in terms)], axis=0)
        fitted = _fitted(module, terms, constant, limit, step)
    fitted = _on_one_grid(module, terms, constant, fitted, step)
    _check_range(module, fitted)
    coarsened = np.zeros(len(grid), bool)
    for before, after in zip(found.terms, fitted.terms, strict=True):
        coarsened |= before.exponent != after.exponent
    widest = int(fitted.sums.widest.max()).bit_length() + 1
    budget = LayerBudget(module, widest, int(coarsened.sum()), len(grid))
    return FittedSum(fitted.terms, fitted.offset, fitted.grid, budget)


@dataclass(frozen=True, eq=False)
class _Fitted:
    """Terms and constant on a grid per channel, and the bit widths of their sums."""

    grid: Int
    terms: tuple[Term, ...]
    offset: Int
    sums: SumGrid


def _finest(constant: Real) -> Int:
    """The finest grid on which a constant stays below 2^24."""
    _, exponent = np.frexp(constant)
    return np.where(constant == 0, 1 << 30, BUDGET_BITS - exponent).astype(np.int64)


def _check_sources(module: str, terms: tuple[Term, ...]) -> None:
    """Check that sums without constants to round fit as they are."""
    for term in terms:
        widest = int(term.addend.largest.max()).bit_length()
        if widest > BUDGET_BITS and not isinstance(term, WeightTerm):
            raise SephwError(
                f"join '{module}': the sums of '{term.source}' need {widest} bits, more than the "
                f"{BUDGET_BITS} that are exact; let it read fewer activation bits, a smaller map "
                "or fewer channels"
            )


def _fitted(
    module: str, terms: tuple[Term, ...], constant: Real, grid: Int, step: int | None
) -> _Fitted:
    """Coarsen ``grid`` until every channel is exact."""
    while True:
        fitted = tuple(t.coarsen(grid) for t in terms)
        # Skips and pools have no constants that could be rounded.
        coarsest = np.max([t.exponent for t in fitted], axis=0)
        stuck = grid < coarsest
        if step is not None:
            coarsest = np.maximum(coarsest, step + 1)
            stuck |= grid <= step + 1
        grid = np.maximum(grid, coarsest)
        scaled = np.clip(constant * np.exp2(grid), -_BEYOND, _BEYOND)
        offset = np.floor(scaled + 0.5).astype(np.int64)
        sums = measure([t.addend for t in fitted], [(offset, grid)], step)
        over = ~sums.fits
        if not over.any():
            return _Fitted(grid, fitted, offset, sums)
        if (over & stuck).any():
            raise _too_wide(module, fitted, int(np.argmax(over & stuck)), sums)
        grid = np.where(over, grid - 1, grid)


def _on_one_grid(
    module: str, terms: tuple[Term, ...], constant: Real, fitted: _Fitted, step: int | None
) -> _Fitted:
    """Coarsen the finest channels until one grid holds all of them."""
    while fitted.sums.excess_bits:
        limit = np.minimum(fitted.grid, fitted.sums.common - fitted.sums.excess_bits)
        if step is not None:
            limit = np.maximum(limit, step + 1)
        limit = np.max([limit, *(t.coarsen(limit).exponent for t in terms)], axis=0)
        # Branches without constants are on the same grid in every channel, and fit there.
        assert (limit < fitted.grid).any()
        fitted = _fitted(module, terms, constant, limit, step)
    return fitted


def _check_range(module: str, fitted: _Fitted) -> None:
    """Raise SephwError for factors or a bias beyond the exponents that are computed with."""
    for term in fitted.terms:
        if not within_range(term.factors):
            raise _out_of_range(f"'{term.source}'", f"join '{module}'")
    if not within_range(np.ldexp(fitted.offset.astype(np.float64), -fitted.grid)):
        raise _out_of_range("the bias", f"join '{module}'")


def _out_of_range(what: str, where: str) -> SephwError:
    return SephwError(
        f"{where}: {what} is farther from 1 than 2^±{LARGEST_EXPONENT}, where float32 may round; "
        "train it with smaller weights and scales"
    )


def _too_wide(module: str, terms: tuple[Term, ...], channel: int, sums: SumGrid) -> SephwError:
    own = int(sums.own[channel])
    parts = np.abs(np.ldexp(sums.mantissas[:, channel].astype(float), -sums.exponents[:, channel]))
    largest = [int(t.addend.largest[channel]) for t in terms]
    widest = terms[int(np.argmax(parts * largest))]
    return SephwError(
        f"join '{module}', channel {channel}: the sum with '{widest.source}' needs "
        f"{int(sums.widest[channel]).bit_length()} bits at steps of 2^{-own}, more than the "
        f"{BUDGET_BITS} that are exact; calibrate again (to_stage with calibration images), or "
        "train it with smaller weights and scales"
    )
