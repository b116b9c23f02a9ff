"""The folding search: choose, build the graph, and choose again with the FIFOs that it has.

The choice problem counts FIFOs by what pipelines hold. What residual branches and windows make
wait is known only of a folded graph, so the graph of each choice is built and estimated; where it
is above the limits, the search is repeated with the FIFOs just seen and with what their places in
block RAM saved, and from the third round on with what was still missed. Where nothing fits at
first, FIFOs in block RAM may be what is missing: the search goes on with a guess of what they save,
and then with the FIFOs of engines that wait for slower ones.
A choice that fits is tried once more to be improved. Effort is limited in rounds and in nodes of
search trees, so that it is the same on every machine; seconds are a last resort.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sephw.explore.choices import Effort, Progress, build_problem
from sephw.explore.choose import Choice, better, choose, cost
from sephw.explore.corrections import Corrections, counted_fps
from sephw.explore.costs import Costs
from sephw.explore.final_graph import FinalGraph, final_graph, occupancy
from sephw.explore.found import Found, Goal, NodeFound
from sephw.explore.model import Problem, candidate_cycles
from sephw.explore.refusal import refusal
from sephw.ir import Graph
from sephw.ir.resources import Resources
from sephw.passes import FoldingFile
from sephw.resources.engines import Estimator, puts_fifos_in_blocks
from sephw.technologies import Technology

_ROUNDS = 8
# Intervals between the first choice and the first that fits that are tried, and rounds for each.
_REFINEMENTS = 3
_SHORT_ROUNDS = 4
# Where no round fits: how much slower to begin again, and how often.
_INTERVAL_FACTOR, _RESTARTS = 1.25, 8
# Paces at which to try again where nothing fits at the engines' own.
_INTERVAL_STEPS = 3
# LUTs, as a share of the limit, that FIFOs of pipelines in block RAM may save.
_ASSUMED_SAVING = 0.1
# (problem, goal, frame interval of the last choice)
Chooser = Callable[[Problem, Goal, int | None], Choice | None]


@dataclass(frozen=True, eq=False)
class Session:
    """A network, a goal and the costs found so far; the points of a Pareto set share one.

    ``saved``: resources that the last design's FIFOs in block RAM save. ``deadline``: the time of
    `time.monotonic` from which on the first design that fits is final.
    """

    graph: Graph
    goal: Goal
    costs: Costs
    effort: Effort
    progress: Progress
    saved: Resources = field(default_factory=Resources)
    deadline: float = math.inf

    @property
    def time_is_up(self) -> bool:
        """True after the deadline."""
        return time.monotonic() > self.deadline

    def problem(self, costs: Costs, base: Resources) -> Problem:
        """The choice problem; ``base`` are the resources used beside the engines."""
        effort = replace(self.effort, clock_mhz=self.goal.clock_mhz)
        bandwidth = self.goal.weight_bandwidth_bits
        return build_problem(self.graph, costs, effort, base, bandwidth)


@dataclass(frozen=True, eq=False)
class _Candidate:
    choice: Choice
    final: FinalGraph
    costs: Costs
    rounds: int
    # Frame interval of the first choice, without the FIFOs of waiting beats.
    bound: int
    # With its FIFOs counted the problem has no better choice.
    confirmed: bool = False
    # The time was over before all was tried.
    timed_out: bool = False


@dataclass(frozen=True, eq=False)
class _Infeasible:
    """No round fits. ``problem``: one without a solution; ``first``: the first round's choice."""

    problem: Problem
    first: Choice | None


