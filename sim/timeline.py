"""The timeline of one frame: busy and stall cycles of each engine, in bins of equal length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.ir import Graph
from sephw.sim.activity import waiting_cycles
from sephw.sim.cycles import CycleRun, run_frames
from sephw.sim.kernel import CAUSE_PATTERN, MAX_PORTS
from sephw.sim.network import Cycles, flatten

BINS_PER_FRAME = 64
MOST_FRAMES = 64
# Fewer where they would have more events than this, which take minutes; but so many at least.
_MOST_EVENTS = 2_000_000_000
_LEAST_FRAMES = 8


@dataclass(frozen=True)
class EngineTimeline:
    """One engine's cycles for the frame: from its last issue for the frame before until its last
    issue for this one, ``start_cycle`` to ``end_cycle`` (exclusive).

    ``starved_cycles`` (waiting for a beat) and ``blocked_cycles`` (waiting for a credit): by bin,
    where a bin begins at a multiple of `Timeline.bin_cycles` after `Timeline.first_cycle`, from
    the bin of ``start_cycle`` on. What is left of a bin is work (or a source's or sink's pause).
    """

    name: str
    start_cycle: int
    end_cycle: int
    starved_cycles: tuple[int, ...]
    blocked_cycles: tuple[int, ...]

    @property
    def cycles(self) -> int:
        """The cycles of the frame; the frame interval in the steady state."""
        return self.end_cycle - self.start_cycle

    @property
    def busy_cycles(self) -> int:
        """The cycles without a stall."""
        return self.cycles - sum(self.starved_cycles) - sum(self.blocked_cycles)


@dataclass(frozen=True)
class Timeline:
    """One frame on its way through the network, nodes in topological order.

    ``frame`` counts from 0 out of reset; ``first_cycle`` is that of the earliest engine.
    ``settled``: every later frame is this one again, a frame interval later each.
    """

    frame: int
    settled: bool
    first_cycle: int
    bin_cycles: int
    engines: tuple[EngineTimeline, ...]

    @property
    def cycles(self) -> int:
        """The cycles from the first engine's first one to the last engine's last one."""
        return max(engine.end_cycle for engine in self.engines) - self.first_cycle

    def as_dict(self) -> dict[str, Any]:
        """Plain values; a series is one string of integers, so that it takes one line."""
        return {
            "frame": self.frame,
            "settled": self.settled,
            "first_cycle": self.first_cycle,
            "bin_cycles": self.bin_cycles,
            "engines": {
                engine.name: {
                    "start_cycle": engine.start_cycle,
                    "end_cycle": engine.end_cycle,
                    "starved_cycles": _series(engine.starved_cycles),
                    "blocked_cycles": _series(engine.blocked_cycles),
                }
                for engine in self.engines
            },
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Timeline:
        """The timeline that `as_dict` wrote.

        Raises KeyError, TypeError or ValueError for other content.
        """
        engines = tuple(
            EngineTimeline(
                name,
                int(engine["start_cycle"]),
                int(engine["end_cycle"]),
                tuple(map(int, engine["starved_cycles"].split())),
                tuple(map(int, engine["blocked_cycles"].split())),
            )
            for name, engine in content["engines"].items()
        )
        return cls(
            int(content["frame"]),
            bool(content["settled"]),
            int(content["first_cycle"]),
            int(content["bin_cycles"]),
            engines,
        )


def settled_timeline(graph: Graph, most_frames: int = MOST_FRAMES) -> Timeline:
    """The timeline of the first frame of the steady state, with a source that never pauses.

    Where ``most_frames``, of large networks fewer, do not reach the steady state, it is that of the
    last simulated frame. Raises SephwError as sephw.sim.cycles.run_frames does.
    """
    events = sum(len(engine.events) for engine in flatten(graph).engines)
    fewer = max(_LEAST_FRAMES, _MOST_EVENTS // events)
    run = run_frames(graph, min(most_frames, fewer), keep_frames=2)
    worked = run.execution.simulated_frames
    last_frames = run.execution.last_frames(2)
    found = timeline(
        replace(run, execution=last_frames),
        last_frames.frames - 1,
        settled=run.execution.period_cycles > 0,
    )
    return replace(found, frame=worked - 1)


def timeline(
    run: CycleRun, frame: int, *, settled: bool = False, bins_per_frame: int = BINS_PER_FRAME
) -> Timeline:
    """The timeline of ``frame`` (counted from 0). Later frames change nothing about it.

    Bins are as long as ``bins_per_frame`` of them take to cover the longest time that an engine
    spends on the frame. Raises SephwError where the run has no such frame.
    """
    if not 0 <= frame < run.frames:
        raise SephwError(f"timeline of frame {frame}: the run has frames 0 to {run.frames - 1}")
    numbers = [
        number
        for number, engine in enumerate(run.network.engines)
        if engine.inputs and engine.outputs  # neither source nor sink
    ]
    spans = {number: _span(run, number, frame) for number in numbers}
    first = min(start for start, _ in spans.values())
    width = max(1, -(-max(end - start for start, end in spans.values()) // bins_per_frame))
    engines = tuple(_engine(run, number, frame, spans[number], first, width) for number in numbers)
    return Timeline(frame, settled, first, width, engines)


def _span(run: CycleRun, number: int, frame: int) -> tuple[int, int]:
    engine, times = run.network.engines[number], run.execution.times(number)
    if frame > 0:
        return int(times[frame - 1][-1]), int(times[frame][-1])
    # The imagined event before the first one; see sephw.sim.network.Wiring.
    before = (int(engine.events[-1]) - engine.issues) * engine.interval_cycles
    return before, int(times[0][-1])


def _engine(
    run: CycleRun, number: int, frame: int, span: tuple[int, int], first: int, width: int
) -> EngineTimeline:
    start, end = span
    times, lost = run.execution.times(number)[frame], waiting_cycles(run, number)[frame]
    codes = run.execution.causes(number)[frame]
    edges = np.arange((start - first) // width, -(-(end - first) // width) + 1) * width + first

    def binned(chosen: NDArray[np.bool_]) -> tuple[int, ...]:
        return tuple(np.diff(_lost_before(edges, times[chosen], lost[chosen])).tolist())

    waited = lost > 0
    return EngineTimeline(
        run.network.engines[number].name,
        start,
        end,
        binned(waited & (codes < MAX_PORTS)),
        binned(waited & (codes >= MAX_PORTS) & (codes < CAUSE_PATTERN)),
    )


def _lost_before(edges: Cycles, ends: Cycles, lost: Cycles) -> Cycles:
    """Stall cycles before each edge, for stalls that end at ``ends`` (rising) after ``lost``
    each.
    """
    totals = np.concatenate([[0], np.cumsum(lost)])
    over = np.searchsorted(ends, edges, side="right")
    # The wait that is not over at an edge has taken what lies before the edge.
    begins = np.append(ends - lost, edges[-1] + 1)
    return np.asarray(totals[over] + np.maximum(0, edges - begins[over]), np.int64)


def _series(values: Iterable[int]) -> str:
    return " ".join(map(str, values))
