"""Periodic schedules of a graph: the cycle of every beat of a frame, repeated for each next frame.

Times are clock cycles from the first input beat of the frame; frame f adds f · interval. A schedule
is feasible if every engine's issues wait for their input beats and for the initiation interval,
``interval_cycles`` after the previous issue, across the seam between frames as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.ir import Graph, Node, Schedule

Cycles = NDArray[np.int64]
# The schedule of a node: its operator's own, or a guess of it.
ScheduleOf = Callable[[Node], Schedule]
_LONG_AGO = np.iinfo(np.int64).min // 4


@dataclass(frozen=True, eq=False)
class StreamTimes:
    """One frame's beats of one stream, int64 (words,) each.

    ``issue``: the issue that makes the beat; ``push``: when it is in the FIFO; ``pop``: when its
    reader takes it (a graph output: at once).
    """

    issue: Cycles
    push: Cycles
    pop: Cycles


Times = Mapping[str, StreamTimes]


def frame_interval(graph: Graph) -> tuple[str, int]:
    """The bottleneck (a node, graph input or graph output) and the frame interval in cycles.

    An input with a rate of its own is the bottleneck where its reader, at that rate, is slower than
    all engines; streamed weights have no more beats than their reader has issues.
    """
    ends = (*(t for t in graph.inputs if t not in graph.constants), *graph.outputs)
    cycles = {t: graph.stream(t).words for t in ends}
    cycles.update((n.name, n.operator.frame_cycles(n.folding)) for n in graph.nodes)
    for name in (t for t in graph.inputs if graph.tensors[t].source_cycles):
        (reader,) = graph.consumers(name)
        plan = reader.operator.schedule(reader.folding)
        paced = math.ceil(plan.issues * mean_issue_interval(graph, reader, plan))
        if paced > max(cycles.values()):
            cycles[name] = paced
    return max(cycles.items(), key=lambda item: item[1])


def own_schedule(node: Node) -> Schedule:
    """The schedule of the node's operator at its folding."""
    return node.operator.schedule(node.folding)


def schedules(graph: Graph, schedule_of: ScheduleOf = own_schedule) -> dict[str, Schedule]:
    """Every node's schedule, by name, checked against the streams it is wired to.

    Raises SephwError for a tensor with several readers or with ends of different lanes.
    """
    result = {}
    for name in graph.tensors:
        if len(graph.consumers(name)) > 1:
            raise SephwError(f"graph: tensor '{name}' has several readers; insert forks first")
    for node in graph.nodes:
        result[node.name] = schedule = schedule_of(node)
        for name, reads in zip(node.inputs, schedule.reads, strict=True):
            read, made = int(reads.sum()), graph.stream(name).words
            if read != made:
                raise SephwError(
                    f"{node.where}: reads '{name}' in {read} beats a frame, it is made in {made}; "
                    "insert width converters first"
                )
    return result


def mean_issue_interval(graph: Graph, node: Node, plan: Schedule) -> Fraction:
    """The mean initiation interval in cycles, bounded by the engine and its rate-limited inputs.

    An input with a rate of its own is read by every n-th issue from the first n on, up to some
    issue after which it is not read; n = 1 but for tile buffers, whose readers are as slow. After
    any idle time, k issues take at most ⌈k · interval⌉ cycles: the source holds a beat, and its
    pattern has as many active cycles wherever one begins.
    """
    found = Fraction(plan.interval_cycles)
    for name, reads in zip(node.inputs, plan.reads, strict=True):
        tensor = graph.tensors[name]
        if name in graph.inputs and tensor.source_cycles:
            places = np.flatnonzero(reads)
            every = int(places[0]) + 1
            even = np.array_equal(places + 1, every * np.arange(1, len(places) + 1))
            assert even, f"{node.where}: '{name}', which is paced, is not read evenly"
            found = max(found, Fraction(tensor.source_cycles, tensor.source_beats * every))
        maker = graph.producer(name)
        if maker is not None and name in graph.weight_tensors:
            # It makes a beat an issue, and each of these issues takes one.
            ahead = maker.operator.schedule(maker.folding)
            found = max(found, mean_issue_interval(graph, maker, ahead))
    return found