def search(
    graph: Graph,
    goal: Goal,
    *,
    estimator: Estimator | None = None,
    effort: Effort | None = None,
    progress: Progress = lambda text: None,
    wires_ns: float = 0.0,
    seconds: float | None = None,
) -> Found:
    """Find the folding of ``graph`` (not folded, without forks and converters) for ``goal``.

    Without a frame rate, it has the most frames per second, and of all such foldings the least
    share of the device. With one, it has the least of what the goal minimizes. ``estimator`` None:
    the resource model of sephw.resources, with its wires; ``wires_ns``: the wires of another
    estimator. Wires count when clocks are compared, not among foldings of one clock. ``seconds``: a
    time budget, after which the best folding so far, or the first that fits, is final and marked
    ``timed_out``; None: no budget.

    Raises SephwError where nothing fits, with the nearest goal or device that does.
    """
    session = open_session(graph, goal, estimator, effort, progress, wires_ns)
    if seconds is not None:
        session = replace(session, deadline=time.monotonic() + seconds)
    return find_folding(session, choose)[0]


def open_session(
    graph: Graph,
    goal: Goal,
    estimator: Estimator | None = None,
    effort: Effort | None = None,
    progress: Progress = lambda text: None,
    wires_ns: float = 0.0,
) -> Session:
    """A session without any feedback."""
    costs = _costs(estimator, goal.device.technology, wires_ns)
    return Session(graph, goal, costs, effort or Effort(), progress)


def _costs(estimator: Estimator | None, technology: Technology, wires_ns: float) -> Costs:
    """Costs without any feedback. The resource model brings its own wires."""
    from sephw.resources import estimate, wires_of

    if estimator in (None, estimate):
        return Costs(estimate, technology, wires_of(technology))
    assert estimator is not None
    return Costs(estimator, technology, wires_ns)


def find_folding(session: Session, chooser: Chooser) -> tuple[Found, Session]:
    """Choose a folding, build its graph, and repeat until the graph's estimate fits.

    The adder graphs of the choice are solved, so that its sizes are known. The returned session
    knows the FIFOs of the result. Raises SephwError where nothing fits, with the nearest goal or
    device that does.
    """
    outcome = _retry_slower(session, _iterate(session, chooser, solve=True), solve=True)
    if isinstance(outcome, _Infeasible) and session.goal.clock_mhz is None:
        session.progress("nothing fits; fewer registers")
        effort = replace(session.effort, fewer_registers=True)
        session = replace(session, effort=effort)
        outcome = _retry_slower(session, _iterate(session, chooser, solve=True), solve=True)
    if isinstance(outcome, _Candidate):
        return _found(session, _bisect_faster(session, outcome))
    session.progress("nothing fits; what would")
    works = [node.operator.work for node in session.graph.nodes]
    raise refusal(
        session.graph.name,
        outcome.problem,
        session.goal,
        lambda goal: _reachable_fps(session, goal),
        sum(work.weights_1bit + 8 * work.weights_8bit for work in works),
    )


def try_folding(session: Session, chooser: Chooser) -> tuple[Found, Session] | None:
    """`find_folding` with estimated sizes of adder graphs; None where nothing fits."""
    outcome = _iterate(session, chooser, solve=False)
    return _found(session, outcome) if isinstance(outcome, _Candidate) else None


def _reachable_fps(session: Session, goal: Goal) -> float | None:
    """The highest frame rate that another goal reaches; None where nothing fits at all."""
    costs = session.costs
    if goal.device.technology is not costs.technology:
        costs = _costs(costs.estimator, goal.device.technology, costs.wires_ns)
        session = replace(session, costs=costs, saved=Resources())
    there = replace(session, goal=goal)
    outcome = _retry_slower(there, _iterate(there, choose, False), solve=False)
    return counted_fps(outcome.final, goal) if isinstance(outcome, _Candidate) else None


