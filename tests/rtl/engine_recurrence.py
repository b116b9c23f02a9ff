"""When one engine moves its beats, from the timing contract alone: plain loops, no simulator."""

from __future__ import annotations

from dataclasses import dataclass

from sephw.ir import Schedule


@dataclass
class Beats:
    """Cycles in which the beats of each input and output are taken."""

    inputs: list[list[int]]
    outputs: list[list[int]]


def _next(pattern: list[bool] | None, cycle: int) -> int:
    """The first cycle from ``cycle`` on in which the cyclic pattern is up."""
    while pattern is not None and not pattern[cycle % len(pattern)]:
        cycle += 1
    return cycle


def play(
    plan: Schedule,
    depths: list[int],
    frames: int,
    sources: list[list[bool] | None],
    sinks: list[list[bool] | None],
) -> Beats:
    """Beats of ``frames`` frames; one pattern per input and output, ``depths`` per output."""
    beats = Beats([[] for _ in plan.reads], [[] for _ in plan.writes])
    issue = -plan.interval_cycles
    for i in list(range(plan.issues)) * frames:
        issue += plan.interval_cycles
        reads = [p for p, r in enumerate(plan.reads) if r[i]]
        writes = [q for q, w in enumerate(plan.writes) if w[i]]
        for p in reads:
            taken = beats.inputs[p]
            issue = max(issue, _next(sources[p], taken[-1] + 1 if taken else 0))
        for q in writes:
            taken = beats.outputs[q]
            if len(taken) >= depths[q]:
                issue = max(issue, taken[len(taken) - depths[q]] + 1)
        for p in reads:
            beats.inputs[p].append(issue)
        for q in writes:
            taken = beats.outputs[q]
            visible = issue + plan.latency_cycles
            taken.append(_next(sinks[q], max(visible, taken[-1] + 1 if taken else 0)))
    return beats
