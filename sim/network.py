"""A graph as flat arrays for the simulation: engines, events, streams.

Each graph input becomes a source and each graph output a sink: engines of latency 0 with one
stream, whose issues wait for a pattern or for given cycles. A source's stream is one beat deep:
AXI-Stream holds the offered beat until it is taken, and the next one can follow a cycle later.

Of an engine's issues only the events count, the issues that read or write; between two of them
nothing can make it wait, so they are ``interval_cycles`` apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.ir import Graph, Schedule
from sephw.sim.kernel import MAX_PORTS
from sephw.sim.periodic import schedules

Cycles = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ScheduledEngine:
    """One engine, source or sink. ``events`` are issue numbers, ``masks`` uint16, a frame each."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    issues: int
    interval_cycles: int
    latency_cycles: int
    events: Cycles
    masks: NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Network:
    """Engines in the order sources, nodes, sinks; streams by name with beats a frame."""

    engines: tuple[ScheduledEngine, ...]
    words: Mapping[str, int]
    sources: tuple[str, ...]
    sinks: tuple[str, ...]
    plans: Mapping[str, Schedule]
    depths: Mapping[str, int]

    @property
    def streams(self) -> tuple[str, ...]:
        """Stream names in the order of the arrays."""
        return tuple(self.words)


def source_name(tensor: str) -> str:
    """The name of a graph input's source engine; no node has such a name."""
    return f"source:{tensor}"


def sink_name(tensor: str) -> str:
    """The name of a graph output's sink engine; no node has such a name."""
    return f"sink:{tensor}"


def flatten(graph: Graph) -> Network:
    """The engines and streams of ``graph``, FIFO depths as its tensors say.

    Raises SephwError for a stream with other than one reader, with ends of different lanes, a
    FIFO without room, or an engine of more than 8 inputs or outputs.
    """
    plans = schedules(graph)
    names = [*graph.inputs, *(t for node in graph.nodes for t in node.outputs)]
    words = {name: graph.stream(name).words for name in names}
    for name in names:
        readers = len(graph.consumers(name)) + (name in graph.outputs)
        if readers != 1:
            raise SephwError(
                f"graph: tensor '{name}' has {readers} readers; "
                + ("insert forks first" if readers else "make it a graph output or remove it")
            )
        if name not in graph.inputs and graph.tensors[name].fifo_depth < 1:
            raise SephwError(
                f"graph: the FIFO of '{name}' has depth {graph.tensors[name].fifo_depth}; "
                "it must be at least 1"
            )
    engines = [
        *(_terminal(source_name(t), (), (t,), words[t]) for t in graph.inputs),
        *(_engine(n.name, n.inputs, n.outputs, plans[n.name]) for n in graph.nodes),
        *(_terminal(sink_name(t), (t,), (), words[t]) for t in graph.outputs),
    ]
    depths = {name: graph.tensors[name].fifo_depth for name in names}
    depths.update(dict.fromkeys(graph.inputs, 1))
    return Network(
        engines=tuple(engines),
        words=MappingProxyType(words),
        sources=tuple(graph.inputs),
        sinks=tuple(graph.outputs),
        plans=MappingProxyType(plans),
        depths=MappingProxyType(depths),
    )


def _terminal(
    name: str, inputs: tuple[str, ...], outputs: tuple[str, ...], words: int
) -> ScheduledEngine:
    every = np.ones(words, np.uint8)
    plan = Schedule(reads=(every,) * len(inputs), writes=(every,) * len(outputs), latency_cycles=0)
    return _engine(name, inputs, outputs, plan)


def _engine(
    name: str, inputs: tuple[str, ...], outputs: tuple[str, ...], plan: Schedule
) -> ScheduledEngine:
    if max(len(inputs), len(outputs)) > MAX_PORTS:
        raise SephwError(f"engine '{name}' has more than {MAX_PORTS} inputs or outputs")
    masks = np.zeros(plan.issues, np.uint16)
    for p, reads in enumerate(plan.reads):
        masks |= reads.astype(np.uint16) << p
    for q, writes in enumerate(plan.writes):
        masks |= writes.astype(np.uint16) << (MAX_PORTS + q)
    events = np.flatnonzero(masks)
    return ScheduledEngine(
        name,
        inputs,
        outputs,
        plan.issues,
        plan.interval_cycles,
        plan.latency_cycles,
        events,
        masks[events],
    )


@dataclass(frozen=True, eq=False)
class Wiring:
    """The arrays that do not change; the kernel's arguments of the same names.

    ``event_gap``: issues since the event before (for a frame's first event: across the seam).
    ``first_base``: cycle of an imagined event before the first, so that its gap holds as well.
    ``*_first`` are offsets; those of inputs and outputs have one entry more than engines.
    """

    event_first: Cycles
    event_count: Cycles
    event_mask: NDArray[np.uint16]
    event_gap: NDArray[np.int32]
    first_base: Cycles
    interval: Cycles
    latency: Cycles
    input_first: Cycles
    input_stream: Cycles
    output_first: Cycles
    output_stream: Cycles
    producer: Cycles
    consumer: Cycles


def wire(network: Network) -> Wiring:
    """The arrays of ``network``."""
    index = {name: s for s, name in enumerate(network.streams)}
    engines = network.engines
    producer = np.empty(len(index), np.int64)
    consumer = np.empty(len(index), np.int64)
    for e, engine in enumerate(engines):
        producer[[index[t] for t in engine.outputs]] = e
        consumer[[index[t] for t in engine.inputs]] = e
    counts = [len(e.events) for e in engines]
    gaps = [np.diff(e.events, prepend=e.events[-1] - e.issues) for e in engines]
    return Wiring(
        event_first=offsets(counts)[:-1],
        event_count=np.array(counts, np.int64),
        event_mask=np.concatenate([e.masks for e in engines]),
        event_gap=np.concatenate(gaps).astype(np.int32),
        first_base=np.array(
            [(int(e.events[-1]) - e.issues) * e.interval_cycles for e in engines], np.int64
        ),
        interval=np.array([e.interval_cycles for e in engines], np.int64),
        latency=np.array([e.latency_cycles for e in engines], np.int64),
        input_first=offsets([len(e.inputs) for e in engines]),
        input_stream=np.array([index[t] for e in engines for t in e.inputs], np.int64),
        output_first=offsets([len(e.outputs) for e in engines]),
        output_stream=np.array([index[t] for e in engines for t in e.outputs], np.int64),
        producer=producer,
        consumer=consumer,
    )


def offsets(sizes: list[int]) -> Cycles:
    """Start offsets of consecutive parts of the given sizes, then the end of the last part."""
    return np.array([0, *accumulate(sizes)], np.int64)
