"""Runs the kernel on a network until its schedule repeats, and records the cycle of every event.

Without patterns a network reaches a periodic steady state: from some frame on, all its events are
those of the frame before, the same number of cycles later. The remaining frames then need no
simulation. The test is exact: an event's cycle depends on events of its own frame and of at most J
frames before, J = the most frames a FIFO holds, and at a source with a rate of its own on the
cycle's place in the pattern, which comes again where T is a multiple of its length. So if J frames
in a row are their predecessors shifted by T cycles, and no beat of the last of them still found a
FIFO that had never been full, every later frame is its predecessor shifted by T as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sephw.sim.kernel import compiled
from sephw.sim.network import Cycles, Network, Wiring, offsets, wire
from sephw.sim.patterns import Pattern, cycles_to_next


@dataclass(frozen=True, eq=False)
class EventBlock:
    """Events of consecutive frames: engine e's at ``first[e]`` … ``first[e] + count[e] − 1``."""

    first: Cycles
    count: Cycles
    times: Cycles
    causes: NDArray[np.uint8]

    def engine_slice(self, engine: int) -> slice:
        """The slice of ``times`` and ``causes`` that holds the events of ``engine``."""
        return slice(int(self.first[engine]), int(self.first[engine] + self.count[engine]))

    def restricted_to(self, engines: Sequence[int]) -> EventBlock:
        """A block that keeps only the events of ``engines``."""
        count = np.zeros_like(self.count)
        count[list(engines)] = self.count[list(engines)]
        parts = [self.engine_slice(e) for e in sorted(engines)]
        return EventBlock(
            first=offsets(count.tolist())[:-1],
            count=count,
            times=np.concatenate([self.times[part] for part in parts]),
            causes=np.concatenate([self.causes[part] for part in parts]),
        )


@dataclass(frozen=True, eq=False)
class Execution:
    """The event cycles of one run of the kernel.

    ``simulated_frames`` of the ``frames`` were simulated; each later one repeats its predecessor
    ``period_cycles`` later. ``complete`` is false at a deadlock; then ``done`` (events by engine),
    ``pushed`` and ``popped`` (beats by stream) say how far the run came. Blocks of early frames may
    hold the events of the outermost engines alone; see `execute`.
    """

    network: Network
    frames: int
    simulated_frames: int
    period_cycles: int
    complete: bool
    blocks: tuple[EventBlock, ...]
    done: tuple[int, ...]
    pushed: Mapping[str, int]
    popped: Mapping[str, int]

    def times(self, engine: int) -> Cycles:
        """Cycles of an engine's events in a complete run: int64 (frames, events)."""
        parts = [block.times[block.engine_slice(engine)] for block in self.blocks]
        worked = np.concatenate(parts).reshape(self.simulated_frames, -1)
        if self.simulated_frames == self.frames:
            return worked
        moves = np.arange(1, self.frames - self.simulated_frames + 1, dtype=np.int64)
        return np.concatenate([worked, worked[-1] + self.period_cycles * moves[:, None]])

    def causes(self, engine: int) -> NDArray[np.uint8]:
        """The cause of each event's stall in a complete run: uint8 (frames, events); codes as in
        kernel.
        """
        parts = [block.causes[block.engine_slice(engine)] for block in self.blocks]
        worked = np.concatenate(parts).reshape(self.simulated_frames, -1)
        rest = self.frames - self.simulated_frames
        return np.concatenate([worked, np.repeat(worked[-1:], rest, axis=0)])

    def last_frames(self, frames: int) -> Execution:
        """An execution of the last ``frames`` simulated frames alone."""
        blocks = self.blocks[-frames:]
        return replace(self, frames=len(blocks), simulated_frames=len(blocks), blocks=blocks)

    @property
    def last_cycle(self) -> int:
        """The last cycle in which any engine had an event."""
        return max(
            int(block.times[block.engine_slice(e)].max(initial=-1))
            for block in self.blocks
            for e in range(len(self.done))
        )


