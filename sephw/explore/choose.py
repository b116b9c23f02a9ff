"""The optimum of a choice problem for a goal, over frame intervals and clocks."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace

from sephw.explore.boards import unestimated_clock
from sephw.explore.found import LOGIC, SHARE, Goal
from sephw.explore.model import (
    NoAnswerError,
    Problem,
    Solution,
    candidate_cycles,
    restrict,
    solve,
    vector,
)
from sephw.ir import Folding
from sephw.ir.resources import RESOURCE_KINDS, Resources
from sephw.resources.wires import network_mhz

# Estimated clocks are told apart in steps of this factor: their error is larger.
CLOCK_STEP = 1.1


@dataclass(frozen=True, eq=False)
class Choice:
    """A solution, its problem, and the clock that its engines reach.

    ``requested``: the clock is the network's, since the goal gives it.
    """

    problem: Problem
    solution: Solution
    clock_mhz: float
    requested: bool

    @property
    def foldings(self) -> dict[str, Folding]:
        """The folding of every node by name."""
        groups = zip(self.problem.groups, self.solution.selected, strict=True)
        return dict(pair for group, k in groups for pair in group.options[k].foldings)

    @property
    def frames_per_second(self) -> float:
        """The frame rate at the network's clock."""
        wires_ns = 0.0 if self.requested else self.problem.wires_ns
        clock_mhz = network_mhz(self.clock_mhz, max(0, self.solution.resources.lut), wires_ns)
        return clock_mhz * 1e6 / self.solution.cycles


