"""The timeline of a frame as one drawing per engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sephw.sim.timeline import EngineTimeline, Timeline

# Height of a drawing; shares of a bin are rounded to one part of it.
HEIGHT = 16


@dataclass(frozen=True)
class Strip:
    """The drawing of one engine: SVG paths in a box of `Strips.width` × HEIGHT.

    ``busy`` grows from the bottom, ``blocked`` hangs from the top; the gap between them is time
    spent waiting for input.
    """

    engine: str
    start: int
    width: int
    busy: str
    blocked: str


@dataclass(frozen=True)
class Tick:
    """A line of the time axis: ``percent`` from the left, ``cycles`` after the frame's first
    cycle.
    """

    percent: float
    cycles: int


@dataclass(frozen=True)
class Strips:
    """The drawings of all engines, and the time axis."""

    width: int
    strips: tuple[Strip, ...]
    ticks: tuple[Tick, ...]

    def strip_of(self, engine: str) -> Strip:
        """The drawing of an engine, as the page's template asks for it; KeyError where none is."""
        found = {strip.engine: strip for strip in self.strips}
        return found[engine]


def draw(timeline: Timeline, frame_interval_cycles: int) -> Strips:
    """Draw ``timeline``, with a tick at every frame interval."""
    width = -(-timeline.cycles // timeline.bin_cycles)
    strips = tuple(_strip(timeline, engine) for engine in timeline.engines)
    shown = width * timeline.bin_cycles
    step = frame_interval_cycles * max(1, -(-shown // (frame_interval_cycles * 10)))
    ticks = tuple(Tick(round(100 * c / shown, 3), c) for c in range(0, shown, step))
    return Strips(width, strips, ticks)


def _strip(timeline: Timeline, engine: EngineTimeline) -> Strip:
    begin, end = (c - timeline.first_cycle for c in (engine.start_cycle, engine.end_cycle))
    size = timeline.bin_cycles
    first = begin // size
    starved, blocked = engine.starved_cycles, engine.blocked_cycles
    lengths = [
        max(1, min(end, (first + i + 1) * size) - max(begin, (first + i) * size))
        for i in range(len(starved))
    ]
    rows = list(zip(lengths, starved, blocked, strict=True))
    busy_heights = [round(HEIGHT * (n - s - b) / n) for n, s, b in rows]
    # Waiting for a credit takes what is left where there is no waiting for input.
    blocked_heights = [
        HEIGHT - high if b and not s else min(HEIGHT - high, round(HEIGHT * b / n))
        for high, (n, s, b) in zip(busy_heights, rows, strict=True)
    ]
    return Strip(
        engine=engine.name,
        start=first,
        width=len(starved),
        busy=_path(first, HEIGHT, busy_heights, up=True),
        blocked=_path(first, 0, blocked_heights, up=False),
    )


def _path(first: int, base: int, heights: Sequence[int], *, up: bool) -> str:
    """A step curve over ``heights`` and back along its ``base``; "" where all are 0."""
    if not any(heights):
        return ""
    return f"M{first} {base}{''.join(_steps(heights, -1 if up else 1))}V{base}z"


def _steps(heights: Sequence[int], sign: int) -> Iterator[str]:
    at = 0
    for height, run in groupby(heights):
        if height != at:
            yield f"v{sign * (height - at)}"
        yield f"h{sum(1 for _ in run)}"
        at = height
