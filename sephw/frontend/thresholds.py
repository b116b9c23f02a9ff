"""Chains of float32 steps between an accumulator and a quantizer → thresholds, found and proved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from sephw.errors import SephwError
from sephw.exact_sums import Int
from sephw.frontend.chain import Chain, Quantizer, evaluate

# A chain that may not be monotone is tried at so many integers at most.
MOST_VALUES = 1 << 20
# One that must be is tried all the same where it is as quick, channels counted.
_FEW_EVALUATIONS = 1 << 22
_EVALUATIONS_AT_ONCE = 1 << 18
_MOST_THRESHOLDS = 255


class MonotoneProof(StrEnum):
    """The reason why a chain and its quantizer are monotone over an accumulator's range."""

    EVERY_VALUE = "it was evaluated at every integer"
    EVERY_STEP = "each of its float32 steps is monotone"


@dataclass(frozen=True, eq=False)
class FoundThresholds:
    """``offset`` + how many of a row's thresholds are ≤ x, or ≥ x where ``decreasing`` is 1.

    ``thresholds`` int64 (C, n), ascending in each row; ``decreasing`` int64 (C,). Levels that a
    channel never takes have thresholds one beyond its range.
    """

    thresholds: Int
    decreasing: Int
    offset: int
    proof: MonotoneProof


def find_thresholds(chain: Chain, quantizer: Quantizer, low: Int, high: Int) -> FoundThresholds:
    """The integers at which ``quantizer`` of ``chain`` changes, exactly.

    ``low`` and ``high``, int64 (C,): the range of each channel's accumulator; nothing is said of
    what lies outside. Raises SephwError naming the node for a chain that is not monotone there,
    one that cannot be proved to be, one that computes NaN and for more than 255 thresholds.
    """
    proof = _prove(chain, quantizer, low, high)
    first, last = (_levels(chain, quantizer, end[None])[0] for end in (low, high))
    offset = int(min(first.min(), last.min()))
    count = max(1, int(max(first.max(), last.max())) - offset)
    if count > _MOST_THRESHOLDS:
        raise SephwError(
            f"{quantizer.where}: makes {count + 1:,} different integers; thresholds make at most "
            f"{_MOST_THRESHOLDS + 1}: quantize to 8 bits"
        )
    falls = first > last
    levels = offset + 1 + np.arange(count)[:, None]
    # Before `before` no level is reached (of falling channels: left), from `at` on it is.
    shape = (count, len(low))
    before, at = np.broadcast_to(low - 1, shape), np.broadcast_to(high + 1, shape)
    while (at - before > 1).any():
        middle = (before + at) // 2
        found = _levels(chain, quantizer, np.clip(middle, low, high))
        reached = np.where(falls, found < levels, found >= levels) & (middle > before)
        before = np.where(reached, before, middle)
        at = np.where(reached, middle, at)
    thresholds = np.sort(np.where(falls, at - 1, at), axis=0).T
    return FoundThresholds(np.ascontiguousarray(thresholds), falls.astype(np.int64), offset, proof)


def _levels(chain: Chain, quantizer: Quantizer, integers: Int) -> Int:
    """What the quantizer makes, int64 of the shape of ``integers``, (n, C)."""
    rounded = quantizer.round(np.broadcast_to(evaluate(chain, integers), integers.shape))
    if np.isnan(rounded).any():
        at = integers[np.isnan(rounded)][0]
        raise SephwError(
            f"{quantizer.where}: reads NaN where the accumulator is {at}; give the nodes before it "
            "finite constants and no 0 to divide by"
        )
    return rounded.astype(np.int64)


def _prove(chain: Chain, quantizer: Quantizer, low: Int, high: Int) -> MonotoneProof:
    """Why it is monotone; SephwError where it is not, or may not be."""
    values = int((high - low).max()) + 1
    doubtful = chain.doubtful
    many = values > MOST_VALUES or values * len(low) > _FEW_EVALUATIONS
    if doubtful is None and many:
        return MonotoneProof.EVERY_STEP
    step = "what it reads" if doubtful is None else f"{doubtful.where} before it"
    if values > MOST_VALUES:
        raise SephwError(
            f"{quantizer.where}: {step} may not be monotone, and the accumulator has {values:,} "
            f"values, of which at most {MOST_VALUES:,} are tried; use Relu, Clip or HardSigmoid in "
            "its place, or weights and inputs of fewer bits before it"
        )
    rows = max(1, _EVALUATIONS_AT_ONCE // len(low))
    rising, falling = np.zeros((2, len(low)), bool)
    former = _levels(chain, quantizer, low[None])
    for start in range(0, values, rows):
        # A channel of a shorter range stays at its end.
        steps = np.arange(start, min(start + rows, values))[:, None]
        found = _levels(chain, quantizer, np.minimum(low + steps, high))
        changes = np.diff(np.concatenate((former, found)), axis=0)
        rising |= (changes > 0).any(axis=0)
        falling |= (changes < 0).any(axis=0)
        if (rising & falling).any():
            channel = int(np.argmax(rising & falling))
            raise SephwError(
                f"{quantizer.where}: {step} is not monotone: channel {channel} rises and falls "
                f"while the accumulator goes from {low[channel]} to {high[channel]}; use Relu, "
                "Clip or HardSigmoid in its place"
            )
        former = found[-1:]
    return MonotoneProof.EVERY_VALUE


__all__ = ["MOST_VALUES", "FoundThresholds", "MonotoneProof", "find_thresholds"]
