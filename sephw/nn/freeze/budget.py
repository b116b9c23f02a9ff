"""The 24-bit budget: every intermediate of a join fits float32's mantissa, proved by intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sephw.errors import SephwError
from sephw.nn.freeze.terms import Int, Term

BUDGET_BITS = 24
# Fraction bits kept below the output's LSB for biases, where no branch needs finer ones.
GUARD_BITS = 3


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
    finest = np.max([t.exponent for t in terms], axis=0)
    if output_exponent is None:
        floor_exponent = np.min([t.exponent for t in terms], axis=0) - 8
        half = np.zeros_like(bias)
    else:
        floor_exponent = np.full_like(finest, output_exponent + 1)
        finest = np.maximum(finest, output_exponent + GUARD_BITS)
        half = np.full_like(bias, 2.0 ** -(output_exponent + 1))
    grid = finest
    while True:
        fitted = tuple(t.coarsen(grid) for t in terms)
        offset = np.floor((bias + half) * np.exp2(grid) + 0.5).astype(np.int64)
        total = np.abs(offset)
        for term in fitted:
            gap = grid - term.exponent
            if (gap < 0).any():
                channel = int(np.argmax(gap < 0))
                raise _too_wide(module, term.source, channel)
            total = total + (term.bound << np.minimum(gap, 40))
        over = total >= 1 << BUDGET_BITS
        if not over.any():
            break
        if (grid[over] <= floor_exponent[over]).any():
            channel = int(np.argmax(over & (grid <= floor_exponent)))
            widest = max(
                fitted, key=lambda t: t.bound[channel] << (grid[channel] - t.exponent[channel])
            )
            raise _too_wide(module, widest.source, channel)
        grid = np.where(over, grid - 1, grid)
    coarsened = np.zeros(len(grid), bool)
    for before, after in zip(terms, fitted, strict=True):
        coarsened |= before.exponent != after.exponent
    budget = LayerBudget(module, int(total.max()).bit_length() + 1, int(coarsened.sum()), len(grid))
    return Join(fitted, offset, grid, budget)


def _too_wide(module: str, source: str, channel: int) -> SephwError:
    return SephwError(
        f"join '{module}', channel {channel}: the sum with '{source}' does not fit in "
        f"{BUDGET_BITS} bits; use fewer activation bits, more groups or fewer input channels there"
    )
