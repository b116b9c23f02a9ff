"""The folding search: choose, build the graph, and choose again with the FIFOs that it has.

The choice problem counts FIFOs by what pipelines hold. What residual branches and windows make
wait is known only of a folded graph, so the graph of each choice is built and estimated; where it
is above the limits, the search is repeated with the FIFOs just seen, and from the third round on
with what was still missed. A choice that fits is tried once more to be improved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

from sephw.explore.choices import Effort, Progress, build_problem
from sephw.explore.choose import Choice, better, choose
from sephw.explore.costs import Costs, Estimator
from sephw.explore.final_graph import FinalGraph, final_graph, waiting
from sephw.explore.found import Found, Goal, NodeFound
from sephw.explore.model import Problem
from sephw.explore.refusal import refusal
from sephw.ir import Graph
from sephw.ir.resources import Resources
from sephw.passes import FoldingFile

_ROUNDS = 8
# Rounds in which the latest FIFOs replace those before; afterwards the largest seen count.
_LATEST_ROUNDS = 3
# What remains of the knowledge where nothing fits with it.
_DOUBT = 0.7
# (problem, frame interval of the last choice)
Chooser = Callable[[Problem, int | None], Choice | None]


@dataclass(frozen=True, eq=False)
class Session:
    """A network and a goal, with what is known of costs; a Pareto set shares one."""

    graph: Graph
    goal: Goal
    costs: Costs
    effort: Effort
    progress: Progress

    def problem(self, costs: Costs, base: Resources) -> Problem:
        """The choice problem; ``base`` is taken beside the engines."""
        return build_problem(self.graph, costs, self.effort, base)


@dataclass(frozen=True, eq=False)
class _Candidate:
    choice: Choice
    final: FinalGraph
    costs: Costs
    rounds: int


@dataclass(frozen=True)
class _Knowledge:
    """``waiting``: of FIFOs, by tensor; ``missed``: what the problem did not count."""

    waiting: dict[str, int] = field(default_factory=dict)
    missed: Resources = field(default_factory=Resources)

    def doubted(self) -> _Knowledge:
        """Less of everything."""
        counts = {name: int(n * _DOUBT) for name, n in asdict(self.missed).items()}
        waiting = {name: int(n * _DOUBT) for name, n in self.waiting.items()}
        return _Knowledge(waiting, Resources(**counts))


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
    return settle(session, lambda problem, near: choose(problem, goal, near))[0]


def open_session(
    graph: Graph,
    goal: Goal,
    estimator: Estimator | None = None,
    effort: Effort | None = None,
    progress: Progress = lambda text: None,
) -> Session:
    """A session with nothing known yet."""
    if estimator is None:
        from sephw.resources import estimate

        estimator = estimate
    costs = Costs(estimator, goal.device.technology)
    return Session(graph, goal, costs, effort or Effort(), progress)


def settle(session: Session, chooser: Chooser) -> tuple[Found, Session]:
    """Choose, build the graph, and choose again until its estimate is within the limits.

    The adder graphs that are chosen are solved, so that the result is not a guess. The session
    that comes back knows the FIFOs of what was found. Raises SephwError where nothing fits,
    saying what would.
    """
    outcome = _settle(session, chooser, solve=True)
    if isinstance(outcome, _Candidate):
        return _found(session, outcome)
    session.progress("nothing fits; what would")
    raise refusal(session.graph.name, outcome, session.goal, lambda goal: _speed(session, goal))


def attempt(session: Session, chooser: Chooser) -> tuple[Found, Session] | None:
    """The same with sizes of adder graphs guessed; None where nothing fits."""
    outcome = _settle(session, chooser, solve=False)
    return _found(session, outcome) if isinstance(outcome, _Candidate) else None


def _speed(session: Session, goal: Goal) -> float | None:
    """Most frames per second that another goal reaches; None: not even that fits."""
    other = replace(session, goal=goal)
    outcome = _settle(other, lambda problem, near: choose(problem, goal, near), False)
    if not isinstance(outcome, _Candidate):
        return None
    clock = goal.clock_mhz or outcome.final.fmax_mhz
    return clock * 1e6 / outcome.final.frame_cycles


def _settle(session: Session, chooser: Chooser, solve: bool) -> _Candidate | Problem:
    """What was found, or the problem that had no solution."""
    goal, costs = session.goal, session.costs
    known = _Knowledge(dict(costs.waiting))
    best: _Candidate | None = None
    near: int | None = None
    for tried in range(1, _ROUNDS + 1):
        session.progress(f"round {tried}: options")
        problem = session.problem(costs, goal.reserved + known.missed)
        session.progress(f"round {tried}: choice")
        choice = chooser(problem, near)
        if best is not None and (choice is None or not better(choice, best.choice, goal)):
            break
        if choice is None:
            if tried == 1:
                break
            # Other foldings may let less wait than those that were seen.
            known = known.doubted()
            costs = costs.learn(known.waiting, frozenset())
            continue
        near = choice.solution.cycles
        session.progress(f"round {tried}: FIFOs")
        final = final_graph(session.graph, choice.foldings, costs)
        if solve and (final.resources + goal.reserved).fits(goal.limits):
            unsolved = final.adder_graphs - costs.solved
            if unsolved:
                session.progress(f"round {tried}: {len(unsolved)} adder graphs")
                costs = costs.learn(costs.waiting, final.adder_graphs)
                final = final_graph(session.graph, choice.foldings, costs)
        if (final.resources + goal.reserved).fits(goal.limits):
            best = _Candidate(choice, final, costs, tried)
        elif best is not None:
            break
        known = _learn(known, choice, final, goal, tried)
        costs = costs.learn(known.waiting, frozenset())
    return problem if best is None else best


def _learn(
    known: _Knowledge, choice: Choice, final: FinalGraph, goal: Goal, tried: int
) -> _Knowledge:
    """What ``final`` shows that the problem behind ``choice`` did not count."""
    seen = waiting(final.graph)
    if tried <= _LATEST_ROUNDS:
        merged = seen
    else:
        names = {*known.waiting, *seen}
        merged = {name: max(known.waiting.get(name, 0), seen.get(name, 0)) for name in names}
    missed = known.missed
    if tried > 1:
        # The FIFOs of the round before were counted: this is what they do not explain.
        estimated, modelled = final.resources + goal.reserved, choice.solution.resources
        above = {name.lower() for name, _, _ in estimated.excess(goal.limits)}
        missed += Resources(
            **{n: max(1, getattr(estimated, n) - getattr(modelled, n)) for n in sorted(above)}
        )
    return _Knowledge(merged, missed)


def _found(session: Session, best: _Candidate) -> tuple[Found, Session]:
    goal, choice, final = session.goal, best.choice, best.final
    engines = final.engines
    foldings = choice.foldings
    nodes = tuple(
        NodeFound(
            node.name, node.module, node.operator.kind, foldings[node.name],
            node.operator.frame_cycles(foldings[node.name]),
            engines[node.name].resources, engines[node.name].fmax_mhz,
        )
        for node in session.graph.nodes
    )  # fmt: skip
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
        proven_optimal=choice.solution.proven,
        rounds=best.rounds,
        nodes=nodes,
        graph=final.graph,
    )
    knowing = best.costs.learn(waiting(final.graph), frozenset())
    return found, replace(session, costs=knowing)