def choose(problem: Problem, goal: Goal, start_cycles: int | None = None) -> Choice | None:
    """The optimum over foldings, and over clocks where the goal gives none; None if infeasible.

    ``start_cycles``: the frame interval at which the bisection starts; it changes the time, not the
    result.
    """
    best: Choice | None = None
    for clock in clocks(problem, goal):
        if goal.fps is not None:
            solution = _fast_enough(problem, goal, clock)
        else:
            most = frame_budget(problem, goal, clock)
            if best is not None:
                # Only what is faster than the best so far is of interest.
                most = min(most, -int(-clock * 1e6 // best.frames_per_second) - 1)
            solution = fastest(problem, goal, clock, most, start_cycles)
        if solution is not None:
            found = Choice(problem, solution, clock, goal.clock_mhz is not None)
            if best is None or better(found, best, goal):
                best = found
    if best is None or goal.fps is not None:
        return best
    return _minimized(best, goal)


def _minimized(choice: Choice, goal: Goal) -> Choice:
    """The solution of least cost at the frame interval of ``choice``."""
    found = choice.solution
    try:
        least = smallest(choice.problem, goal, choice.clock_mhz, found.cycles)
    except NoAnswerError:
        least = None
    if least is None:
        return replace(choice, solution=replace(found, proven=False))
    return replace(choice, solution=replace(least, proven=least.proven and found.proven))


def better(one: Choice, other: Choice, goal: Goal) -> bool:
    """True where ``one`` serves ``goal`` better than ``other``."""
    if goal.fps is None and one.frames_per_second != other.frames_per_second:
        return one.frames_per_second > other.frames_per_second
    return cost(one.solution.resources, goal) < cost(other.solution.resources, goal)


def _fast_enough(problem: Problem, goal: Goal, clock_mhz: float) -> Solution | None:
    """The solution of least cost with the goal's frame rate. None: infeasible.

    The wires of more LUTs lower the clock, and a lower clock leaves fewer cycles. So the cycle
    budget starts without wires and shrinks until a solution is within its own. With the fewest LUTs
    as the objective that is the optimum: nothing has fewer in a larger budget, so nothing within
    its own budget was skipped.
    """
    most, proven = frame_budget(problem, goal, clock_mhz), True
    while True:
        solution = smallest(problem, goal, clock_mhz, most)
        if solution is None:
            return None
        budget = frame_budget(problem, goal, clock_mhz, solution.resources.lut)
        if solution.cycles <= budget:
            return replace(solution, proven=solution.proven and proven)
        most, proven = budget, goal.minimize == "lut"


def frame_budget(problem: Problem, goal: Goal, clock_mhz: float, lut: int = 0) -> int:
    """The cycle budget of a frame with engines at ``clock_mhz`` and the wires of ``lut`` LUTs.

    Without a frame rate the budget is unlimited.
    """
    if goal.fps is None:
        bandwidth = problem.bandwidth_bits or 1
        traffic = sum(max(o.traffic_bits for o in g.options) for g in problem.groups)
        return max(candidate_cycles(problem)[-1], -(-traffic // bandwidth))
    # What FIFOs in block RAM are hoped to save may be more than there is.
    network = network_mhz(clock_mhz, max(0, lut), problem.wires_ns)
    return int(goal.counted_mhz(network) * 1e6 / goal.fps)


def clocks(problem: Problem, goal: Goal) -> list[float]:
    """The clocks to search in MHz, descending: the goal's, or steps from the highest estimate.

    At the highest one every group still has an option. Raises UsageError where the goal gives no
    clock and none is estimated.
    """
    if goal.clock_mhz is not None:
        return [goal.clock_mhz]
    highest = min(max(o.fmax_mhz for o in g.options) for g in problem.groups)
    lowest = min(o.fmax_mhz for g in problem.groups for o in g.options)
    if highest == float("inf"):
        raise unestimated_clock(goal.device.technology)
    found = [highest]
    while found[-1] > lowest:
        found.append(max(lowest, found[-1] / CLOCK_STEP))
    return found


def fastest(
    problem: Problem,
    goal: Goal,
    clock_mhz: float,
    most_cycles: int,
    start_cycles: int | None = None,
) -> Solution | None:
    """A solution with the fewest cycles per frame within the limits. None: infeasible.

    This is a bisection over the possible intervals; each step is an exact feasibility test. Between
    the last infeasible and the first feasible interval, external memory may be the bottleneck:
    there the least traffic decides.
    """
    candidates = [c for c in candidate_cycles(problem) if c <= most_cycles]
    low, high = 0, len(candidates)
    if not candidates:
        return None
    # Whether anything fits is asked first: it seldom does after another clock was searched.
    probe = high - 1
    if start_cycles is not None:
        probe = min(probe, sum(c < start_cycles for c in candidates))
    step, turned, decided = 1, start_cycles is None, True
    answer: Solution | None = None
    while low < high:
        part = restrict(problem, candidates[probe], clock_mhz)
        try:
            found = solve(part, goal.limits, weights(goal), first=True)
        except NoAnswerError:
            found, decided = None, False
        if found is None:
            turned = turned or answer is not None
            low = probe + 1
            probe = low + step - 1
        else:
            turned = turned or low > 0
            answer = _unrestricted(problem, part, found)
            high = min(probe, bisect_left(candidates, found.cycles))
            probe = high - step
        step *= 2
        middle = (low + high) // 2
        probe = middle if turned else min(max(probe, low), max(high - 1, low))
    if problem.bandwidth_bits is not None and low > 0:
        slower = None if answer is None else answer.cycles
        least, known = _least_traffic(problem, goal, clock_mhz, candidates[low - 1])
        decided = decided and known
        if least is not None and least.cycles <= most_cycles:
            answer = least if slower is None or least.cycles < slower else answer
    if answer is None:
        return None
    return replace(answer, proven=decided)


def _least_traffic(
    problem: Problem, goal: Goal, clock_mhz: float, most_cycles: int
) -> tuple[Solution | None, bool]:
    """The solution of least traffic with engines of that speed; and whether that is proved."""
    part = replace(restrict(problem, most_cycles, clock_mhz), most_traffic_bits=None)
    try:
        found = solve(part, goal.limits, weights(goal), least_traffic=True)
    except NoAnswerError:
        return None, False
    return (None, True) if found is None else (_unrestricted(problem, part, found), found.proven)


def smallest(problem: Problem, goal: Goal, clock_mhz: float, most_cycles: int) -> Solution | None:
    """The solution of least cost in at most ``most_cycles`` per frame. None: infeasible."""
    if most_cycles < problem.least_cycles:
        return None
    part = restrict(problem, most_cycles, clock_mhz)
    solution = solve(part, goal.limits, weights(goal))
    return None if solution is None else _unrestricted(problem, part, solution)


def weights(goal: Goal) -> tuple[float, ...]:
    """Cost weights of lut, ff, bram and dsp: 1 / limit each, or those that the goal names first."""
    limits = vector(goal.limits)
    shares = [1.0 / limit if limit > 0 else 0.0 for limit in limits]
    if goal.minimize == SHARE:
        return tuple(shares)
    if goal.minimize == LOGIC:
        # Blocks cost next to nothing: two or three of them weigh less than one LUT.
        return tuple(
            share if name in ("lut", "ff") else 0.001 * share
            for name, share in zip(RESOURCE_KINDS, shares, strict=True)
        )
    # All shares together stay below one unit of the resource: they only break ties.
    return tuple(
        0.01 * share + (name == goal.minimize)
        for name, share in zip(RESOURCE_KINDS, shares, strict=True)
    )


def cost(resources: Resources, goal: Goal) -> float:
    """The weighted sum of ``resources``."""
    return float(vector(resources) @ weights(goal))


def _unrestricted(problem: Problem, part: Problem, solution: Solution) -> Solution:
    """The solution of a restricted problem with options indexed as in the whole one."""
    places = []
    for whole, few, k in zip(problem.groups, part.groups, solution.selected, strict=True):
        wanted = few.options[k]
        places.append(next(i for i, option in enumerate(whole.options) if option is wanted))
    return replace(solution, selected=tuple(places))
