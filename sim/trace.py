"""The timeline of a simulation as Chrome trace events (chrome://tracing, ui.perfetto.dev)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sephw.sim.activity import cause, waiting_cycles
from sephw.sim.cycles import CycleRun

Event = dict[str, Any]


def trace_events(run: CycleRun, *, shortest_wait_cycles: int = 16) -> Iterator[Event]:
    """Chrome trace events of ``run``: one track per engine, source and sink; 1 cycle is 1 µs.

    A track shows slices "busy" and, for waits of at least ``shortest_wait_cycles``, what the
    engine waited for; shorter waits are summed in the ``args`` of the busy slice they fall into.
    Frames are spans from the first input beat taken to the last output beat taken.
    """
    yield _event("process_name", "M", {"args": {"name": run.graph.name}})
    for number, engine in enumerate(run.network.engines):
        yield _event("thread_name", "M", {"tid": number, "args": {"name": engine.name}})
        yield _event("thread_sort_index", "M", {"tid": number, "args": {"sort_index": number}})
        yield from _track(run, number, shortest_wait_cycles)
    starts = np.min([run.pops[t][:: run.network.words[t]] for t in run.graph.inputs], axis=0)
    for frame, (start, end) in enumerate(zip(starts, run.frame_ends, strict=True)):
        for phase, cycle in (("b", start), ("e", end + 1)):
            yield _event(f"frame {frame}", phase, {"ts": int(cycle), "cat": "frame", "id": frame})


def write_trace(run: CycleRun, path: Path, *, shortest_wait_cycles: int = 16) -> None:
    """Write ``trace_events`` as a JSON file that Perfetto and chrome://tracing open."""
    with path.open("w", encoding="utf-8") as file:
        file.write('{"displayTimeUnit": "ms", "traceEvents": [')
        for i, event in enumerate(trace_events(run, shortest_wait_cycles=shortest_wait_cycles)):
            file.write(("" if i == 0 else ",") + "\n" + json.dumps(event))
        file.write("\n]}\n")


def _event(name: str, phase: str, fields: Mapping[str, Any]) -> Event:
    return {"name": name, "ph": phase, "pid": 0, **fields}


def _track(run: CycleRun, number: int, shortest: int) -> Iterator[Event]:
    engine = run.network.engines[number]
    times, codes = run.execution.times(number).ravel(), run.execution.causes(number).ravel()
    lost = waiting_cycles(run, number).ravel()
    totals = np.concatenate([[0], np.cumsum(lost)])
    breaks = np.flatnonzero(lost >= max(1, shortest))
    # Slices of work lie between long waits: events begin … end − 1.
    begins = np.unique(np.concatenate([[0], breaks]))
    ends = np.append(begins[1:], len(times))
    finish = (engine.issues - int(engine.events[-1])) * engine.interval_cycles
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        waited_before, start = int(lost[begin]), int(times[begin])
        shown = waited_before >= max(1, shortest)
        if shown:
            what = cause(engine, int(codes[begin]))
            begun = start - waited_before
            yield _event(what, "X", {"tid": number, "ts": begun, "dur": waited_before})
        else:
            start -= waited_before
        # Work lasts until the next long wait begins, or until the last issue is through.
        last = int(times[end] - lost[end]) if end < len(times) else int(times[-1]) + finish
        waited = int(totals[end] - totals[begin + shown])
        args = {"stream_events": end - begin, "short_waits_cycles": waited}
        yield _event("busy", "X", {"tid": number, "ts": start, "dur": last - start, "args": args})
