"""The timeline of a frame, against every cycle looked at by itself and the counts of a run."""

import json

import numpy as np
import pytest
from project_graphs import residual_graph
from random_graphs import random_graph
from small_graphs import network

from sephw.errors import SephwError
from sephw.ir import Folding
from sephw.ops import Select, WeightPlace
from sephw.passes import FoldingFile, LoweringStage, lower
from sephw.sim.activity import activity
from sephw.sim.cycles import run_frames
from sephw.sim.patterns import random_pattern
from sephw.sim.timeline import Timeline, settled_timeline, timeline
from sephw.sim.timing import simulate


@pytest.fixture(scope="module")
def graph():
    return lower(network(4), FoldingFile({}, 900))


def waiting_cycles(result, graph, node, frame):
    """Every cycle in which `node` waited on its way through `frame`, one after the other."""
    plan = node.operator.schedule(node.folding)
    issues = result.issues[node.name].tolist()
    events = np.flatnonzero(np.any([*plan.reads, *plan.writes], axis=0))
    first = (frame - 1) * plan.issues + int(events[-1]) + 1
    last = frame * plan.issues + int(events[-1])
    for number in range(first, last + 1):
        yield from range(issues[number - 1] + plan.interval_cycles, issues[number])


def test_bins_hold_the_cycles_that_lie_in_them(graph):
    result = run_frames(graph, 4)
    found = timeline(result, 2, bins_per_frame=20)
    assert [engine.name for engine in found.engines] == [node.name for node in graph.nodes]
    assert max(engine.cycles for engine in found.engines) <= 20 * found.bin_cycles
    for node, engine in zip(graph.nodes, found.engines, strict=True):
        base = (engine.start_cycle - found.first_cycle) // found.bin_cycles
        expected = [0] * len(engine.starved_cycles)
        for cycle in waiting_cycles(result, graph, node, 2):
            expected[(cycle - found.first_cycle) // found.bin_cycles - base] += 1
        waited = np.add(engine.starved_cycles, engine.blocked_cycles).tolist()
        assert waited == expected


def test_sums_are_those_of_the_activity():
    for seed in range(20):
        graph = random_graph(seed, deep=True)
        stalls = {t: random_pattern(seed, 40, 0.5) for t in graph.outputs}
        result = run_frames(graph, 3, sink_stalls=stalls)
        counts = activity(result, skip_frames=2).engines
        found = timeline(result, 2, bins_per_frame=7)
        assert found.frame == 2 and not found.settled
        for engine in found.engines:
            count = counts[engine.name]
            assert engine.cycles == count.cycles
            assert engine.busy_cycles == count.busy_cycles
            assert sum(engine.starved_cycles) == sum(count.starved_cycles.values())
            assert sum(engine.blocked_cycles) == sum(count.blocked_cycles.values())


def test_a_settled_frame_takes_every_engine_the_frame_interval(graph):
    found, timing = settled_timeline(graph), simulate(graph)
    assert found.settled
    assert {engine.cycles for engine in found.engines} == {timing.frame_interval_cycles}
    slowest = next(e for e in found.engines if e.name == timing.bottleneck)
    assert slowest.busy_cycles == slowest.cycles
    assert found.cycles == max(e.end_cycle for e in found.engines) - found.first_cycle


def test_plain_values_come_back(graph):
    found = settled_timeline(graph)
    assert Timeline.from_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_first_frame_and_a_frame_that_is_not_there(graph):
    result = run_frames(graph, 1)
    assert timeline(result, 0).engines[0].busy_cycles > 0
    with pytest.raises(SephwError, match=r"^timeline of frame 1: the run has frames 0 to 0$"):
        timeline(result, 1)


def test_frames_that_are_forgotten_change_nothing():
    graph = residual_graph(frame_cycles=4096, until=LoweringStage.FIFO_DEPTHS)
    whole, short = run_frames(graph, 40), run_frames(graph, 40, keep_frames=1)
    assert short.execution.simulated_frames == whole.execution.simulated_frames >= 3
    assert np.array_equal(short.frame_ends, whole.frame_ends)
    assert short.latency == whole.latency
    worked = whole.execution.simulated_frames
    assert settled_timeline(graph) == timeline(whole, worked - 1, settled=True)
    with pytest.raises(ValueError, match="reshape"):
        _ = short.pops[graph.nodes[3].outputs[0]]


def test_a_large_network_that_settles_late_takes_fewer_frames(monkeypatch):
    tiled = Folding(4, 3, Select(weights=WeightPlace.STREAM, tile_pixels=4))
    last = Folding(2, 4, Select(weights=WeightPlace.STREAM))
    graph = residual_graph(frame_cycles=1024, foldings={"stem": tiled, "classifier": last})
    # Words of tiles are there earlier than they are needed: engines get ahead frame after frame.
    graph = lower(graph, None, weight_bandwidth_bits=4)
    found = settled_timeline(graph)
    assert found.settled and 7 < found.frame < 63
    monkeypatch.setattr("sephw.sim.timeline._MOST_EVENTS", 1)
    found = settled_timeline(graph)
    assert (found.frame, found.settled) == (7, False)
