"""The steady state in closed form: frame interval and latency from schedules, and FIFO depths.

An engine issues when its input beats are there and its previous issue is ``interval_cycles``
past: ``t_issue[i] = max(t_issue[i−1] + II, t_input[i])``; what it makes is there
``latency_cycles`` later. With the depths found here credits never hold an engine up for long
enough to matter, so this needs no FIFOs; sephw.sim.cycles has them, and every cycle from reset on.
The simulator knows schedules and FIFOs only, nothing of operators.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from sephw.ir import Graph
from sephw.sim.latency import Latency
from sephw.sim.periodic import (
    ScheduleOf,
    StreamTimes,
    Times,
    earliest_times,
    frame_interval,
    high_water,
    latest_times,
    mean_issue_interval,
    own_schedule,
    schedules,
)


@dataclass(frozen=True)
class StreamTiming:
    """One stream with unbounded FIFOs: beats a frame, and the most beats in its FIFO at once."""

    words: int
    high_water_beats: int


@dataclass(frozen=True)
class Timing:
    """The steady-state timing of a graph by the cycle model; simulated, in clock cycles.

    The input comes evenly spread over the frame interval, frame after frame; weights from outside
    when they are read, no faster than their pace.
    ``frame_interval_cycles``: cycles per image. ``paced``: the latency under that source; see
    sephw.sim.latency. ``bottleneck``: the node, graph
    input or graph output that sets the interval. ``engine_frame_cycles``: by node name.
    """

    frame_interval_cycles: int
    paced: Latency
    bottleneck: str
    engine_frame_cycles: Mapping[str, int]
    streams: Mapping[str, StreamTiming]


def simulate(graph: Graph, schedule_of: ScheduleOf = own_schedule) -> Timing:
    """Time ``graph`` with unbounded FIFOs; with the depths of ``size_fifos`` the same holds.

    ``schedule_of``: schedules to take for the nodes' own, where those take long to find out.

    Raises SephwError where a tensor has several readers or a stream's ends differ in lanes:
    insert forks and width converters before.
    """
    bottleneck, interval = frame_interval(graph)
    plans = schedules(graph, schedule_of)
    times = earliest_times(graph, plans, interval)
    outputs = [times[t].push for t in graph.outputs]
    streams = {
        name: StreamTiming(len(t.push), high_water(t.push, t.pop, interval))
        for name, t in times.items()
    }
    return Timing(
        frame_interval_cycles=interval,
        paced=Latency(
            first_output_cycles=int(min(t[0] for t in outputs)),
            last_output_cycles=int(max(t[-1] for t in outputs)),
        ),
        bottleneck=bottleneck,
        engine_frame_cycles=MappingProxyType({n: p.frame_cycles for n, p in plans.items()}),
        streams=MappingProxyType(streams),
    )


def size_fifos(graph: Graph, schedule_of: ScheduleOf = own_schedule) -> Graph:
    """The same graph with each ``Tensor.fifo_depth`` deep enough to keep ``simulate``'s timing.

    Depth = the most beats reserved at once, where a beat is reserved from the issue that makes it
    (it takes a credit) until the cycle after it is read (the credit is back); so beats on their
    way through the pipeline are in it. A graph input's depth is what an evenly
    paced source has to be able to hold back. The schedule behind the depths starts from the
    earliest one; then, readers first, an engine is delayed to the latest times its readers allow
    wherever that saves FIFO bits: mostly windows, which hold each pixel several times, wait for
    their convolution and let pixels wait instead. Graph outputs keep their earliest times.

    Why that is enough: engines joined by FIFOs are a marked graph. The schedule fits into the
    depths, so engines that start as early as they can are never later than it; interval and
    latency are those of ``simulate``. Other arrivals (bursts, pauses) cannot deadlock it: whether
    a marked graph deadlocks depends on its tokens and depths only, not on times.

    ``schedule_of``: schedules to take for the nodes' own, as `simulate` does.

    Raises SephwError as ``simulate`` does.
    """
    _, interval = frame_interval(graph)
    plans = schedules(graph, schedule_of)
    times: dict[str, StreamTimes] = earliest_times(graph, plans, interval)
    for node in reversed(graph.nodes):
        if not set(node.outputs).isdisjoint(graph.outputs):
            continue
        step = mean_issue_interval(graph, node, plans[node.name])
        if step.denominator > 1:
            # From the end, steps would round to other cycles than a source's pattern allows.
            continue
        around = latest_times(node, plans[node.name], times, interval, step)
        if _fifo_bits(graph, around, interval) < _fifo_bits(
            graph, {name: times[name] for name in around}, interval
        ):
            times.update(around)
    tensors = {
        name: replace(tensor, fifo_depth=_depth(times[name], interval))
        if name in times and name not in graph.constants
        else tensor
        for name, tensor in graph.tensors.items()
    }
    return graph.with_nodes(graph.nodes, tensors)


def _depth(times: StreamTimes, interval: int) -> int:
    return high_water(times.issue, times.pop, interval)


def _fifo_bits(graph: Graph, times: Times, interval: int) -> int:
    return sum(
        _depth(t, interval) * graph.stream(n).width_bits
        for n, t in times.items()
        if n not in graph.constants
    )