def _retry_slower(
    session: Session, outcome: _Candidate | _Infeasible, *, solve: bool
) -> _Candidate | _Infeasible:
    """``outcome``, or a candidate at longer frame intervals where no round fitted.

    Rounds follow the FIFOs of the last choice, and may never meet a folding whose FIFOs fit.
    """
    goal = session.goal
    if isinstance(outcome, _Candidate) or outcome.first is None or goal.fps is not None:
        return outcome
    first = outcome.first
    cycles = first.solution.cycles
    for _ in range(_RESTARTS):
        cycles = math.ceil(cycles * _INTERVAL_FACTOR)
        session.progress(f"nothing fits; {cycles:,} cycles/frame")
        fps = first.clock_mhz * 1e6 / (cycles + 0.5)
        tried = replace(session, goal=replace(goal, fps=fps, clock_mhz=first.clock_mhz))
        found = _iterate(tried, choose, solve, _SHORT_ROUNDS)
        if isinstance(found, _Candidate):
            # Faster ones may fit as well.
            return replace(found, bound=first.solution.cycles, confirmed=False)
    return outcome


def _bisect_faster(session: Session, best: _Candidate) -> _Candidate:
    """A faster candidate than ``best`` where one fits, by bisection of the frame interval.

    The rounds stop at the first choice that fits, and FIFOs of earlier choices may have kept them
    from faster ones.
    """
    goal, clock = session.goal, best.choice.clock_mhz
    if goal.fps is not None:
        return best
    slower = best.choice.solution.cycles
    between = [c for c in candidate_cycles(best.choice.problem) if best.bound <= c < slower]
    for _ in range(_REFINEMENTS):
        if not between:
            break
        if session.time_is_up:
            return replace(best, timed_out=True)
        middle = len(between) // 2
        cycles = between[middle]
        session.progress(f"refinement: {cycles:,} cycles/frame")
        tried = replace(goal, fps=clock * 1e6 / (cycles + 0.5), clock_mhz=clock)
        costs = _costs_of(best)
        part = replace(session, goal=tried, costs=costs, saved=best.final.saved)
        outcome = _iterate(part, choose, True, _SHORT_ROUNDS)
        if isinstance(outcome, _Candidate):
            # The least at its interval; that none is faster was not asked.
            best = replace(outcome, bound=best.bound, confirmed=False)
            between = [c for c in between if c < outcome.choice.solution.cycles]
        else:
            between = between[middle + 1 :]
    return best


def _iterate(
    session: Session, chooser: Chooser, solve: bool, rounds: int = _ROUNDS
) -> _Candidate | _Infeasible:
    """Rounds of choosing and building: a candidate, or the problem that had no solution."""
    goal, costs = session.goal, session.costs
    corrections = Corrections(dict(costs.occupancy), saved=session.saved)
    best: _Candidate | None = None
    first: Choice | None = None
    start_cycles: int | None = None
    bound = assumed = steps = 0
    refused: Problem | None = None
    for tried in range(1, rounds + _INTERVAL_STEPS + 1):
        if tried - steps > rounds:
            break
        if best is not None and session.time_is_up:
            return replace(best, timed_out=True)
        session.progress(f"round {tried}: options")
        base = (goal.reserved + corrections.uncounted).minus(corrections.saved)
        problem = session.problem(costs, base)
        session.progress(f"round {tried}: choice")
        choice = chooser(problem, corrections.adjusted_goal(goal), start_cycles)
        if best is not None and (choice is None or not better(choice, best.choice, goal)):
            best = replace(best, confirmed=True)
            break
        if choice is None:
            refused = problem if bound == 0 else refused or problem
            if bound == 0 and (assumed or not puts_fifos_in_blocks(goal.device)):
                if steps == _INTERVAL_STEPS:
                    # What is needed is not said of what was only hoped for.
                    refused = session.problem(costs, goal.reserved.minus(session.saved))
                    break
                steps += 1
                costs = costs.at_frame_interval(_longer_interval(problem, steps))
                continue
            if bound == 0:
                assumed = 1
                corrections = replace(
                    corrections,
                    saved=corrections.saved + Resources(lut=int(_ASSUMED_SAVING * goal.limits.lut)),
                )
                continue
            # Other foldings may let less wait than those that were seen.
            corrections = corrections.relaxed()
            costs = costs.with_feedback(corrections.occupancy, frozenset())
            continue
        start_cycles = choice.solution.cycles
        first = first or choice
        bound = bound or start_cycles
        session.progress(f"round {tried}: FIFOs")
        bandwidth = goal.weight_bandwidth_bits
        final = final_graph(session.graph, choice.foldings, costs, goal.device, bandwidth)
        if solve and _meets_goal(final, goal):
            unsolved = final.adder_graphs - costs.solved
            if unsolved:
                session.progress(f"round {tried}: adder graphs, {len(unsolved)} new")
                costs = costs.with_feedback(costs.occupancy, final.adder_graphs)
                final = final_graph(session.graph, choice.foldings, costs, goal.device, bandwidth)
        if _meets_goal(final, goal):
            found = _Candidate(choice, final, costs, tried, bound)
            # What FIFOs in blocks save is known of the round before: the choice may be worse than
            # it promised.
            if best is None or _is_better(final, best.final, goal):
                best = found
        elif best is not None:
            break
        corrections = corrections.updated(
            choice, final, goal, tried - assumed - steps, costs.least_frame_cycles
        )
        costs = costs.with_feedback(corrections.occupancy, frozenset())
    return _Infeasible(refused or problem, first) if best is None else best