def execute(
    network: Network,
    frames: int,
    patterns: Mapping[int, Pattern],
    releases: Mapping[int, Cycles],
    keep_frames: int | None = None,
    *,
    repeats: bool = False,
) -> Execution:
    """Run the kernel for ``frames`` frames, or until a deadlock.

    ``patterns`` (cycles in which a source or sink is active) and ``releases`` (cycles from which
    beats are offered) are by engine number. ``repeats``: the patterns are fixed rates, with which
    the schedule becomes periodic as it does without patterns.

    ``keep_frames``: of all simulated frames but the last so many, keep the events of sources, sinks
    and their neighbours alone; large networks would need gigabytes.
    """
    state = _KernelState(network, patterns, releases)
    steady = (repeats or not patterns) and not releases
    worked, period = 0, 0
    while worked < frames and state.complete and not period:
        worked = worked + 1 if steady else frames
        state.advance(worked)
        period = state.period() if steady and worked < frames else 0
        if steady and keep_frames is not None:
            state.drop_old_block(keep_frames)
    if not state.complete:
        # Engines may have stopped at the frame's end only; see how far they really come.
        worked = frames
        state.advance(worked)
    return Execution(
        network=network,
        frames=frames,
        simulated_frames=worked,
        period_cycles=period,
        complete=state.complete,
        blocks=tuple(state.blocks),
        done=tuple(state.done.tolist()),
        pushed=dict(zip(network.streams, state.pushed.tolist(), strict=True)),
        popped=dict(zip(network.streams, state.popped.tolist(), strict=True)),
    )


class _KernelState:
    """The kernel's arguments and state between calls."""

    def __init__(
        self, network: Network, patterns: Mapping[int, Pattern], releases: Mapping[int, Cycles]
    ) -> None:
        self._wiring: Wiring = wire(network)
        engines = len(network.engines)
        ends = {*network.sources, *network.sinks}
        self._outer = [
            e
            for e, engine in enumerate(network.engines)
            if not ends.isdisjoint((*engine.inputs, *engine.outputs))
        ]
        self._depth = np.array([network.depths[t] for t in network.streams], np.int64)
        rings = offsets(self._depth.tolist())
        self._ring_first, self._ring = rings[:-1], np.zeros(rings[-1], np.int64)
        words = np.array([network.words[t] for t in network.streams])
        self._lookback = int(max(1, np.max(-(-self._depth // words))))
        tables = {e: cycles_to_next(pattern) for e, pattern in patterns.items()}
        self._pattern_first, self._next_on = _concatenated(tables, engines)
        self._pattern_length = np.array([len(patterns.get(e, "1")) for e in range(engines)])
        self._release_first, self._release = _concatenated(releases, engines)
        self.done = np.zeros(engines, np.int64)
        self.last = self._wiring.first_base.copy()
        self.pushed = np.zeros(len(words), np.int64)
        self.popped = np.zeros(len(words), np.int64)
        self.blocks: list[EventBlock] = []
        self.complete = True

    def advance(self, frames: int) -> None:
        """Simulate to the end of frame ``frames``, or to a deadlock."""
        w, before = self._wiring, self.done.copy()
        first = offsets((w.event_count * frames - before).tolist())
        times, causes = np.empty(first[-1], np.int64), np.empty(first[-1], np.uint8)
        complete = compiled()(
            frames,
            w.event_first,
            w.event_count,
            w.event_mask,
            w.event_gap,
            w.interval,
            w.latency,
            w.input_first,
            w.input_stream,
            w.output_first,
            w.output_stream,
            w.producer,
            w.consumer,
            self._ring_first,
            self._depth,
            self._ring,
            self._pattern_first,
            self._pattern_length,
            self._next_on,
            self._release_first,
            self._release,
            first[:-1],
            times,
            causes,
            self.done,
            self.last,
            self.pushed,
            self.popped,
        )
        self.complete = bool(complete)
        self.blocks.append(EventBlock(first[:-1], self.done - before, times, causes))

    def drop_old_block(self, keep_frames: int) -> None:
        """Reduce the oldest full block to what the caller needs; `period` has no more use for
        it.
        """
        old = len(self.blocks) - max(keep_frames, self._lookback + 1) - 1
        if old >= 0:
            self.blocks[old] = self.blocks[old].restricted_to(self._outer)

    def period(self) -> int:
        """The period T in cycles if every later frame repeats its predecessor T cycles later, else
        0.
        """
        if not self.complete or len(self.blocks) <= self._lookback:
            return 0
        last_frames = self.blocks[-self._lookback - 1 :]
        period = int(last_frames[-1].times[0] - last_frames[-2].times[0])
        for earlier, later in pairwise(last_frames):
            if not (later.times - earlier.times == period).all():
                return 0
        return 0 if (period % self._pattern_length).any() else period


def _concatenated(arrays: Mapping[int, Cycles], engines: int) -> tuple[Cycles, Cycles]:
    """(offset per engine, −1 where there is none; all arrays end to end)."""
    first = np.full(engines, -1, np.int64)
    keys = sorted(arrays)
    starts = offsets([len(arrays[e]) for e in keys])
    for e, start in zip(keys, starts, strict=False):
        first[e] = start
    parts = [np.asarray(arrays[e], np.int64) for e in keys]
    return first, np.concatenate([*parts, np.zeros(1, np.int64)])
