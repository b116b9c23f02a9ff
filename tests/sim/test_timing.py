"""The cycle model against a plain cycle-by-cycle simulation; FIFO depths; deadlocks."""

from dataclasses import replace

import pytest
from cycle_by_cycle import DeadlockError, play
from small_graphs import GraphBuilder, chain, network

from sephw.errors import SephwError
from sephw.ir import Folding, Graph
from sephw.passes import fold, insert_forks, insert_width_converters
from sim.periodic import earliest, frame_interval, latest, schedules
from sim.timing import simulate, size_fifos


def wired(graph: Graph, frame_cycles: int, foldings=None) -> Graph:
    return insert_width_converters(insert_forks(fold(graph, foldings or {}, frame_cycles)))


def paced(graph: Graph, frames: int) -> list[int]:
    words, interval = graph.stream(graph.inputs[0]).words, frame_interval(graph)[1]
    return [f * interval + k * interval // words for f in range(frames) for k in range(words)]


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
    times = earliest(graph, schedules(graph), interval)
    pushes = play(graph, paced(graph, FRAMES), FRAMES)
    for name, stream in times.items():
        words = len(stream.push)
        last = pushes[name][(FRAMES - 1) * words : FRAMES * words]
        assert [t - (FRAMES - 1) * interval for t in last] == stream.push.tolist(), name
    timing = simulate(graph)
    assert timing.frame_interval_cycles == interval
    words = graph.stream(graph.outputs[0]).words
    first = pushes[graph.outputs[0]][(FRAMES - 1) * words] - (FRAMES - 1) * interval
    final = pushes[graph.outputs[0]][FRAMES * words - 1] - (FRAMES - 1) * interval
    assert (timing.latency_cycles, timing.last_output_cycles) == (first, final)


@pytest.mark.parametrize("make", GRAPHS)
def test_sized_fifos_keep_latency_and_interval(make):
    graph = size_fifos(make())
    timing = simulate(graph)
    depths = {name: tensor.fifo_depth for name, tensor in graph.tensors.items()}
    pushes = play(graph, paced(graph, FRAMES), FRAMES, depths)
    words = graph.stream(graph.outputs[0]).words
    start = (FRAMES - 1) * timing.frame_interval_cycles
    output = pushes[graph.outputs[0]]
    assert output[(FRAMES - 1) * words] - start == timing.latency_cycles
    assert output[FRAMES * words - 1] - start == timing.last_output_cycles


@pytest.mark.parametrize("make", GRAPHS)
@pytest.mark.parametrize("output_every", [1, 7])
def test_sized_fifos_take_input_bursts_and_a_slow_reader(make, output_every):
    graph = size_fifos(make())
    depths = {name: tensor.fifo_depth for name, tensor in graph.tensors.items()}
    words = graph.stream(graph.inputs[0]).words
    frames = 4
    pushes = play(graph, [0] * (words * frames), frames, depths, output_every)
    beats = graph.stream(graph.outputs[0]).words
    ends = [pushes[graph.outputs[0]][f * beats - 1] for f in range(1, frames + 1)]
    interval = simulate(graph).frame_interval_cycles
    # All input at once never makes any frame later than evenly paced input.
    if output_every == 1:
        last = simulate(graph).last_output_cycles
        assert all(end <= last + f * interval for f, end in enumerate(ends))


@pytest.mark.parametrize("make", GRAPHS)
def test_delaying_engines_keeps_the_schedule_feasible(make):
    graph = make()
    interval = frame_interval(graph)[1]
    plans = schedules(graph)
    times = earliest(graph, plans, interval)
    for node in reversed(graph.nodes):
        if node.outputs[0] in graph.outputs:
            continue
        around = latest(node, plans[node.name], times, interval)
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
    depths = {name: tensor.fifo_depth for name, tensor in sized.tensors.items()}
    burst = [0] * graph.stream("image").words
    play(graph, burst, 1, depths)
    with pytest.raises(DeadlockError):
        play(graph, burst, 1, dict.fromkeys(depths, 2))


def test_windows_wait_for_the_convolution_instead_of_filling_their_fifo():
    graph = wired(chain(6), 32768)
    assert simulate(graph).streams["image_window3"].high_water_beats > 400
    assert size_fifos(graph).tensors["image_window3"].fifo_depth < 10


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
