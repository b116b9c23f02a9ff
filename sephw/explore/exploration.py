"""A whole exploration: the search, the Pareto set, synthesis of its points, and the one to take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sephw.errors import SephwError
from sephw.explore.found import Found, Goal
from sephw.explore.pareto import pareto
from sephw.explore.search import search
from sephw.explore.sweep import SynthesisJob, SynthesisResult, synthesize_many
from sephw.explore.text import pareto_table, summary, synthesis_table, table
from sephw.ir import Graph
from sephw.passes import lower
from sephw.progress import Progress

# What the Pareto set tells of a point.
_POINT = (
    "frames_per_second",
    "frames_per_second_over_link",
    "frame_cycles",
    "clock_mhz",
    "estimated",
    "proven_optimal",
    "folding",
)


@dataclass(frozen=True)
class ExplorationSettings:
    """The scope of an exploration. `points`: of the Pareto set at most; None: only the best.

    `synthesized`: how many of the fastest points are synthesized, and the fastest that fits is
    taken; None: none. `scheduler`: the address of a dask scheduler for that; None: this process.
    After `search_seconds` the search keeps the best that it has found.
    """

    goal: Goal
    points: int | None = None
    synthesized: int | None = None
    scheduler: str | None = None
    search_seconds: float = 600.0

    @property
    def steps(self) -> int:
        """The number of progress steps of `explore_graph`."""
        return 1 if self.synthesized is None else 2


@dataclass(frozen=True, eq=False)
class Exploration:
    """The result: `chosen` of `found`, the fastest first; `results` of those that were `tried`.

    `results` None: nothing was synthesized. `seconds`: of the search.
    """

    chosen: Found
    found: tuple[Found, ...]
    tried: tuple[Found, ...]
    results: tuple[SynthesisResult, ...] | None
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        content = self.chosen.as_dict()
        content["seconds"] = round(self.seconds, 1)
        if len(self.found) > 1:
            points = [found.as_dict() for found in self.found]
            content["pareto"] = [{key: point[key] for key in _POINT} for point in points]
        if self.results is not None:
            content["synthesized"] = [
                {"name": result.name, "total": asdict(result.total), "error": result.error}
                for result in self.results
            ]
        return content

    def text(self) -> str:
        """Tables and a summary for a person."""
        parts = [table(self.chosen), ""]
        if len(self.found) > 1:
            parts.append(pareto_table(self.found) + "\n")
        if self.results is not None:
            parts.append(synthesis_table(self.tried, self.results) + "\n")
        return "\n".join([*parts, summary(self.chosen), f"  {'search':8}{self.seconds:.1f} s"])


def explore_graph(graph: Graph, settings: ExplorationSettings, progress: Progress) -> Exploration:
    """Search foldings of ``graph``, a network that is not folded.

    Raises MisfitError where none fits by the estimates, SephwError where none fits once it is
    synthesized, or synthesis fails.
    """
    goal, seconds = settings.goal, settings.search_seconds
    began = time.monotonic()
    with progress.step("explore", f"foldings for {goal.device.name}"):
        if settings.points is not None or settings.synthesized is not None:
            count = settings.points or max(2, settings.synthesized or 0)
            found = pareto(graph, goal, points=count, progress=progress.update, seconds=seconds)
        else:
            found = (search(graph, goal, progress=progress.update, seconds=seconds),)
    spent = time.monotonic() - began
    if settings.synthesized is None:
        # With a rate to reach the least logic that is fast enough is the last point.
        chosen = found[0] if goal.fps is None else found[-1]
        return Exploration(chosen, found, (), None, spent)
    count = settings.synthesized
    tried = found[:count] if goal.fps is None else found[-count:]
    with progress.step("synth", f"{len(tried)} foldings, by Yosys"):
        jobs = [_job(graph, one) for one in tried]
        results = tuple(synthesize_many(jobs, settings.scheduler, progress=progress.update))
    return Exploration(_fitting(tried, results, goal.fps), found, tried, results, spent)


def _job(graph: Graph, found: Found) -> SynthesisJob:
    """The synthesis of ``graph`` as an export lowers it with that folding.

    The search's own graph may have FIFOs for guessed latencies, in memories for guessed sizes.
    """
    device, bandwidth = found.goal.device, found.goal.weight_bandwidth_bits
    lowered = lower(graph, found.folding, weight_bandwidth_bits=bandwidth, device=device)
    return SynthesisJob.from_graph(f"{found.frame_cycles:,} cycles/frame", lowered, device)


def _fitting(
    found: Sequence[Found], results: Sequence[SynthesisResult], fps: float | None
) -> Found:
    """The one to take of what was synthesized: the fastest that fits; with ``fps``, the smallest.

    Raises SephwError where none fits, or none could be synthesized.
    """
    pairs = list(zip(found, results, strict=True))
    for one, result in pairs if fps is None else pairs[::-1]:
        if not result.error and (result.total + one.goal.reserved).fits(one.goal.limits):
            return one
    device = found[0].goal.device.name
    if all(result.error for result in results):
        raise SephwError(f"synthesis of every folding failed; the first: {results[0].error}")
    name, used, limit = next(
        excess
        for one, result in pairs
        if not result.error
        for excess in (result.total + one.goal.reserved).excess(one.goal.limits)
    )
    raise SephwError(
        f"{found[0].network}: none of {len(pairs)} foldings fits {device} once synthesized; the "
        f"first takes {used:,} {name} of {limit:,}; try more with --synth, or a slower --fps"
    )
