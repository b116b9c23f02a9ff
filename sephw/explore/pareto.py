"""The Pareto set: frames per second against logic, at one clock."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from sephw.explore.choices import Progress
from sephw.explore.choose import Choice, choose, smallest
from sephw.explore.found import Found, Goal
from sephw.explore.model import Problem, candidate_cycles
from sephw.explore.search import Chooser, Session, find_folding, open_session, try_folding
from sephw.ir import Graph
from sephw.resources.engines import Estimator

DEFAULT_POINTS = 10


def pareto(
    graph: Graph,
    goal: Goal,
    *,
    points: int = DEFAULT_POINTS,
    estimator: Estimator | None = None,
    progress: Progress = lambda text: None,
    seconds: float | None = None,
) -> tuple[Found, ...]:
    """The Pareto set of foldings, fastest first: none is slower than another without being smaller.

    The first one is the result of `search` without a frame rate; the others have the least cost at
    slower frame intervals: all that can occur down to the frame rate of ``goal`` (without one: to
    the slowest), or ``points`` of them, evenly spread by ratio. All have the clock of the first.
    ``seconds``: as in `search`; no point is started after them.

    Raises SephwError where nothing fits.
    """
    floor = goal.fps
    session = open_session(graph, replace(goal, fps=None), estimator, None, progress)
    if seconds is not None:
        session = replace(session, deadline=time.monotonic() + seconds)
    found, session = find_folding(session, choose)
    result = [found]
    clock = session.goal.clock_mhz or int(found.clock_mhz * 10) / 10
    session = replace(session, goal=replace(session.goal, clock_mhz=clock))
    problem = session.problem(session.costs, session.goal.reserved)
    counted = goal.counted_mhz(clock)
    slowest = counted * 1e6 / floor if floor is not None else float("inf")
    intervals = [c for c in candidate_cycles(problem) if found.frame_cycles < c <= slowest]
    for cycles in _spread(intervals, points - 1):
        if session.time_is_up:
            break
        progress(f"point {len(result) + 1} of {min(points, len(intervals) + 1)}")
        # Where the FIFOs of an interval leave no room, slower ones may.
        following = try_folding(session, _smallest_in(session, cycles))
        if following is not None:
            one, session = following
            result.append(one)
    return tuple(_non_dominated(result))


def _smallest_in(session: Session, cycles: int) -> Chooser:
    clock = session.goal.clock_mhz or 0.0

    def chooser(problem: Problem, goal: Goal, start_cycles: int | None) -> Choice | None:
        solution = smallest(problem, goal, clock, cycles)
        requested = goal.clock_mhz is not None
        return None if solution is None else Choice(problem, solution, clock, requested)

    return chooser


def _spread(values: Sequence[int], count: int) -> list[int]:
    """At most ``count`` of ascending ``values``, about evenly by ratio, the last one included."""
    if len(values) <= count:
        return list(values)
    wanted = np.geomspace(values[0], values[-1], count)
    places = np.unique([int(np.argmin(np.abs(np.log(np.array(values) / w)))) for w in wanted])
    return [values[i] for i in places]


def _non_dominated(found: Sequence[Found]) -> Iterator[Found]:
    best = None
    for one in sorted(found, key=lambda f: (-f.frames_per_second, f.estimated.lut)):
        if best is None or one.estimated.lut < best:
            best = one.estimated.lut
            yield one
