"""Utilization, stall causes, FIFO fill and the trace, against what the timelines show."""

import json
from itertools import pairwise

import numpy as np
import pytest
from cycle_by_cycle import play
from random_graphs import random_graph
from small_graphs import network

from sephw.errors import SephwError
from sephw.passes import FoldingFile, lower
from sephw.sim.activity import activity
from sephw.sim.cycles import run_frames
from sephw.sim.patterns import random_pattern
from sephw.sim.timing import simulate
from sephw.sim.trace import trace_events, write_trace


@pytest.fixture(scope="module")
def graph():
    return lower(network(4), FoldingFile({}, 900))


def test_every_cycle_of_an_engine_is_counted_once(graph):
    result = run_frames(graph, 4)
    for skip in (0, 2):
        counts = activity(result, skip).engines
        for node in graph.nodes:
            issues = result.issues[node.name].reshape(4, -1)
            plan = node.operator.schedule(node.folding)
            event = np.flatnonzero(np.any([*plan.reads, *plan.writes], axis=0))[-1]
            trailing = plan.issues - 1 - event
            before = issues[skip - 1, event] if skip else -1 - trailing
            count = counts[node.name]
            assert count.cycles == issues[-1, event] - before
            assert count.busy_cycles == (4 - skip) * plan.issues
            assert count.utilization == count.busy_cycles / count.cycles


def test_in_the_steady_state_the_bottleneck_never_waits(graph):
    timing = simulate(graph)
    counts = activity(run_frames(graph, 8), 6).engines
    assert counts[timing.bottleneck].utilization == 1
    assert all(c.cycles == 2 * timing.frame_interval_cycles for c in counts.values())


def test_a_wait_counts_for_what_came_last():
    for seed in range(40):
        graph = random_graph(seed, deep=True)
        sink = {t: random_pattern(seed, 40, 0.5) for t in graph.outputs}
        expected = play(graph, 2, sink=sink)
        counts = activity(run_frames(graph, 2, sink_stalls=sink)).engines
        for node in graph.nodes:
            plan = node.operator.schedule(node.folding)
            starved = dict.fromkeys(node.inputs, 0)
            read = dict.fromkeys(node.inputs, 0)
            # FIFOs are deep: only missing beats make an engine wait.
            earliest = 0
            for i, cycle in enumerate(expected.issues[node.name]):
                late = earliest
                for t, reads in zip(node.inputs, plan.reads, strict=True):
                    if reads[i % plan.issues]:
                        seen = expected.visible[t][read[t]]
                        read[t] += 1
                        if seen > late:
                            late, last = seen, t
                if late > earliest:
                    starved[last] += late - earliest
                assert cycle == late
                earliest = cycle + plan.interval_cycles
            assert counts[node.name].starved_cycles == starved
            assert not any(counts[node.name].blocked_cycles.values())


def test_fifo_fill_counted_cycle_by_cycle(graph):
    sink = {"logits": random_pattern(5, 60, 0.3)}
    fifos = activity(run_frames(graph, 2, sink_stalls=sink)).fifos
    played = play(graph, 2, sink=sink)
    for name, fifo in fifos.items():
        visible, pops = np.array(played.visible[name]), np.array(played.pops[name])
        latency = graph.producer(name).operator.schedule(graph.producer(name).folding)
        issued = visible - latency.latency_cycles
        cycles = range(int(pops[-1]) + 1)
        assert fifo.depth == graph.tensors[name].fifo_depth
        assert fifo.most_waiting == max(((visible <= c) & (pops >= c)).sum() for c in cycles)
        assert fifo.most_reserved == max(((issued <= c) & (pops >= c)).sum() for c in cycles)
        assert fifo.most_reserved <= fifo.depth


def test_sources_and_sinks_are_paused_by_their_patterns(graph):
    result = run_frames(graph, 2, source_gaps=np.arange(50) == 9, sink_stalls=np.arange(90) == 0)
    counts = activity(result).engines
    assert counts["source:image"].paused_cycles > 49 * graph.stream("image").words
    assert counts["sink:logits"].paused_cycles > 0


def test_at_least_one_frame_is_left(graph):
    with pytest.raises(SephwError) as error:
        activity(run_frames(graph, 2), 2)
    assert str(error.value) == "activity of 2 frames without the first 2; leave at least one"


def test_the_trace_tells_the_whole_timeline(graph, tmp_path):
    result = run_frames(graph, 3)
    counts = activity(result).engines
    path = tmp_path / "trace.json"
    write_trace(result, path, shortest_wait_cycles=1)
    events = json.loads(path.read_text("utf-8"))["traceEvents"]
    assert events == list(trace_events(result, shortest_wait_cycles=1))
    names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert list(names.values()) == list(counts)
    for tid, name in names.items():
        slices = [e for e in events if e["ph"] == "X" and e["tid"] == tid]
        assert slices == sorted(slices, key=lambda e: e["ts"])
        for before, after in pairwise(slices):
            assert after["ts"] == before["ts"] + before["dur"]
        for kind, cycles in (
            ("starved: ", counts[name].starved_cycles),
            ("blocked: ", counts[name].blocked_cycles),
        ):
            for tensor, lost in cycles.items():
                shown = [e["dur"] for e in slices if e["name"] == kind + tensor]
                assert sum(shown) == lost
    spans = [e for e in events if e.get("cat") == "frame"]
    assert [e["ts"] for e in spans if e["ph"] == "e"] == (result.frame_ends + 1).tolist()
    coarse = [e for e in trace_events(result, shortest_wait_cycles=64) if e["ph"] == "X"]
    assert len(coarse) < len([e for e in events if e["ph"] == "X"])
    lost = sum(e["args"]["short_waits_cycles"] for e in coarse if e["name"] == "busy")
    lost += sum(e["dur"] for e in coarse if e["name"] != "busy")
    assert lost == sum(c.cycles - c.busy_cycles for c in counts.values())
