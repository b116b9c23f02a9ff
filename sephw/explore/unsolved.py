"""Schedules of engines whose adder graph is not solved, with an estimated latency."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from sephw.explore.costs import guessed_latency
from sephw.ir import Node, Schedule
from sephw.sim.periodic import ScheduleOf, own_schedule


def schedule_of(solved: Collection[str]) -> ScheduleOf:
    """Schedules of nodes, guessed where only solving an adder graph would tell them.

    ``solved``: names of the nodes whose graph is solved, or may be.
    """

    def found(node: Node) -> Schedule:
        if not node.variant.solves_graph or node.name in solved:
            return own_schedule(node)
        return _guessed(node)

    return found


def _guessed(node: Node) -> Schedule:
    """An issue a beat; the latency is a guess."""
    operator, folding = node.operator, node.folding
    beats = operator.output_streams(folding)[0].words
    each = np.ones(beats, np.uint8)
    return Schedule(
        reads=(each,),
        writes=(each,),
        latency_cycles=guessed_latency(operator, folding),
        interval_cycles=operator.frame_cycles(folding) // beats,
    )


__all__ = ["schedule_of"]
