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
from sephw.explore.costs import Costs
from sephw.explore.final_graph import FinalGraph, final_graph, waiting
from sephw.explore.found import Found, Goal, NodeFound
from sephw.explore.knowledge import Knowledge, counted_fps
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
_FEW_ROUNDS = 4
# Where no round fits: how much slower to begin again, and how often.
_SLOWER, _RESTARTS = 1.25, 8
# Paces at which to try again where nothing fits at the engines' own.
_PACES = 3
# LUTs, as a share of the limit, that FIFOs of pipelines in block RAM may save.
_HOPE = 0.1
# (problem, goal, frame interval of the last choice)
Chooser = Callable[[Problem, Goal, int | None], Choice | None]


@dataclass(frozen=True, eq=False)
class Session:
    """A network and a goal, with what is known of costs; a Pareto set shares one.

    ``saved``: by FIFOs in block RAM, of the last design. ``until``: the moment, of
    `time.monotonic`, from which on the first design that fits is kept as it is.
    """

    graph: Graph
    goal: Goal
    costs: Costs
    effort: Effort
    progress: Progress
    saved: Resources = field(default_factory=Resources)
    until: float = math.inf

    @property
    def over(self) -> bool:
        """True where the time is over."""
        return time.monotonic() > self.until

    def problem(self, costs: Costs, base: Resources) -> Problem:
        """The choice problem; ``base`` is taken beside the engines."""
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
    cut: bool = False


@dataclass(frozen=True, eq=False)
class _Refused:
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
    """The folding of ``graph`` (not folded, without forks and converters) that ``goal`` asks for.

    Without a frame rate: the most frames per second, and of the foldings with them the least
    share of the device. With one: the least of what the goal minimizes. ``estimator`` None: the
    resource model of sephw.resources, and its wires; ``wires_ns``: those of another estimator.
    Wires count when clocks are compared, not among foldings of one clock. ``seconds``: after them
    the best so far is kept, or the first that fits, and called ``cut``; None: all is tried.

    Raises SephwError where nothing fits, saying what would.
    """
    session = open_session(graph, goal, estimator, effort, progress, wires_ns)
    if seconds is not None:
        session = replace(session, until=time.monotonic() + seconds)
    return settle(session, choose)[0]


def open_session(
    graph: Graph,
    goal: Goal,
    estimator: Estimator | None = None,
    effort: Effort | None = None,
    progress: Progress = lambda text: None,
    wires_ns: float = 0.0,
) -> Session:
    """A session with nothing known yet."""
    costs = _costs(estimator, goal.device.technology, wires_ns)
    return Session(graph, goal, costs, effort or Effort(), progress)


def _costs(estimator: Estimator | None, technology: Technology, wires_ns: float) -> Costs:
    """Costs of which nothing is known yet. The resource model brings its own wires."""
    from sephw.resources import estimate, wires_of

    if estimator in (None, estimate):
        return Costs(estimate, technology, wires_of(technology))
    assert estimator is not None
    return Costs(estimator, technology, wires_ns)


def settle(session: Session, chooser: Chooser) -> tuple[Found, Session]:
    """Choose, build the graph, and choose again until its estimate is within the limits.

    The adder graphs that are chosen are solved, so that the result is not a guess. The session
    that comes back knows the FIFOs of what was found. Raises SephwError where nothing fits,
    saying what would.
    """
    outcome = _slower(session, _settle(session, chooser, solve=True), solve=True)
    if isinstance(outcome, _Refused) and session.goal.clock_mhz is None:
        session.progress("nothing fits; fewer registers")
        effort = replace(session.effort, fewer_registers=True)
        session = replace(session, effort=effort)
        outcome = _slower(session, _settle(session, chooser, solve=True), solve=True)
    if isinstance(outcome, _Candidate):
        return _found(session, _refined(session, outcome))
    session.progress("nothing fits; what would")
    works = [node.operator.work for node in session.graph.nodes]
    raise refusal(
        session.graph.name,
        outcome.problem,
        session.goal,
        lambda goal: _speed(session, goal),
        sum(work.weights_1bit + 8 * work.weights_8bit for work in works),
    )


def attempt(session: Session, chooser: Chooser) -> tuple[Found, Session] | None:
    """The same with sizes of adder graphs guessed; None where nothing fits."""
    outcome = _settle(session, chooser, solve=False)
    return _found(session, outcome) if isinstance(outcome, _Candidate) else None


def _speed(session: Session, goal: Goal) -> float | None:
    """Most frames per second that another goal reaches; None: not even that fits."""
    costs = session.costs
    if goal.device.technology is not costs.technology:
        costs = _costs(costs.estimator, goal.device.technology, costs.wires_ns)
        session = replace(session, costs=costs, saved=Resources())
    there = replace(session, goal=goal)
    outcome = _slower(there, _settle(there, choose, False), solve=False)
    return counted_fps(outcome.final, goal) if isinstance(outcome, _Candidate) else None


