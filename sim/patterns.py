"""Activity patterns of sources and sinks: boolean arrays over cycles, repeated for ever.

The same pattern drives the RTL testbench and the simulation: in cycle c a source may start to offer
a beat only if ``pattern[c % len(pattern)]`` (once offered, it stays), and a sink takes one only
then.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.ir import Graph
from sephw.ir.pace import Pattern, combined, pace_pattern

# One for all ends, or by tensor; None: always on.
Patterns = Pattern | Mapping[str, Pattern] | None


def random_pattern(seed: int, period_cycles: int, share: float) -> Pattern:
    """A seeded pattern in which about ``share`` of the cycles are on, in bursts and singly.

    At least one cycle is on. Half of the period flips a coin every cycle, the other half holds
    each result for up to 16 cycles, so that FIFOs run full and empty.
    """
    rng = np.random.default_rng(seed)
    half = period_cycles // 2
    single = rng.random(period_cycles - half) < share
    lengths = rng.integers(1, 17, half)
    bursts = np.repeat(rng.random(half) < share, lengths)[:half]
    pattern = np.concatenate([single, bursts])
    pattern[rng.integers(period_cycles)] = True
    return pattern


def checked(pattern: NDArray[np.generic], what: str) -> Pattern:
    """``pattern`` as booleans; SephwError naming ``what`` if it is empty or never on."""
    result = np.asarray(pattern).astype(np.bool_)
    if result.ndim != 1 or not result.any():
        raise SephwError(
            f"pattern of {what}: shape {result.shape}, {int(result.sum())} cycles on; "
            "give a flat one with at least one cycle on"
        )
    return result


def source_patterns(graph: Graph, given: Patterns) -> dict[str, Pattern]:
    """The pattern of each graph input: the ``given`` one combined with the input's own rate."""
    found = {}
    for name in graph.inputs:
        wanted = given.get(name) if isinstance(given, Mapping) else given
        wanted = None if wanted is None else checked(wanted, f"'{name}'")
        tensor = graph.tensors[name]
        pattern = combined(wanted, pace_pattern(tensor.source_beats, tensor.source_cycles))
        if pattern is not None:
            found[name] = pattern
    return found


def cycles_to_next(pattern: Pattern) -> NDArray[np.int64]:
    """For each cycle of the period, cycles to wait until the pattern is on: int64, 0 if it is."""
    on = np.flatnonzero(pattern)
    cycles = np.arange(len(pattern))
    later = np.concatenate([on, on[:1] + len(pattern)])
    return (later[np.searchsorted(on, cycles)] - cycles).astype(np.int64)


__all__ = ["Pattern", "Patterns", "checked", "cycles_to_next", "source_patterns", "random_pattern"]