def _longer_interval(problem: Problem, steps: int) -> int:
    """A frame interval in cycles for the next attempt; the last step is the slowest interval.

    FIFOs of engines that wait for others are small.
    """
    candidates = candidate_cycles(problem)
    fastest, slowest = candidates[0], candidates[-1]
    return math.ceil(fastest * (slowest / fastest) ** (steps / _INTERVAL_STEPS))


def _meets_goal(final: FinalGraph, goal: Goal) -> bool:
    """True where ``final``, as estimated, fits and has the goal's frame rate."""
    fast = goal.fps is None or counted_fps(final, goal) >= goal.fps
    return fast and (final.resources + goal.reserved).fits(goal.limits)


def _is_better(one: FinalGraph, other: FinalGraph, goal: Goal) -> bool:
    """True where ``one``, as estimated as a whole, serves ``goal`` better than ``other``."""
    rates = [
        (goal.clock_mhz or final.fmax_mhz) / final.frame_cycles if goal.fps is None else 0.0
        for final in (one, other)
    ]
    if rates[0] != rates[1]:
        return rates[0] > rates[1]
    return cost(one.resources, goal) < cost(other.resources, goal)


def _found(session: Session, best: _Candidate) -> tuple[Found, Session]:
    goal, choice, final = session.goal, best.choice, best.final
    engines = final.engines
    foldings = choice.foldings
    nodes = tuple(
        NodeFound(
            node.name,
            node.module,
            node.operator.kind,
            foldings[node.name],
            node.operator.frame_cycles(foldings[node.name]),
            engines[node.name].resources,
            engines[node.name].fmax_mhz,
        )
        for node in session.graph.nodes
    )
    found = Found(
        network=session.graph.name,
        goal=goal,
        clock_mhz=goal.clock_mhz or final.fmax_mhz,
        folding=FoldingFile({node.name: node.folding for node in nodes}, final.frame_cycles),
        frame_cycles=final.frame_cycles,
        bottleneck=final.bottleneck,
        modelled=choice.solution.resources,
        estimated=final.resources + goal.reserved,
        fmax_mhz=final.fmax_mhz,
        proven_optimal=choice.solution.proven and best.confirmed,
        rounds=best.rounds,
        timed_out=best.timed_out,
        nodes=nodes,
        graph=final.graph,
    )
    return found, replace(session, costs=_costs_of(best), saved=final.saved)


def _costs_of(best: _Candidate) -> Costs:
    """The costs of ``best`` with the FIFO occupancies of its graph."""
    costs = best.costs
    return costs.with_feedback(occupancy(best.final.graph, costs.least_frame_cycles), frozenset())
