"""What built graphs have shown that the choice problem does not count."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

from sephw.explore.choose import Choice
from sephw.explore.final_graph import FinalGraph, waiting
from sephw.explore.found import Goal
from sephw.files import build
from sephw.ir.resources import Resources

# Rounds in which the latest FIFOs replace those before; afterwards the largest seen count.
_LATEST_ROUNDS = 3
# What remains of the knowledge where nothing fits with it.
_DOUBT = 0.7


@dataclass(frozen=True)
class Knowledge:
    """``waiting``: of FIFOs, by tensor; ``missed``, ``saved``: what the problem did not count.

    ``haste``: by how much more frames per second to ask the problem for, since graphs that were
    built came out slower than it said.
    """

    waiting: dict[str, int] = field(default_factory=dict)
    missed: Resources = field(default_factory=Resources)
    saved: Resources = field(default_factory=Resources)
    haste: float = 1.0

    def doubted(self) -> Knowledge:
        """Less of everything."""
        counts = {name: int(n * _DOUBT) for name, n in asdict(self.missed).items()}
        waiting = {name: int(n * _DOUBT) for name, n in self.waiting.items()}
        haste = 1 + (self.haste - 1) * _DOUBT
        return Knowledge(waiting, build(Resources, counts), self.saved, haste)

    def asked(self, goal: Goal) -> Goal:
        """What to ask the problem for."""
        return goal if goal.fps is None else replace(goal, fps=goal.fps * self.haste)

    def learn(
        self, choice: Choice, final: FinalGraph, goal: Goal, tried: int, pace_cycles: int
    ) -> Knowledge:
        """With what ``final`` shows that the problem behind ``choice`` did not count.

        ``pace_cycles``: of the problem's costs; ``tried``: rounds so far.
        """
        seen = waiting(final.graph, pace_cycles)
        if tried <= _LATEST_ROUNDS:
            merged = seen
        else:
            names = {*self.waiting, *seen}
            merged = {name: max(self.waiting.get(name, 0), seen.get(name, 0)) for name in names}
        missed = self.missed
        if tried > 1:
            # The FIFOs of the round before were counted: this is what they do not explain.
            estimated, modelled = final.resources + goal.reserved, choice.solution.resources
            above = {name.lower() for name, _, _ in estimated.excess(goal.limits)}
            missed += build(
                Resources,
                {
                    n: int(max(1, getattr(estimated, n) - getattr(modelled, n)))
                    for n in sorted(above)
                },
            )
        haste = self.haste
        if goal.fps is not None:
            haste *= max(1.0, goal.fps / counted_fps(final, goal))
        return Knowledge(merged, missed, final.saved, haste)


def counted_fps(final: FinalGraph, goal: Goal) -> float:
    """Frames per second that ``goal`` may count on."""
    return goal.counted_mhz(final.fmax_mhz) * 1e6 / final.frame_cycles
