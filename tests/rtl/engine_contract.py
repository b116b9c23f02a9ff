"""What engines side by side moved, against the integer reference and the timing contract."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from case_project import CaseProject
from engine_recurrence import play

from sephw.backends.rtl import ResetPulse, RtlRun

Patterns = Mapping[str, np.ndarray]
PATTERN_CYCLES = 1009


def random_patterns(names: tuple[str, ...], density: float | None, seed: int) -> Patterns:
    """A pattern of its own for every stream; none, always up, where ``density`` is None."""
    if density is None:
        return {}
    rng = np.random.default_rng(seed)
    return {name: rng.random(PATTERN_CYCLES) < density for name in names}


def random_resets(seed: int) -> list[ResetPulse]:
    """Resets of 1, 2, 5 and 16 cycles, at moments between the first cycles and some frames.

    Frames follow the last of them alone, so many seeds are better than many resets.
    """
    rng = np.random.default_rng(seed)
    lengths = [*rng.permutation([2, 5, 16]), int(rng.choice([1, 1, 2, 5, 16]))]
    return [ResetPulse(int(10 ** rng.uniform(0.5, 3)), int(cycles)) for cycles in lengths]


def differences(
    project: CaseProject, found: RtlRun, sources: Patterns, sinks: Patterns
) -> list[str]:
    """One line per stream that is wrong: its values, or the first beat in another cycle."""
    wrong = []
    for node, case in project.pairs:
        where = f"{type(case.operator).__name__} '{case.label}'"
        expected = case.operator.reference(*case.inputs)
        for name, values in zip(node.outputs, expected, strict=True):
            if not np.array_equal(found.values[name], values):
                wrong.append(f"{where}: values of {name}")
        beats = play(
            case.operator.schedule(case.folding),
            [project.graph.tensors[name].fifo_depth for name in node.outputs],
            project.frames,
            [sources[name].tolist() if name in sources else None for name in node.inputs],
            [sinks[name].tolist() if name in sinks else None for name in node.outputs],
        )
        ends = (*node.inputs, *node.outputs)
        for name, cycles in zip(ends, (*beats.inputs, *beats.outputs), strict=True):
            taken = found.pops[name].tolist()
            if taken != cycles:
                at = next(k for k, (a, b) in enumerate(zip(taken, cycles, strict=True)) if a != b)
                wrong.append(f"{where}: {name}: beat {at} in {taken[at]}, contract {cycles[at]}")
    return wrong
