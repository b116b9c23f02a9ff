"""The folding search: the exact optimum of the choice problem, then the graph it leads to.

The problem counts FIFOs by what pipelines hold. What residual branches and windows make wait is
known only of a folded graph, so the graph of each solution is built and estimated; where it is
above the limits, the search is repeated with the FIFOs just seen and with what was still missed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sephw.errors import SephwError
from sephw.explore.choices import Effort, Progress, build_problem
from sephw.explore.costs import Costs, Estimator
from sephw.explore.final_graph import FinalGraph, final_graph, waiting
from sephw.explore.found import SHARE, Found, Goal, NodeFound
from sephw.explore.model import (
    RESOURCES,
    Problem,
    Solution,
    candidate_cycles,
    restrict,
    solve,
    vector,
)
from sephw.ir import Folding, Graph
from sephw.ir.resources import Resources
from sephw.passes import FoldingFile

_ROUNDS = 10
# Estimated clocks are told apart in steps of this: their error is larger.
CLOCK_STEP_MHZ = 10.0


@dataclass(frozen=True)
class Choice:
    """A solution with the problem it is of, and the clock it is for."""

    problem: Problem
    solution: Solution
    clock_mhz: float

    @property
    def foldings(self) -> dict[str, Folding]:
        """By node."""
        groups = zip(self.problem.groups, self.solution.taken, strict=True)
        return dict(pair for group, k in groups for pair in group.options[k].foldings)


@dataclass(frozen=True, eq=False)
class Session:
    """A network and a goal, with what is known of costs; ``pareto`` shares one."""

    graph: Graph
    goal: Goal
    costs: Costs
    effort: Effort
    progress: Progress

    def problem(self, costs: Costs, base: Resources) -> Problem:
        """The choice problem."""
        self.progress("options")
        return build_problem(self.graph, costs, self.effort, base, self.progress)


def search(
    graph: Graph,
    goal: Goal,
    *,
    estimator: Estimator | None = None,
    effort: Effort | None = None,
    progress: Progress = lambda text: None,
) -> Found:
    """The folding of ``graph`` (not folded, without forks and converters) that ``goal`` asks for.

    Without a frame rate: the most frames per second, and of the foldings with them the least
    share of the device. With one: the least of what the goal minimizes. ``estimator`` None: the
    resource model of sephw.resources.

    Raises SephwError where nothing fits, saying what would.
    """
    session = open_session(graph, goal, estimator, effort, progress)
    return settle(session, lambda problem: choose(problem, goal))


def open_session(
    graph: Graph, goal: Goal, estimator: Estimator | None, effort: Effort | None, progress: Progress
) -> Session:
    """A session with nothing known yet."""
    if estimator is None:
        from sephw.resources import estimate as estimator
    costs = Costs(estimator, goal.device.technology)
    return Session(graph, goal, costs, effort or Effort(), progress)


def settle(session: Session, chooser: Callable[[Problem], Choice | None]) -> Found:
    """Choose, build the graph, and choose again until its estimate is within the limits."""
    goal, costs, base = session.goal, session.costs, session.goal.reserved
    known: dict[str, int] = {}
    for tried in range(1, _ROUNDS + 1):
        problem = session.problem(costs, base)
        session.progress(f"round {tried}")
        choice = chooser(problem)
        if choice is None:
            from sephw.explore.refusal import refusal

            raise refusal(session.graph.name, problem, goal)
        session.progress(f"round {tried}: FIFOs")
        final = final_graph(session.graph, choice.foldings, costs.estimator, goal.device.technology)
        estimated = final.resources + goal.reserved
        if estimated.fits(goal.limits):
            return _found(session, choice, final, tried)
        # What the problem missed of each resource that is above its limit, beside the FIFOs that
        # it knows of from now on; in the first round these usually explain it all.
        seen = waiting(final.graph)
        if tried > 1:
            base = _corrected(base, choice.solution.resources, estimated, goal.limits)
        known = {key: max(known.get(key, 0), seen.get(key, 0)) for key in {*known, *seen}}
        costs = costs.learn(known)
    raise SephwError(
        f"{session.graph.name}: {_ROUNDS} foldings for {goal.device.name} were above its limits "
        "once their FIFOs were counted; give a lower --fps or smaller margins"
    )


def choose(problem: Problem, goal: Goal) -> Choice | None:
    """The optimum over foldings, and over clocks where none is given."""
    best: tuple[float, Choice] | None = None
    least_cycles = 1
    for clock in clocks(problem, goal):
        if goal.fps is not None:
            solution = smallest(problem, goal, clock, frame_budget(problem, goal, clock))
            value = 0.0 if solution is None else -cost(solution.resources, goal)
        else:
            # A higher clock leaves fewer foldings, so never fewer cycles than the one before.
            if best is not None and clock / least_cycles <= best[0]:
                continue
            solution = fastest(problem, goal, clock)
            if solution is None:
                break
            least_cycles = solution.cycles
            value = clock / least_cycles
        if solution is not None and (best is None or value > best[0]):
            best = value, Choice(problem, solution, clock)
    return None if best is None else best[1]


def frame_budget(problem: Problem, goal: Goal, clock_mhz: float) -> int:
    """Most cycles per frame at ``clock_mhz``; without a frame rate, as many as there may be."""
    if goal.fps is None:
        return candidate_cycles(problem)[-1]
    return int(clock_mhz * 1e6 / goal.fps)


def clocks(problem: Problem, goal: Goal) -> list[float]:
    """Clocks to search, ascending: the one asked for, or steps between the estimates."""
    if goal.clock_mhz is not None:
        return [goal.clock_mhz]
    fastest_option = min(max(o.fmax_mhz for o in g.options) for g in problem.groups)
    slowest_option = min(o.fmax_mhz for g in problem.groups for o in g.options)
    steps = int((fastest_option - slowest_option) / CLOCK_STEP_MHZ)
    # The highest one leaves every group its fastest foldings only.
    return sorted(
        {fastest_option, *(slowest_option + CLOCK_STEP_MHZ * n for n in range(steps + 1))}
    )


def fastest(problem: Problem, goal: Goal, clock_mhz: float) -> Solution | None:
    """The fewest cycles per frame within the limits; of these the least cost. None: nothing fits.

    Bisection over the intervals that can occur; each step is an exact answer to "does it fit".
    """
    candidates = candidate_cycles(problem)
    low, high = 0, len(candidates)
    while low < high:
        middle = (low + high) // 2
        part = restrict(problem, candidates[middle], clock_mhz)
        answer = solve(part, goal.limits, weights(goal), first=True)
        if answer is None:
            low = middle + 1
        else:
            high = min(middle, candidates.index(max(candidates[0], answer.cycles)))
    if low == len(candidates):
        return None
    return smallest(problem, goal, clock_mhz, candidates[low])


def smallest(problem: Problem, goal: Goal, clock_mhz: float, most_cycles: int) -> Solution | None:
    """The least of what ``goal`` minimizes, in at most ``most_cycles``. None: nothing fits."""
    if most_cycles < problem.least_cycles:
        return None
    part = restrict(problem, most_cycles, clock_mhz)
    solution = solve(part, goal.limits, weights(goal))
    if solution is None:
        return None
    # Options of the part by their place in the whole problem.
    taken = tuple(
        whole.options.index(few.options[k])
        for whole, few, k in zip(problem.groups, part.groups, solution.taken, strict=True)
    )
    return replace(solution, taken=taken)


def weights(goal: Goal) -> tuple[float, ...]:
    """Of lut, ff, bram, dsp: a share of the device each; one resource first where it is named."""
    limits = vector(goal.limits)
    shares = [1.0 / limit if limit > 0 else 0.0 for limit in limits]
    if goal.minimize == SHARE:
        return tuple(shares)
    # All shares together stay below one unit of the resource: they only break ties.
    return tuple(
        0.01 * share + (name == goal.minimize)
        for name, share in zip(RESOURCES, shares, strict=True)
    )


def cost(resources: Resources, goal: Goal) -> float:
    """Σ weights · resources."""
    return float(vector(resources) @ weights(goal))


def _corrected(
    base: Resources, modelled: Resources, estimated: Resources, limits: Resources
) -> Resources:
    """``base`` with what the model missed, where the estimate is above its limit."""
    above = {name.lower() for name, _, _ in estimated.excess(limits)}
    missed = {
        name: max(1, getattr(estimated, name) - getattr(modelled, name)) for name in above
    }  # fmt: skip
    return base + Resources(**missed)


def _found(session: Session, choice: Choice, final: FinalGraph, rounds: int) -> Found:
    goal, foldings = session.goal, choice.foldings
    costs = final.engines
    nodes = tuple(
        NodeFound(
            node.name, node.operator.kind, foldings[node.name],
            node.operator.frame_cycles(foldings[node.name]),
            costs[node.name].resources, costs[node.name].fmax_mhz,
        )
        for node in session.graph.nodes
    )  # fmt: skip
    return Found(
        network=session.graph.name,
        device=goal.device,
        clock_mhz=goal.clock_mhz or final.fmax_mhz,
        folding=FoldingFile({node.name: node.folding for node in nodes}, final.frame_cycles),
        frame_cycles=final.frame_cycles,
        modelled=choice.solution.resources,
        estimated=final.resources + goal.reserved,
        limits=goal.limits,
        fmax_mhz=final.fmax_mhz,
        proven_optimal=choice.solution.proven,
        rounds=rounds,
        nodes=nodes,
    )
