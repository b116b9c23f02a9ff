"""The exact simulation against the plain cycle-by-cycle one; patterns, values, deadlocks."""

import re
from dataclasses import replace

import numpy as np
import pytest
from cycle_by_cycle import DeadlockError, play
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import Scheduled, random_graph
from small_graphs import GraphBuilder, chain, network

from sephw.errors import SephwError
from sephw.ir import Folding, Graph, Node, Schedule, Tensor
from sephw.passes import FoldingFile, LoweringStage, fold, lower
from sephw.sim.cycles import run, run_frames
from sephw.sim.patterns import cycles_to_next, random_pattern
from sephw.sim.timing import simulate, size_fifos


def wired(graph: Graph, frame_cycles: int) -> Graph:
    return lower(graph, FoldingFile({}, frame_cycles), until=LoweringStage.WIDTH_CONVERTERS)


def with_depths(graph: Graph, depth: int) -> Graph:
    tensors = {name: replace(t, fifo_depth=depth) for name, t in graph.tensors.items()}
    return graph.with_nodes(graph.nodes, tensors)


def assert_equal(graph: Graph, frames: int, **how) -> None:
    """Both simulations agree on every cycle, or both deadlock."""
    names = {"source": "source_gaps", "sink": "sink_stalls", "arrivals": "arrivals"}
    try:
        expected = play(graph, frames, **how)
    except DeadlockError as stopped:
        with pytest.raises(
            SephwError, match=rf"^graph: deadlock after cycle {stopped.last_cycle}:"
        ):
            run_frames(graph, frames, **{names[k]: v for k, v in how.items()})
        return
    result = run_frames(graph, frames, **{names[k]: v for k, v in how.items()})
    for name, cycles in expected.pops.items():
        assert result.pops[name].tolist() == cycles, name
        assert result.visible[name].tolist() == expected.visible[name], name
    for name, cycles in expected.issues.items():
        # The plain model stops with the last beat; issues that move nothing may follow it.
        assert result.issues[name].tolist()[: len(cycles)] == cycles, name


def patterns(seed: int, tensors: tuple[str, ...]) -> dict[str, np.ndarray]:
    return {
        name: random_pattern(seed + i, 29 + i, 0.2 + 0.15 * (seed % 5))
        for i, name in enumerate(tensors)
    }


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.booleans(), st.booleans(), st.booleans())
def test_random_graphs_equal_the_plain_simulation(seed, frames, deep, gaps, stalls):
    graph = random_graph(seed, deep=deep)
    how = {}
    if gaps:
        how["source"] = patterns(seed, graph.inputs)
    if stalls:
        how["sink"] = patterns(seed + 1, graph.outputs)
    assert_equal(graph, frames, **how)


def test_frames_that_repeat_are_not_worked_off():
    repeated = 0
    for seed in range(60):
        graph = random_graph(seed)
        try:
            expected = play(graph, 12)
        except DeadlockError:
            continue
        result = run_frames(graph, 12)
        for name, cycles in expected.pops.items():
            assert result.pops[name].tolist() == cycles, name
        repeated += result.execution.simulated_frames < 12
    assert repeated > 20
    thousand = run_frames(size_fifos(wired(network(4), 600)), 1000)
    assert thousand.execution.simulated_frames < 20
    assert (
        np.diff(thousand.frame_ends[20:]) == simulate(thousand.graph).frame_interval_cycles
    ).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_beats_that_arrive_at_given_cycles(seed):
    graph = random_graph(seed, deep=True)
    rng = np.random.default_rng(seed)
    arrivals = {
        t: np.sort(rng.integers(0, 60, graph.stream(t).words * 2)).astype(np.int64)
        for t in graph.inputs
    }
    assert_equal(graph, 2, arrivals=arrivals)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: wired(chain(4), 4000), id="chain, convolution is the bottleneck"),
        pytest.param(lambda: wired(chain(4), 200), id="chain, window is the bottleneck"),
        pytest.param(lambda: wired(network(4), 600), id="network, fast"),
        pytest.param(lambda: wired(network(4), 3000), id="network, folded"),
    ],
)
@pytest.mark.parametrize("depth", ["sized", 1, 3])
@pytest.mark.parametrize("seed", [None, 7])
def test_operators_equal_the_plain_simulation(make, depth, seed):
    graph = make()
    graph = size_fifos(graph) if depth == "sized" else with_depths(graph, depth)
    how = {}
    if seed is not None:
        how = {"source": patterns(seed, graph.inputs), "sink": patterns(seed + 1, graph.outputs)}
    assert_equal(graph, 3, **how)


def test_values_are_the_reference_cut_into_beats():
    graph = size_fifos(wired(network(4), 600))
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), np.int64)
    result = run(graph, images)
    expected = graph.run(images)
    assert result.frames == 3
    for name, values in expected.items():
        stream = graph.stream(name)
        beats = result.values[name]
        assert beats.shape == (3 * stream.words, stream.lanes)
        assert len(result.pops[name]) == len(beats)
        assert (beats.ravel() == values.ravel()).all()