def _slower(
    session: Session, outcome: _Candidate | _Refused, *, solve: bool
) -> _Candidate | _Refused:
    """``outcome``, or what fits at longer and longer frame intervals where no round did.

    Rounds follow the FIFOs of the last choice, and may never meet a folding whose FIFOs fit.
    """
    goal = session.goal
    if isinstance(outcome, _Candidate) or outcome.first is None or goal.fps is not None:
        return outcome
    first = outcome.first
    cycles = first.solution.cycles
    for _ in range(_RESTARTS):
        cycles = math.ceil(cycles * _SLOWER)
        session.progress(f"nothing fits; {cycles:,} cycles/frame")
        fps = first.clock_mhz * 1e6 / (cycles + 0.5)
        tried = replace(session, goal=replace(goal, fps=fps, clock_mhz=first.clock_mhz))
        found = _settle(tried, choose, solve, _FEW_ROUNDS)
        if isinstance(found, _Candidate):
            # Faster ones may fit as well.
            return replace(found, bound=first.solution.cycles, confirmed=False)
    return outcome


def _refined(session: Session, best: _Candidate) -> _Candidate:
    """A faster one between ``best`` and what fitted without FIFOs, by bisection.

    The rounds stop at the first choice that fits, and FIFOs seen on the way may have kept them
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
        if session.over:
            return replace(best, cut=True)
        middle = len(between) // 2
        cycles = between[middle]
        session.progress(f"refinement: {cycles:,} cycles/frame")
        tried = replace(goal, fps=clock * 1e6 / (cycles + 0.5), clock_mhz=clock)
        costs = _knowing(best)
        part = replace(session, goal=tried, costs=costs, saved=best.final.saved)
        outcome = _settle(part, choose, True, _FEW_ROUNDS)
        if isinstance(outcome, _Candidate):
            # The least at its interval; that none is faster was not asked.
            best = replace(outcome, bound=best.bound, confirmed=False)
            between = [c for c in between if c < outcome.choice.solution.cycles]
        else:
            between = between[middle + 1 :]
    return best


def _settle(
    session: Session, chooser: Chooser, solve: bool, rounds: int = _ROUNDS
) -> _Candidate | _Refused:
    """What was found, or the problem that had no solution."""
    goal, costs = session.goal, session.costs
    known = Knowledge(dict(costs.waiting), saved=session.saved)
    best: _Candidate | None = None
    first: Choice | None = None
    near: int | None = None
    bound = hoped = paced = 0
    refused: Problem | None = None
    for tried in range(1, rounds + _PACES + 1):
        if tried - paced > rounds:
            break
        if best is not None and session.over:
            return replace(best, cut=True)
        session.progress(f"round {tried}: options")
        base = (goal.reserved + known.missed).less(known.saved)
        problem = session.problem(costs, base)
        session.progress(f"round {tried}: choice")
        choice = chooser(problem, known.asked(goal), near)
        if best is not None and (choice is None or not better(choice, best.choice, goal)):
            best = replace(best, confirmed=True)
            break
        if choice is None:
            refused = problem if bound == 0 else refused or problem
            if bound == 0 and (hoped or not puts_fifos_in_blocks(goal.device)):
                if paced == _PACES:
                    # What is needed is not said of what was only hoped for.
                    refused = session.problem(costs, goal.reserved.less(session.saved))
                    break
                paced += 1
                costs = costs.at_pace(_pace(problem, paced))
                continue
            if bound == 0:
                hoped = 1
                known = replace(
                    known, saved=known.saved + Resources(lut=int(_HOPE * goal.limits.lut))
                )
                continue
            # Other foldings may let less wait than those that were seen.
            known = known.doubted()
            costs = costs.learn(known.waiting, frozenset())
            continue
        near = choice.solution.cycles
        first = first or choice
        bound = bound or near
        session.progress(f"round {tried}: FIFOs")
        bandwidth = goal.weight_bandwidth_bits
        final = final_graph(session.graph, choice.foldings, costs, goal.device, bandwidth)
        if solve and _serves(final, goal):
            unsolved = final.adder_graphs - costs.solved
            if unsolved:
                session.progress(f"round {tried}: adder graphs, {len(unsolved)} new")
                costs = costs.learn(costs.waiting, final.adder_graphs)
                final = final_graph(session.graph, choice.foldings, costs, goal.device, bandwidth)
        if _serves(final, goal):
            found = _Candidate(choice, final, costs, tried, bound)
            # What FIFOs in blocks save is known of the round before: the choice may be worse than
            # it promised.
            if best is None or _serves_better(final, best.final, goal):
                best = found
        elif best is not None:
            break
        known = known.learn(choice, final, goal, tried - hoped - paced, costs.pace_cycles)
        costs = costs.learn(known.waiting, frozenset())
    return _Refused(refused or problem, first) if best is None else best


def _pace(problem: Problem, paced: int) -> int:
    """A frame interval, the slowest at last: FIFOs of engines that wait for others are small."""
    candidates = candidate_cycles(problem)
    fastest, slowest = candidates[0], candidates[-1]
    return math.ceil(fastest * (slowest / fastest) ** (paced / _PACES))


def _serves(final: FinalGraph, goal: Goal) -> bool:
    """True where ``final``, as it is estimated, fits and has the frame rate asked for."""
    fast = goal.fps is None or counted_fps(final, goal) >= goal.fps
    return fast and (final.resources + goal.reserved).fits(goal.limits)


def _serves_better(one: FinalGraph, other: FinalGraph, goal: Goal) -> bool:
    """True where ``one``, as it is estimated with everything, serves ``goal`` better."""
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
        cut=best.cut,
        nodes=nodes,
        graph=final.graph,
    )
    return found, replace(session, costs=_knowing(best), saved=final.saved)


def _knowing(best: _Candidate) -> Costs:
    """Its costs with the FIFOs that it has."""
    costs = best.costs
    return costs.learn(waiting(best.final.graph, costs.pace_cycles), frozenset())
