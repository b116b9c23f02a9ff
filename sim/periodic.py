"""Periodic schedules of a graph: when every beat of a frame moves, the same for each next frame.

Times are clock cycles from the first input beat of the frame; frame f adds f · interval.
A schedule is feasible if every engine keeps its rule (its input beats are there, its previous
issue is ``interval_cycles`` past), across the seam between frames as well.
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
    """(the node, graph input or output that sets it, cycles per frame).

    An input that comes at a pace of its own sets it where its reader, at that pace, is slower than
    all engines; a constant one has no more beats than its reader has issues.
    """
    ends = (*(t for t in graph.inputs if t not in graph.constants), *graph.outputs)
    cycles = {t: graph.stream(t).words for t in ends}
    cycles.update((n.name, n.operator.frame_cycles(n.folding)) for n in graph.nodes)
    for name in (t for t in graph.inputs if graph.tensors[t].source_cycles):
        (reader,) = graph.consumers(name)
        plan = reader.operator.schedule(reader.folding)
        paced = math.ceil(plan.issues * pace(graph, reader, plan))
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


def pace(graph: Graph, node: Node, plan: Schedule) -> Fraction:
    """Least cycles from issue to issue on the average, as the node and its paced inputs are.

    A paced input is read by every n-th issue from the first n on, up to some issue behind which it
    is not read; n = 1 but for buffers of tiles, whose readers are as slow. After any idle time, k
    issues take at most ⌈k · pace⌉ cycles: the source holds a beat, and its pattern has as many
    cycles on wherever one begins.
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
        if maker is not None and name in graph.fed:
            # It makes a beat an issue, and each of these issues takes one.
            ahead = maker.operator.schedule(maker.folding)
            found = max(found, pace(graph, maker, ahead))
    return found


def earliest(graph: Graph, plans: Mapping[str, Schedule], interval: int) -> dict[str, StreamTimes]:
    """The (max, +) recurrence: every issue as early as its inputs and its predecessor allow.

    The graph input comes evenly spread over ``interval``; constant inputs are there when they are
    read, no faster than their pace. A node with nothing but these, which would be early without
    end, is as late as its readers allow.
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
        cycles, issues = pace(graph, node, plan).as_integer_ratio()
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
        times.update(latest(node, plan, times, interval, pace(graph, node, plan)))
    return times


def latest(
    node: Node, plan: Schedule, times: Times, interval: int, step: Fraction
) -> dict[str, StreamTimes]:
    """The streams around ``node`` with each of its issues as late as its readers allow.

    ``step``: cycles from issue to issue. Where that is no whole number, issues come up to two
    cycles earlier than it says: from the end, steps round to other cycles than those of a source.
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
    """Streams around ``node`` when it issues at ``issue``; what it makes is popped at once."""
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
    """Most beats held at once, all frames counted; both (words,), the pops never earlier.

    A beat that leaves in the very cycle in which another arrives still counts.
    """
    held = np.arange(1, len(arrivals) + 1) - np.searchsorted(pops, arrivals, side="left")
    shift = interval
    # Frames before this one of which beats are still held.
    while pops[-1] >= arrivals[0] + shift:
        held += len(pops) - np.searchsorted(pops, arrivals + shift, side="left")
        shift += interval
    return int(held.max())