def earliest_times(
    graph: Graph, plans: Mapping[str, Schedule], interval: int
) -> dict[str, StreamTimes]:
    """The as-soon-as-possible schedule: every issue as early as its inputs and predecessor allow.

    This is a (max, +) recurrence. The graph input comes evenly spread over ``interval``; streamed
    weights arrive when they are read, no faster than their rate. A node that reads only weights,
    which could be early without end, is scheduled as late as its readers allow.
    """
    times: dict[str, StreamTimes] = {}
    for name in (t for t in graph.inputs if t not in graph.constants):
        words = graph.stream(name).words
        beats = np.arange(words, dtype=np.int64) * interval // words
        times[name] = StreamTimes(beats, beats, beats)
    feeding: list[Node] = []
    for node in graph.nodes:
        if not any(name in times for name in node.inputs):
            feeding.append(node)
            continue
        plan = plans[node.name]
        cycles, issues = mean_issue_interval(graph, node, plan).as_integer_ratio()
        ready = np.full(plan.issues, _LONG_AGO // issues, np.int64)
        for name, reads in zip(node.inputs, plan.reads, strict=True):
            if name in times:
                mask = reads.astype(bool)
                ready[mask] = np.maximum(ready[mask], times[name].push)
        # The frame before comes first: its last issues may hold up this frame's first ones.
        both = np.concatenate([ready - interval, ready]) * issues
        paces = np.arange(both.size, dtype=np.int64) * cycles
        issue = -(-(np.maximum.accumulate(both - paces) + paces) // issues)
        times.update(_node_times(node, plan, issue[plan.issues :], times))
    for node in reversed(feeding):
        plan = plans[node.name]
        times.update(
            latest_times(node, plan, times, interval, mean_issue_interval(graph, node, plan))
        )
    return times


def latest_times(
    node: Node, plan: Schedule, times: Times, interval: int, step: Fraction
) -> dict[str, StreamTimes]:
    """The streams around ``node`` when each of its issues is as late as its readers allow.

    ``step``: the mean initiation interval in cycles. Where it is no whole number, issues come up to
    two cycles earlier than it says: counted from the end, steps round to other cycles than those of
    a source.
    """
    due = np.full(plan.issues, -_LONG_AGO // step.denominator, np.int64)
    for name, writes in zip(node.outputs, plan.writes, strict=True):
        mask = writes.astype(bool)
        due[mask] = np.minimum(due[mask], times[name].pop - plan.latency_cycles)
    cycles, issues = step.as_integer_ratio()
    both = np.concatenate([due, due + interval]) * issues
    paces = np.arange(both.size, dtype=np.int64) * cycles
    issue = (np.minimum.accumulate((both - paces)[::-1])[::-1] + paces) // issues
    issue -= issues > 1
    around = _node_times(node, plan, issue[: plan.issues], times)
    for name in node.outputs:
        around[name] = replace(around[name], pop=times[name].pop)
    return around


def _node_times(node: Node, plan: Schedule, issue: Cycles, times: Times) -> dict[str, StreamTimes]:
    """The streams around ``node`` when it issues at ``issue``; its output beats are popped at
    once.
    """
    around = {}
    for name, reads in zip(node.inputs, plan.reads, strict=True):
        pop = issue[reads.astype(bool)]
        around[name] = (
            replace(times[name], pop=pop) if name in times else StreamTimes(pop, pop, pop)
        )
    for name, writes in zip(node.outputs, plan.writes, strict=True):
        made = issue[writes.astype(bool)]
        push = made + plan.latency_cycles
        around[name] = StreamTimes(made, push, push)
    return around


def high_water(arrivals: Cycles, pops: Cycles, interval: int) -> int:
    """The high-water mark of a FIFO in beats, all frames counted.

    ``arrivals`` and ``pops`` are int64 (words,), no pop before its arrival. A beat that leaves in
    the cycle in which another arrives still counts.
    """
    held = np.arange(1, len(arrivals) + 1) - np.searchsorted(pops, arrivals, side="left")
    shift = interval
    # Frames before this one of which beats are still held.
    while pops[-1] >= arrivals[0] + shift:
        held += len(pops) - np.searchsorted(pops, arrivals + shift, side="left")
        shift += interval
    return int(held.max())
