"""RTL against the cycle simulation: every stream's values, and the cycle of every beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sephw.backends.rtl import CompiledRtl, ResetPulse
from sephw.backends.rtl.project import quiet_limit_cycles
from sephw.ir import Graph, Integers
from sephw.sim import cycles
from sephw.sim.activity import activity
from sephw.sim.latency import ALONE, PACED
from sephw.sim.periodic import frame_interval
from sephw.sim.timeline import settled_timeline
from sephw.sim.timing import simulate
from sephw.sim.trace import write_trace
from sephw.verify import CYCLES

_SEED = 0
_LONGEST_RESET_DISTANCE_CYCLES = 20_000

ByTensor = Mapping[str, Integers]


@dataclass(frozen=True, eq=False)
class RtlRuns:
    """Runs the RTL simulation of ``graph``, and the cycle simulation under the same pauses."""

    graph: Graph
    compiled: CompiledRtl
    clock_ns: float

    @property
    def observed(self) -> ByTensor:
        """Every bit of every stream."""
        return {}

    def run(self, images: Integers) -> tuple[ByTensor, dict[str, ByTensor]]:
        """Values by tensor, and the cycles of beats, int64 (N, words), by their two names."""
        values, simulated, measured = run_with_pauses(self.graph, self.compiled, images)
        return values, {CYCLES[0]: simulated, CYCLES[1]: measured}

    def write_vcd(self, images: Integers, path: Path) -> None:
        """Write the signals between and at the ports of the engines for ``images``."""
        self.compiled.run(images, clock_ns=self.clock_ns, trace=path)


def run_with_pauses(
    graph: Graph, compiled: CompiledRtl, images: Integers
) -> tuple[ByTensor, ByTensor, ByTensor]:
    """Values, and the cycles of beats, int64 (N, words), as simulated and as measured.

    Source and sink pause at random, some pauses longer than a frame; from the middle of the
    pattern on they do not pause. Before it, the network is reset a few times in the midst of
    frames. The same images meet the same pauses and resets.
    """
    _, interval = frame_interval(graph)
    gaps, stalls = (pauses(_SEED + i, len(images) * interval, 2 * interval) for i in (0, 1))
    # Longer than a pause of the source and one of the sink together: then nothing moves any more.
    quiet = 4 * interval + quiet_limit_cycles(graph)
    found = compiled.run(
        images,
        source_gaps=gaps,
        sink_stalls=stalls,
        quiet_limit_cycles=quiet,
        resets=reset_pulses(_SEED, 2 * interval),
    )
    expected = cycles.run(graph, images, source_gaps=gaps, sink_stalls=stalls)
    shape = (len(images), -1)
    simulated = {name: expected.pops[name].reshape(shape) for name in found.pops}
    made = {name: values for name, values in found.values.items() if name not in graph.constants}
    return made, simulated, {n: pops.reshape(shape) for n, pops in found.pops.items()}


def pauses(seed: int, half_cycles: int, longest_cycles: int) -> NDArray[np.bool_]:
    """A pattern that is on and off by turns for ``half_cycles``, then on for as long.

    Lengths are drawn log-uniformly from 1 to ``longest_cycles``.
    """
    rng = np.random.default_rng(seed)
    pattern = np.ones(2 * half_cycles, np.bool_)
    at, on = 0, False
    while at < half_cycles:
        length = int(np.exp(rng.uniform(0, np.log(longest_cycles)))) + 1
        pattern[at : min(at + length, half_cycles)] = on
        at, on = at + length, not on
    return pattern


def reset_pulses(seed: int, longest_cycles: int) -> list[ResetPulse]:
    """Resets of 16, 5, 2 and 1 cycles, each at most ``longest_cycles`` after the one before.

    Moments are drawn log-uniformly, so that some fall into the first frame's first beats.
    """
    rng = np.random.default_rng(seed)
    longest = np.log(min(longest_cycles, _LONGEST_RESET_DISTANCE_CYCLES))
    return [ResetPulse(int(np.exp(rng.uniform(0, longest))), n) for n in (16, 5, 2, 1)]


def simulate_cycles(graph: Graph, images: Integers, folder: Path | None) -> dict[str, Any]:
    """Plain values for cycles.json: speed, and what every engine and FIFO did.

    The first of several frames, which fills the pipeline, is left out of the activity; the
    timeline is that of a settled frame. With a ``folder``, that of all frames goes to trace.json.
    """
    run = cycles.run(graph, images)
    found = activity(run, skip_frames=1 if run.frames > 1 else 0)
    if folder is not None:
        write_trace(run, folder / "trace.json")
    ends = run.frame_ends
    return {
        "frames": run.frames,
        "cycles": run.cycles,
        "latency": {
            "alone": run.latency.as_dict(ALONE),
            "paced": simulate(graph).paced.as_dict(PACED),
        },
        "frame_interval_cycles": int(ends[-1] - ends[-2]) if run.frames > 1 else run.cycles,
        "engines": {
            name: {**asdict(engine), "utilization": round(engine.utilization, 6)}
            for name, engine in found.engines.items()
        },
        "fifos": {name: asdict(fifo) for name, fifo in found.fifos.items()},
        "timeline": settled_timeline(graph).as_dict(),
    }
