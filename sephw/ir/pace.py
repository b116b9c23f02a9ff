"""Rates of sources: boolean patterns of the cycles in which a beat may be offered, repeated."""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

Pattern = NDArray[np.bool_]


def pace_pattern(words: int, cycles: int) -> Pattern | None:
    """The shortest pattern with ``words`` of every ``cycles`` cycles on, evenly spread.

    None stands for always on, where there are no more cycles than words.
    """
    if cycles <= words:
        return None
    common = gcd(words, cycles)
    words, cycles = words // common, cycles // common
    pattern = np.zeros(cycles, np.bool_)
    pattern[np.arange(words, dtype=np.int64) * cycles // words] = True
    return pattern


def combined(pattern: Pattern | None, pace: Pattern | None) -> Pattern | None:
    """The conjunction of two patterns, as long as ``pattern`` where there is one; None: always
    on.
    """
    if pattern is None or pace is None:
        return pace if pattern is None else pattern
    repeats = -(-len(pattern) // len(pace))
    return np.asarray(pattern, np.bool_) & np.tile(pace, repeats)[: len(pattern)]
