"""The 24-bit budget: every intermediate of a join fits float32's mantissa, proved by intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sephw.errors import SephwError
from sephw.nn.freeze.terms import Int, Real, Term

BUDGET_BITS = 24
# Fraction bits kept below the output's LSB for biases, where no branch needs finer ones.
GUARD_BITS = 3
# Bits of a logit below 2^-24 of the largest one.
SPARE_BITS = 8


@dataclass(frozen=True)
class LayerBudget:
    """What the proof found for one join: its module, widest sum, and re-rounded channels."""

    module: str
    widest_bits: int
    coarsened_channels: int
    channels: int


@dataclass(frozen=True, eq=False)
class Join:
    """Branches on one grid per channel.

    ``offset`` int64 (C,): the sum of all biases, plus half an output LSB where the join rounds,
    in units of 2^-exponent; ``exponent`` int64 (C,).
    """

    terms: tuple[Term, ...]
    offset: Int
    exponent: Int
    budget: LayerBudget


def fit(module: str, terms: tuple[Term, ...], output_exponent: int | None) -> Join:
    """Choose each channel's grid so that every sum stays below 2^24, re-rounding as needed.

    ``output_exponent`` is f of the quantizer that follows; None for logits, which are not
    rounded. Raises SephwError naming ``module`` where even the coarsest grid does not fit.
    """
    bias = np.sum([t.bias for t in terms], axis=0)
    grid = np.max([t.exponent for t in terms], axis=0)
    if output_exponent is None:
        # Whatever is widest keeps its upper 24 bits, so no sum of logits is ever too wide.
        floor_exponent = np.full_like(grid, -(1 << 30))
        half = np.zeros_like(bias)
    else:
        floor_exponent = np.full_like(grid, output_exponent + 1)
        grid = np.maximum(grid, output_exponent + GUARD_BITS)
        half = np.full_like(bias, 2.0 ** -(output_exponent + 1))
    grid = np.maximum(np.minimum(grid, _finest(bias + half)), floor_exponent)
    grid, fitted, offset, total = _fitted(module, terms, bias + half, grid, floor_exponent)
    if output_exponent is None:
        # Rows of nearly zero weights have grids of their own, far below what the others need.
        largest = np.max(np.log2(np.maximum(total, 1)) - grid)
        limit = np.minimum(grid, np.int64(np.ceil(BUDGET_BITS + SPARE_BITS - largest)))
        # Branches without constants keep their grids.
        limit = np.max([limit, *(t.coarsen(limit).exponent for t in terms)], axis=0)
        grid, fitted, offset, total = _fitted(module, terms, bias + half, limit, floor_exponent)
    coarsened = np.zeros(len(grid), bool)
    for before, after in zip(terms, fitted, strict=True):
        coarsened |= before.exponent != after.exponent
    budget = LayerBudget(module, int(total.max()).bit_length() + 1, int(coarsened.sum()), len(grid))
    return Join(fitted, offset, grid, budget)


def _finest(constant: Real) -> Int:
    """The finest grid on which a constant stays below 2^24."""
    _, exponent = np.frexp(constant)
    return np.where(constant == 0, 1 << 30, BUDGET_BITS - exponent).astype(np.int64)


def _fitted(
    module: str, terms: tuple[Term, ...], constant: Real, grid: Int, floor_exponent: Int
) -> tuple[Int, tuple[Term, ...], Int, Int]:
    """Grid, terms, constant and widest sum, all per channel, from ``grid`` on made coarser."""
    while True:
        fitted = tuple(t.coarsen(grid) for t in terms)
        # Skips and pools have no constants that could be rounded.
        coarsest = np.max([floor_exponent, *(t.exponent for t in fitted)], axis=0)
        stuck = grid < coarsest
        grid = np.maximum(grid, coarsest)
        offset = np.floor(constant * np.exp2(grid) + 0.5).astype(np.int64)
        total = np.abs(offset)
        for term in fitted:
            total = total + (term.bound << np.minimum(grid - term.exponent, BUDGET_BITS + 1))
        over = total >= 1 << BUDGET_BITS
        if not over.any():
            return grid, fitted, offset, total
        stuck |= over & (grid <= floor_exponent)
        if (over & stuck).any():
            channel = int(np.argmax(over & stuck))
            raise _too_wide(module, fitted, channel, grid, int(total[channel]))
        grid = np.where(over, grid - 1, grid)


def _too_wide(
    module: str, terms: tuple[Term, ...], channel: int, grid: Int, total: int
) -> SephwError:
    widest = max(
        terms, key=lambda t: int(t.bound[channel]) << int(grid[channel] - t.exponent[channel])
    )
    return SephwError(
        f"join '{module}', channel {channel}: the sum with '{widest.source}' needs "
        f"{total.bit_length()} bits at steps of 2^{-int(grid[channel])}, more than the "
        f"{BUDGET_BITS} that are exact; calibrate again (to_stage with calibration images), or "
        "train it with smaller weights and scales"
    )
