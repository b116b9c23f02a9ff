"""The cycle model against a plain cycle-by-cycle simulation; FIFO depths; deadlocks."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from cycle_by_cycle import UNBOUNDED, DeadlockError, play
from small_graphs import GraphBuilder, chain, network

from sephw.errors import SephwError
from sephw.ir import Folding, Graph
from sephw.passes import FoldingFile, LoweringStage, fold, lower
from sephw.sim.activity import activity
from sephw.sim.cycles import run_frames
from sephw.sim.patterns import random_pattern
from sephw.sim.periodic import earliest_times, frame_interval, latest_times, schedules
from sephw.sim.timing import simulate, size_fifos


def wired(graph: Graph, frame_cycles: int, foldings=None) -> Graph:
    return lower(
        graph, FoldingFile(foldings or {}, frame_cycles), until=LoweringStage.WIDTH_CONVERTERS
    )


def paced(graph: Graph, frames: int) -> dict[str, np.ndarray]:
    words, interval = graph.stream(graph.inputs[0]).words, frame_interval(graph)[1]
    frame = np.arange(words, dtype=np.int64) * interval // words
    starts = np.arange(frames, dtype=np.int64)[:, None] * interval
    return {graph.inputs[0]: (starts + frame).ravel()}


def with_depths(graph: Graph, depth: int) -> Graph:
    tensors = {name: replace(t, fifo_depth=depth) for name, t in graph.tensors.items()}
    return graph.with_nodes(graph.nodes, tensors)


GRAPHS = [
    pytest.param(lambda: wired(chain(4), 4000), id="chain, convolution is the bottleneck"),
    pytest.param(lambda: wired(chain(4), 200), id="chain, window is the bottleneck"),
    pytest.param(lambda: wired(network(4), 600), id="network, fast"),
    pytest.param(lambda: wired(network(4), 3000), id="network, folded"),
    pytest.param(
        lambda: wired(network(4), 900, {"point_node": Folding(1, 1), "block_node": Folding(4, 4)}),
        id="network, uneven branches",
    ),
]
FRAMES = 5


@pytest.mark.parametrize("make", GRAPHS)
def test_steady_state_equals_the_cycle_by_cycle_simulation(make):
    graph = make()
    interval = frame_interval(graph)[1]
    times = earliest_times(graph, schedules(graph), interval)
    deep = dict.fromkeys(graph.tensors, UNBOUNDED)
    played = play(graph, FRAMES, arrivals=paced(graph, FRAMES), depths=deep)
    start = (FRAMES - 1) * interval
    for name, stream in times.items():
        words = len(stream.push)
        if name not in graph.inputs:
            last = played.visible[name][(FRAMES - 1) * words :]
            assert [t - start for t in last] == stream.push.tolist(), name
        last = played.pops[name][(FRAMES - 1) * words :]
        if name not in graph.outputs:
            assert [t - start for t in last] == stream.pop.tolist(), name
    timing = simulate(graph)
    assert timing.frame_interval_cycles == interval
    words = graph.stream(graph.outputs[0]).words
    final = played.visible[graph.outputs[0]][(FRAMES - 1) * words :]
    assert timing.paced.first_output_cycles == final[0] - start
    assert timing.paced.last_output_cycles == final[-1] - start


@pytest.mark.parametrize("make", GRAPHS)
def test_sized_fifos_keep_latency_and_interval(make):
    graph = size_fifos(make())
    timing = simulate(graph)
    result = run_frames(graph, FRAMES, arrivals=paced(graph, FRAMES))
    words = graph.stream(graph.outputs[0]).words
    starts = np.arange(FRAMES) * timing.frame_interval_cycles
    output = result.visible[graph.outputs[0]].reshape(FRAMES, words) - starts[:, None]
    # Before the steady state, no frame is later than in it.
    assert (output[:, 0] <= timing.paced.first_output_cycles).all()
    assert output[-1, 0] == timing.paced.first_output_cycles
    assert output[-1, -1] == timing.paced.last_output_cycles


@pytest.mark.parametrize("make", GRAPHS)
def test_sized_fifos_run_at_the_frame_interval_on_a_source_that_never_pauses(make):
    graph = size_fifos(make())
    timing = simulate(graph)
    result = run_frames(graph, 2 * FRAMES)
    ends = result.frame_ends
    # All input at once never makes any frame later than evenly paced input.
    paced_ends = (
        timing.paced.last_output_cycles + np.arange(2 * FRAMES) * timing.frame_interval_cycles
    )
    assert (ends <= paced_ends).all()
    assert ends[-1] - ends[FRAMES - 1] == FRAMES * timing.frame_interval_cycles


@pytest.mark.parametrize("make", GRAPHS)
def test_sized_fifos_take_pauses_and_a_slow_reader(make):
    graph = size_fifos(make())
    slow = np.arange(7) == 3
    result = run_frames(graph, FRAMES, source_gaps=random_pattern(1, 500, 0.1), sink_stalls=slow)
    words = graph.stream(graph.outputs[0]).words
    assert result.frame_ends[-1] >= 7 * (words * FRAMES - 1)


@pytest.mark.parametrize("make", GRAPHS)
def test_depths_are_what_the_schedule_reserves(make):
    graph = size_fifos(make())
    fifos = activity(run_frames(graph, FRAMES)).fifos
    for name, fifo in fifos.items():
        assert fifo.most_reserved <= fifo.depth == graph.tensors[name].fifo_depth


@pytest.mark.parametrize("make", GRAPHS)
def test_delaying_engines_keeps_the_schedule_feasible(make):
    graph = make()
    interval = frame_interval(graph)[1]
    plans = schedules(graph)
    times = earliest_times(graph, plans, interval)
    for node in reversed(graph.nodes):
        if node.outputs[0] in graph.outputs:
            continue
        plan = plans[node.name]
        around = latest_times(node, plan, times, interval, Fraction(plan.interval_cycles))
        for name in node.inputs:
            assert (around[name].pop >= times[name].pop).all()
        for name in node.outputs:
            assert (around[name].push >= times[name].push).all()
            assert (around[name].push <= times[name].pop).all()
        times.update(around)


def skip_graph() -> Graph:
    """A long branch (two line buffers) beside an identity skip."""
    b = GraphBuilder("skip", seed=4)
    x = b.input("image", 6, 6, 2)
    first = b.join("first", b.conv("conv0", x, 2, 3))
    second = b.join("second", b.conv("conv1", first, 2, 3), x)
    return b.build(x, second)


def test_a_skip_branch_deadlocks_with_shallow_fifos_and_runs_with_sized_ones():
    graph = wired(skip_graph(), 3000)
    sized = size_fifos(graph)
    skip = max(
        (name for name in graph.tensors if name.startswith("image_copy1")),
        key=lambda name: sized.tensors[name].fifo_depth,
    )
    # More than two rows of 6 pixels have to wait for two 3×3 windows.
    assert sized.tensors[skip].fifo_depth * graph.stream(skip).lanes > 2 * 6 * 2
    play(sized, 1)
    with pytest.raises(DeadlockError):
        play(with_depths(graph, 2), 1)


def test_windows_wait_for_the_convolution_instead_of_filling_their_fifo():
    graph = wired(chain(6), 32768)
    assert simulate(graph).streams["image_window3"].high_water_beats > 400
    assert size_fifos(graph).tensors["image_window3"].fifo_depth < 10


def test_sums_that_are_gone_before_the_next_get_a_fifo_of_one_beat():
    b = GraphBuilder("rare", seed=1)
    x = b.input("image", 4, 4, 32)
    graph = wired(b.build(x, b.join("map", b.conv("sums", x, 1))), 1 << 20)
    timing, sized = simulate(graph), size_fifos(graph)
    assert sized.tensors["sums"].fifo_depth == 1
    assert simulate(sized).frame_interval_cycles == timing.frame_interval_cycles
    ends = run_frames(sized, FRAMES).frame_ends
    assert ends[-1] - ends[-2] == timing.frame_interval_cycles


def test_the_bottleneck_is_named():
    graph = wired(chain(6), 32768)
    timing = simulate(graph)
    assert timing.bottleneck == "pattern_node"
    assert timing.engine_frame_cycles["pattern_node"] == timing.frame_interval_cycles == 5184


def test_graphs_that_are_not_wired_are_refused():
    with pytest.raises(SephwError) as error:
        simulate(fold(network(), {}, 2000))
    assert str(error.value) == "graph: tensor 'stem' has several readers; insert forks first"
    folded = fold(chain(), {"pattern_node": Folding(1, 1), "map_node": Folding(4, 4)}, 9000)
    with pytest.raises(SephwError) as error:
        simulate(folded)
    assert str(error.value) == (
        "Join 'net.map': reads 'pattern' in 72 beats a frame, it is made in 288; "
        "insert width converters first"
    )


def test_sizing_changes_depths_only():
    graph = wired(network(4), 600)
    sized = size_fifos(graph)
    assert sized.nodes is graph.nodes or sized.nodes == graph.nodes
    for name, tensor in graph.tensors.items():
        assert replace(sized.tensors[name], fifo_depth=tensor.fifo_depth) == tensor
