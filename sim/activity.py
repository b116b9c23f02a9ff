"""Utilization of engines and occupancy of FIFOs, measured on one exact simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from sephw.errors import SephwError
from sephw.sim.cycles import CycleRun
from sephw.sim.kernel import CAUSE_NONE, CAUSE_PATTERN, MAX_PORTS
from sephw.sim.network import Cycles, ScheduledEngine


@dataclass(frozen=True)
class EngineActivity:
    """Where an engine's cycles went; all of them are in one of the counts.

    ``busy_cycles``: issues · interval. ``starved_cycles``: waiting for a beat, by input tensor.
    ``blocked_cycles``: waiting for room, by output tensor. Where several were missing, the one
    that came last counts. ``paused_cycles``: sources and sinks held back by their pattern.
    """

    busy_cycles: int
    starved_cycles: Mapping[str, int]
    blocked_cycles: Mapping[str, int]
    paused_cycles: int

    @property
    def cycles(self) -> int:
        """The number of cycles that the counts cover."""
        waits = sum(self.starved_cycles.values()) + sum(self.blocked_cycles.values())
        return self.busy_cycles + waits + self.paused_cycles

    @property
    def utilization(self) -> float:
        """Share of the cycles that were busy, 0 to 1."""
        return self.busy_cycles / self.cycles


@dataclass(frozen=True)
class FifoActivity:
    """A FIFO's depth and the most it held, in beats.

    ``most_reserved``: from the issue that makes a beat until the cycle after it is taken; what
    credits count. ``most_waiting``: only those that have come through the pipeline.
    """

    depth: int
    most_reserved: int
    most_waiting: int


@dataclass(frozen=True)
class Activity:
    """Activity of every engine by name, sources and sinks included, and of every FIFO by tensor."""

    engines: Mapping[str, EngineActivity]
    fifos: Mapping[str, FifoActivity]


def waiting_cycles(run: CycleRun, number: int) -> Cycles:
    """Stall cycles before each event of an engine, beyond its initiation interval.

    Returns int64 (frames, events).
    """
    engine = run.network.engines[number]
    gaps = np.diff(engine.events, prepend=engine.events[-1] - engine.issues)
    times = run.execution.times(number).ravel()
    # The imagined event before the first one; see sephw.sim.network.Wiring.
    before = (int(engine.events[-1]) - engine.issues) * engine.interval_cycles
    steps = np.diff(times, prepend=before).reshape(run.frames, -1)
    return np.asarray(steps - gaps * engine.interval_cycles, np.int64)


def activity(run: CycleRun, skip_frames: int = 0) -> Activity:
    """Count what engines and FIFOs did in all frames but the first ``skip_frames``.

    The first frames fill the pipeline. An engine's counts run from its last event in them to its
    last event of all.

    Raises SephwError where ``skip_frames`` leaves no frame.
    """
    if not 0 <= skip_frames < run.frames:
        raise SephwError(
            f"activity of {run.frames} frames without the first {skip_frames}; leave at least one"
        )
    engines = {
        engine.name: _engine(run, e, engine, skip_frames)
        for e, engine in enumerate(run.network.engines)
    }
    latency = {t: engine.latency_cycles for engine in run.network.engines for t in engine.outputs}
    fifos = {
        name: _fifo(run, name, latency[name])
        for name in run.network.streams
        if name not in run.network.sources
    }
    return Activity(MappingProxyType(engines), MappingProxyType(fifos))


def cause(engine: ScheduledEngine, code: int) -> str:
    """The cause of a stall in words: ``starved: <tensor>``, ``blocked: <tensor>`` or ``paused``."""
    if code == CAUSE_PATTERN:
        return "paused"
    if code < MAX_PORTS:
        return f"starved: {engine.inputs[code]}"
    return f"blocked: {engine.outputs[code - MAX_PORTS]}"


def _engine(
    run: CycleRun, number: int, engine: ScheduledEngine, skip_frames: int
) -> EngineActivity:
    lost = waiting_cycles(run, number)[skip_frames:].ravel()
    codes = run.execution.causes(number)[skip_frames:].ravel()
    cycles = np.bincount(codes, weights=lost, minlength=CAUSE_NONE + 1).astype(np.int64).tolist()
    return EngineActivity(
        busy_cycles=(run.frames - skip_frames) * engine.issues * engine.interval_cycles,
        starved_cycles=dict(zip(engine.inputs, cycles, strict=False)),
        blocked_cycles=dict(zip(engine.outputs, cycles[MAX_PORTS:], strict=False)),
        paused_cycles=cycles[CAUSE_PATTERN],
    )


def _fifo(run: CycleRun, name: str, latency: int) -> FifoActivity:
    pops, visible = run.pops[name], run.visible[name]
    number = np.arange(1, len(pops) + 1)
    reserved = number - np.searchsorted(pops, visible - latency, side="left")
    waiting = number - np.searchsorted(pops, visible, side="left")
    return FifoActivity(run.network.depths[name], int(reserved.max()), int(waiting.max()))
