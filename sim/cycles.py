"""The exact cycle simulation: every beat's cycle and value, equal to the RTL's.

The contract, for issue i of an engine, beat k of a stream (docs/engines.md):

    t_issue[i] = max(t_issue[i−1] + interval, visible[k] of every beat it reads,
                     pop[k − depth] + 1 of every beat k it writes)
    visible[k] = t_issue + latency of the issue that makes beat k
    pop[k]     = t_issue of the issue that reads it; at a graph output, when the sink takes it

Beat order is fixed, so values are those of the integer reference, cut into beats. Cycle 0 is the
first one out of reset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sephw.errors import SephwError
from sephw.ir import Graph, Integers
from sephw.sim.deadlock import explain
from sephw.sim.execute import Execution, execute
from sephw.sim.kernel import MAX_PORTS
from sephw.sim.latency import Latency
from sephw.sim.network import Cycles, Network, flatten
from sephw.sim.patterns import Pattern, Patterns, checked, source_patterns


class LazyArrays(Mapping[str, Cycles]):
    """A mapping of arrays by name; an array is computed at its first access."""

    def __init__(self, names: Sequence[str], make: Callable[[str], Cycles]) -> None:
        self._names = dict.fromkeys(names)
        self._make = make
        self._made: dict[str, Cycles] = {}

    def __getitem__(self, name: str) -> Cycles:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True, eq=False)
class CycleRun:
    """All frames of one run, in clock cycles from the end of reset; arrays are frame-major.

    ``pops[tensor]``: the cycle each beat is taken, int64 (frames · words,). ``visible[tensor]``:
    the cycle from which it can be. ``issues[node]``: cycle of each issue, int64
    (frames · issues,). ``values[tensor]``: int64 (frames · words, lanes), lane 0 first; only for
    runs with images.
    """

    graph: Graph
    execution: Execution
    inputs: Mapping[str, Integers]

    @property
    def frames(self) -> int:
        """Frames that ran."""
        return self.execution.frames

    @property
    def network(self) -> Network:
        """The engines and streams that ran."""
        return self.execution.network

    @cached_property
    def pops(self) -> Mapping[str, Cycles]:
        """Cycle in which each beat is taken (tvalid and tready)."""
        return LazyArrays(self.network.streams, lambda name: self._ends(name, is_input=True)[0])

    @cached_property
    def visible(self) -> Mapping[str, Cycles]:
        """First cycle in which each beat is offered with nothing before it left to be taken.

        That is when it has come through the pipeline; tvalid shows it from
        max(visible[k], pops[k − 1] + 1) on.
        """

        def times(name: str) -> Cycles:
            issued, latency = self._ends(name, is_input=False)
            return np.asarray(issued + latency, np.int64)

        return LazyArrays(self.network.streams, times)

    @cached_property
    def issues(self) -> Mapping[str, Cycles]:
        """Cycle of each issue of each node; those that touch no stream included."""
        return LazyArrays(tuple(self.network.plans), self._issues)

    @cached_property
    def values(self) -> Mapping[str, Integers]:
        """Beats of every stream by the integer reference."""
        values = dict(self.inputs)
        for node in self.graph.nodes:
            results = node.operator.reference(*(values[t] for t in node.inputs))
            values.update(zip(node.outputs, results, strict=True))
        lanes = {name: self.graph.stream(name).lanes for name in self.network.streams}
        return {name: values[name].reshape(-1, n) for name, n in lanes.items()}

    @cached_property
    def frame_ends(self) -> Cycles:
        """Cycle in which each frame's last output beat is taken, int64 (frames,)."""
        ends = [self.pops[t][n - 1 :: n] for t, n in self._output_words()]
        return np.asarray(np.max(ends, axis=0), np.int64)

    @property
    def cycles(self) -> int:
        """Cycles until the last beat has been taken."""
        return int(self.frame_ends[-1]) + 1

    @property
    def latency(self) -> Latency:
        """The first frame's cycles from its first input beat taken to its output beats offered.

        Streamed weights are no input beats here. Without patterns and arrivals this is the latency
        of a single frame (sephw.sim.latency.ALONE): later frames delay nothing of the first.
        """
        images = [t for t in self.graph.inputs if t not in self.graph.constants]
        first = min(int(self.pops[t][0]) for t in images)
        return Latency(
            min(int(self.visible[t][0]) for t in self.graph.outputs) - first,
            max(int(self.visible[t][n - 1]) for t, n in self._output_words()) - first,
        )

    def _output_words(self) -> list[tuple[str, int]]:
        return [(t, self.network.words[t]) for t in self.graph.outputs]

    def _ends(self, stream: str, is_input: bool) -> tuple[Cycles, int]:
        """Cycles of the events that read (or write) ``stream``, and that engine's latency."""
        for e, engine in enumerate(self.network.engines):
            ports = engine.inputs if is_input else engine.outputs
            if stream in ports:
                bit = ports.index(stream) + (0 if is_input else MAX_PORTS)
                chosen = (engine.masks >> bit & 1).astype(bool)
                return self.execution.times(e)[:, chosen].ravel(), engine.latency_cycles
        raise KeyError(stream)

    def _issues(self, node: str) -> Cycles:
        index = next(e for e, engine in enumerate(self.network.engines) if engine.name == node)
        engine, times = self.network.engines[index], self.execution.times(index).ravel()
        starts = np.arange(self.frames, dtype=np.int64)[:, None] * engine.issues
        events = (starts + engine.events).ravel()
        # An issue between events keeps the pace from the event before it (or from cycle 0).
        numbers = np.arange(self.frames * engine.issues, dtype=np.int64)
        last = np.searchsorted(events, numbers, side="right") - 1
        paced = times[last] + (numbers - events[last]) * engine.interval_cycles
        return np.where(last >= 0, paced, numbers * engine.interval_cycles)