def test_one_engine_with_several_inputs():
    b = GraphBuilder("join")
    left, right = b.input("left", 2, 2, 4), b.input("right", 2, 2, 4)
    b.join("sum", left, right)
    tensors = {n: replace(t, fifo_depth=20) for n, t in b.tensors.items()}
    graph = Graph("join", tuple(b.nodes), tensors, (left, right), ("sum",))
    rng = np.random.default_rng(1)
    images = {t: rng.integers(0, 256, (2, 2, 2, 4), np.int64) for t in graph.inputs}
    result = run(graph, images, source_gaps={"right": np.array([False, True])})
    assert result.pops["right"].tolist() == list(range(1, 64, 2))
    (expected,) = graph.nodes[0].operator.reference(images["left"], images["right"])
    assert (result.values["sum"].ravel() == expected.ravel()).all()


def test_a_full_rate_chain_takes_one_beat_a_cycle_when_its_fifo_covers_the_latency():
    every = np.ones(10, np.uint8)
    plan = Schedule(reads=(every,), writes=(every,), latency_cycles=5)
    for depth, interval in ((6, 1), (5, None), (1, 6)):
        nodes = (
            Node("a", "", Scheduled(plan), ("x",), ("y",), Folding(1, 1)),
            Node("b", "", Scheduled(plan), ("y",), ("z",), Folding(1, 1)),
        )
        dtype = nodes[0].operator.input_types[0]
        tensors = {n: Tensor(n, 1, 1, 10, dtype, fifo_depth=9) for n in "xyz"}
        tensors["y"] = replace(tensors["y"], fifo_depth=depth)
        result = run_frames(Graph("g", nodes, tensors, ("x",), ("z",)), 2)
        steps = set(np.diff(result.issues["b"]).tolist())
        # A credit taken at the issue comes back the cycle after the pop: latency + 1 cycles.
        assert steps == ({interval} if interval else {1, 2})
        assert result.latency.first_output_cycles == 10


def test_the_pattern_generator_and_its_table():
    pattern = random_pattern(3, 97, 0.3)
    assert pattern.tolist() == random_pattern(3, 97, 0.3).tolist()
    assert 0 < pattern.sum() < 97
    waits = cycles_to_next(pattern)
    for cycle in range(97):
        wait = next(w for w in range(97) if pattern[(cycle + w) % 97])
        assert waits[cycle] == wait


def skip_graph() -> Graph:
    b = GraphBuilder("skip", seed=4)
    x = b.input("image", 6, 6, 2)
    first = b.join("first", b.conv("conv0", x, 2, 3))
    second = b.join("second", b.conv("conv1", first, 2, 3), x)
    return wired(b.build(x, second), 3000)


def test_a_deadlock_names_the_fifo_and_the_depth_it_needs():
    graph = with_depths(skip_graph(), 2)
    with pytest.raises(SephwError) as error:
        run_frames(graph, 2)
    with pytest.raises(DeadlockError) as stopped:
        play(graph, 2)
    # Found by trying every depth in the plain simulation.
    needed = next(d for d in range(3, 99) if runs(graph, "image_copy1", d))
    assert str(error.value) == (
        f"graph: deadlock after cycle {stopped.value.last_cycle}: the FIFO of 'image_copy1' is "
        "full with 2 beats, so 'image_fork' cannot issue, and 'second_node' waits for 'conv1'; "
        f"needed depths at least: 'image_copy1' {needed}; give these in "
        '"fifos" of the folding file, or leave them out'
    )


def runs(graph: Graph, name: str, depth: int) -> bool:
    deeper = replace(graph.tensors[name], fifo_depth=depth)
    try:
        play(graph.with_nodes(graph.nodes, {**graph.tensors, name: deeper}), 2)
    except DeadlockError:
        return False
    return True


def test_what_cannot_run_is_refused():
    graph = wired(chain(4), 4000)
    for images, message in (
        (
            np.zeros((1, 3, 4, 4), np.int64),
            "input 'image' has shape (1, 3, 4, 4); the graph takes (1, 4, 4, 4), frames first",
        ),
        (
            np.zeros((0, 4, 4, 4), np.int64),
            "cycle simulation of 0 frames; at least 1 is needed",
        ),
    ):
        with pytest.raises(SephwError) as error:
            run(graph, images)
        assert str(error.value) == message
    with pytest.raises(SephwError) as error:
        run_frames(graph, 1, sink_stalls=np.zeros(4, bool))
    assert str(error.value) == (
        "pattern of 'map': shape (4,), 0 cycles on; give a flat one with at least one cycle on"
    )
    with pytest.raises(SephwError) as error:
        run_frames(with_depths(graph, 0), 1)
    assert str(error.value) == (
        "graph: the FIFO of 'image_lanes1' has depth 0; it must be at least 1"
    )
    with pytest.raises(SephwError) as error:
        run_frames(fold(network(4), {}, 2000), 1)
    assert str(error.value) == "graph: tensor 'stem' has several readers; insert forks first"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_the_depths_that_a_deadlock_asks_for_suffice(seed):
    graph = random_graph(seed)
    try:
        run_frames(graph, 2)
    except SephwError as error:
        wanted = re.findall(r"'(\w+)' (\d+)[,;]", str(error).split("at least: ")[1])
        assert wanted
        deeper = {t: replace(graph.tensors[t], fifo_depth=int(depth)) for t, depth in wanted}
        play(graph.with_nodes(graph.nodes, {**graph.tensors, **deeper}), 2)
        for name, tensor in deeper.items():
            less = {**deeper, name: replace(tensor, fifo_depth=tensor.fifo_depth - 1)}
            if name == wanted[-1][0]:
                with pytest.raises(DeadlockError):
                    play(graph.with_nodes(graph.nodes, {**graph.tensors, **less}), 2)
