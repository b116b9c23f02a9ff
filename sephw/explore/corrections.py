"""Corrections of the choice problem by the graphs that were built from its solutions."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

from sephw.explore.choose import Choice
from sephw.explore.final_graph import FinalGraph, occupancy
from sephw.explore.found import Goal
from sephw.files import build
from sephw.ir.resources import Resources

# Rounds in which the latest FIFOs replace those before; afterwards the largest seen count.
_LATEST_ROUNDS = 3
# What remains of the knowledge where nothing fits with it.
_RELAXATION = 0.7


@dataclass(frozen=True)
class Corrections:
    """Findings of built graphs that the choice problem does not model.

    ``occupancy``: integers in FIFOs, by tensor; ``uncounted``: resources that the problem did not
    count; ``saved``: resources that FIFOs in block RAM save. ``rate_factor``: the frame rate that
    the problem must reach, as a multiple of the goal's, since built graphs were slower than it
    said.
    """

    occupancy: dict[str, int] = field(default_factory=dict)
    uncounted: Resources = field(default_factory=Resources)
    saved: Resources = field(default_factory=Resources)
    rate_factor: float = 1.0

    def relaxed(self) -> Corrections:
        """The same corrections, reduced by a fixed factor except for ``saved``."""
        counts = {name: int(n * _RELAXATION) for name, n in asdict(self.uncounted).items()}
        occupancy = {name: int(n * _RELAXATION) for name, n in self.occupancy.items()}
        rate_factor = 1 + (self.rate_factor - 1) * _RELAXATION
        return Corrections(occupancy, build(Resources, counts), self.saved, rate_factor)

    def adjusted_goal(self, goal: Goal) -> Goal:
        """The goal for the choice problem: ``goal`` with its frame rate times ``rate_factor``."""
        return goal if goal.fps is None else replace(goal, fps=goal.fps * self.rate_factor)

    def updated(
        self, choice: Choice, final: FinalGraph, goal: Goal, tried: int, least_frame_cycles: int
    ) -> Corrections:
        """These corrections with the difference between ``final`` and the problem behind
        ``choice``.

        ``tried``: rounds so far; ``least_frame_cycles``: that of the problem's costs.
        """
        seen = occupancy(final.graph, least_frame_cycles)
        if tried <= _LATEST_ROUNDS:
            merged = seen
        else:
            names = {*self.occupancy, *seen}
            merged = {name: max(self.occupancy.get(name, 0), seen.get(name, 0)) for name in names}
        uncounted = self.uncounted
        if tried > 1:
            # The FIFOs of the round before were counted: this is what they do not explain.
            estimated, modelled = final.resources + goal.reserved, choice.solution.resources
            above = {name.lower() for name, _, _ in estimated.excess(goal.limits)}
            uncounted += build(
                Resources,
                {
                    n: int(max(1, getattr(estimated, n) - getattr(modelled, n)))
                    for n in sorted(above)
                },
            )
        rate_factor = self.rate_factor
        if goal.fps is not None:
            rate_factor *= max(1.0, goal.fps / counted_fps(final, goal))
        return Corrections(merged, uncounted, final.saved, rate_factor)


def counted_fps(final: FinalGraph, goal: Goal) -> float:
    """The frame rate of ``final`` in frames per second, at the clock that ``goal`` counts with."""
    return goal.counted_mhz(final.fmax_mhz) * 1e6 / final.frame_cycles