def run(
    graph: Graph,
    images: Integers | Mapping[str, Integers],
    *,
    source_gaps: Patterns = None,
    sink_stalls: Patterns = None,
) -> CycleRun:
    """Simulate ``graph`` on ``images``: int64 (N, h, w, c), or one such array per graph input.

    Streamed weights need no array: the graph holds their values. Sources that have a rate of their
    own keep it.

    ``source_gaps``: the cycles in which a source may start to offer a beat (True: it may);
    ``sink_stalls``: those in which a sink is ready (True: it is); see sephw.sim.patterns. One
    pattern for all, or one per graph input or output by name; None: always.

    Raises SephwError for a graph that is not wired (see sephw.sim.network.flatten), for patterns
    that are never on, and for a deadlock, naming the FIFOs and the depths they need.
    """
    if isinstance(images, Mapping):
        known = graph.input_values(next(iter(images.values()))) if graph.constants else {}
        inputs = {
            t: known[t] if t in graph.constants else np.asarray(images[t], np.int64)
            for t in graph.inputs
        }
    else:
        inputs = graph.input_values(images)
    frames = len(next(iter(inputs.values())))
    for name, values in inputs.items():
        expected = (frames, *graph.tensors[name].shape)
        if values.shape != expected:
            raise SephwError(
                f"input '{name}' has shape {values.shape}; the graph takes {expected}, frames first"
            )
    execution = execute_frames(graph, frames, source_gaps=source_gaps, sink_stalls=sink_stalls)
    return CycleRun(graph, execution, inputs)


def run_frames(
    graph: Graph,
    frames: int,
    *,
    source_gaps: Patterns = None,
    sink_stalls: Patterns = None,
    arrivals: Mapping[str, Cycles] | None = None,
    keep_frames: int | None = None,
) -> CycleRun:
    """Run ``frames`` frames as ``run``, without values.

    ``arrivals``: the cycle from which each beat of a graph input,
    int64 (frames · words,), is offered; it waits at the source until it is taken.

    ``keep_frames``: without patterns and arrivals, remember only the graph's inputs and outputs
    of all frames but so many; what is asked of other streams and nodes then raises ValueError.
    """
    execution = execute_frames(
        graph,
        frames,
        source_gaps=source_gaps,
        sink_stalls=sink_stalls,
        arrivals=arrivals,
        keep_frames=keep_frames,
    )
    return CycleRun(graph, execution, {})


def execute_frames(
    graph: Graph,
    frames: int,
    *,
    source_gaps: Patterns = None,
    sink_stalls: Patterns = None,
    arrivals: Mapping[str, Cycles] | None = None,
    keep_frames: int | None = None,
) -> Execution:
    """Run the kernel for ``frames`` frames; arguments as `run_frames`.

    Raises SephwError for fewer than one frame and for a deadlock.
    """
    if frames < 1:
        raise SephwError(f"cycle simulation of {frames} frames; at least 1 is needed")
    network = flatten(graph)
    patterns = {
        **_by_terminal(source_patterns(graph, source_gaps), graph.inputs, first=0),
        **_by_terminal(sink_stalls, graph.outputs, first=len(network.engines) - len(graph.outputs)),
    }
    releases = {graph.inputs.index(t): times for t, times in (arrivals or {}).items()}
    repeats = source_gaps is None and sink_stalls is None
    execution = execute(network, frames, patterns, releases, keep_frames, repeats=repeats)
    if not execution.complete:
        raise SephwError(explain(execution))
    return execution


def _by_terminal(given: Patterns, tensors: tuple[str, ...], *, first: int) -> dict[int, Pattern]:
    """Patterns by engine number; ``first`` is the terminal of the first tensor."""
    if given is None:
        return {}
    named = given if isinstance(given, Mapping) else dict.fromkeys(tensors, given)
    return {first + i: checked(named[t], f"'{t}'") for i, t in enumerate(tensors) if t in named}
