"""Networks whose weights come from outside: RTL equals the reference and the cycle simulation."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from project_graphs import images_for, residual_graph

from sephw.backends.rtl import compile_project, write_project
from sephw.ir import Folding, Graph
from sephw.ops import Multipliers, Select, WeightPlace
from sephw.passes import lower, weight_traffic_bits
from sephw.sim import cycles
from sephw.sim.timing import simulate

STREAM = WeightPlace.STREAM
FOLDINGS = {
    "stem": Folding(4, 3, Select(weights=STREAM)),
    "blocks.0.pattern": Folding(2, 2, Select(weights=STREAM)),
    "blocks.0.point": Folding(1, 2, Select(multipliers=Multipliers.LUT, weights=STREAM)),
    "classifier": Folding(2, 4, Select(weights=STREAM)),
}
# The same, but that words serve tiles of pixels.
TILED = {
    "stem": Folding(4, 3, Select(weights=STREAM, tile_pixels=4)),
    "blocks.0.pattern": Folding(1, 2, Select(weights=STREAM, tile_pixels=16)),
    "blocks.0.point": Folding(
        1, 2, Select(multipliers=Multipliers.LUT, weights=STREAM, tile_pixels=2)
    ),
    "classifier": Folding(2, 4, Select(weights=STREAM)),
}
TILED_BITS = {
    "stem_weights": 16 // 4 * 8 * 75 * 8,
    "blocks.0.pattern_weights": 16 // 16 * 8 * 18 * 1,
    "blocks.0.point_weights": 16 // 2 * 8 * 2 * 8,
    "classifier_weights": 80 * 8,
}
# Pixels × weights × bits, by hand: 16 stem pixels of 8×75, 16 of the block with 4 groups, 1 of 80.
TRAFFIC_BITS = {
    "stem_weights": 16 * 8 * 75 * 8,
    "blocks.0.pattern_weights": 16 * 8 * 18 * 1,
    "blocks.0.point_weights": 16 * 8 * 2 * 8,
    "classifier_weights": 80 * 8,
}


def streamed_graph(bandwidth_bits: int | None):
    graph = residual_graph(frame_cycles=1024, foldings=FOLDINGS)
    return lower(graph, None, weight_bandwidth_bits=bandwidth_bits)


def tiled_graph(bandwidth_bits: int | None):
    graph = residual_graph(frame_cycles=1024, foldings=TILED)
    return lower(graph, None, weight_bandwidth_bits=bandwidth_bits)


# Longer than words are apart at the slowest pace, so that each source is on now and then.
def pattern(seed: int, density: float, length: int = 20_011) -> np.ndarray:
    return np.random.default_rng(seed).random(length) < density


def check_rtl(graph: Graph, plain: Graph, directory: Path) -> None:
    """Values and cycles of every stream, with and without pauses."""
    images = images_for(graph, 4).astype(np.int64)
    golden = graph.run(images)
    # Without streams: the layers' own tensors, whatever buffers stand between.
    for tensor, values in plain.run(images).items():
        if tensor in golden and golden[tensor].shape == values.shape:
            assert np.array_equal(golden[tensor], values), tensor
    output = graph.outputs[0]
    write_project(graph, directory, samples={"image": images}, golden={output: golden[output]})
    compiled = compile_project(directory)
    for gaps, stalls in (
        (None, None),
        (pattern(1, 0.5), None),
        ({"stem_weights": pattern(7, 0.3)}, None),
        (pattern(3, 0.2), pattern(4, 0.7)),
    ):
        found = compiled.run(images, source_gaps=gaps, sink_stalls=stalls, check_stable=True)
        expected = cycles.run(graph, images, source_gaps=gaps, sink_stalls=stalls)
        for tensor in graph.tensors:
            assert np.array_equal(found.values[tensor], golden[tensor]), tensor
            assert np.array_equal(found.pops[tensor], expected.pops[tensor]), tensor


# At 96 bits a cycle the memory is faster than the slowest engine, at 40 slower.
@pytest.mark.parametrize("bandwidth_bits", [None, 96, 40])
def test_values_and_cycles(bandwidth_bits, tmp_path) -> None:
    graph = streamed_graph(bandwidth_bits)
    assert weight_traffic_bits(graph) == TRAFFIC_BITS
    check_rtl(graph, residual_graph(frame_cycles=1024), tmp_path / "rtl")


# At 5 bits a cycle the memory is slower than the engines.
@pytest.mark.parametrize("bandwidth_bits", [None, 5])
def test_values_and_cycles_of_tiles(bandwidth_bits, tmp_path) -> None:
    graph = tiled_graph(bandwidth_bits)
    assert weight_traffic_bits(graph) == TILED_BITS
    kinds = [node.operator.kind for node in graph.nodes]
    assert kinds.count("tile_buffer") == 9 and kinds.count("streamed_conv") == 4
    check_rtl(graph, residual_graph(frame_cycles=1024), tmp_path / "rtl")


@pytest.mark.parametrize("bandwidth_bits", [None, 4096, 96, 40, 17, 5, 4, 1])
def test_frame_interval_of_tiles_is_that_of_engines_or_of_the_memory(bandwidth_bits) -> None:
    graph = tiled_graph(bandwidth_bits)
    engines = max(node.operator.frame_cycles(node.folding) for node in graph.nodes)
    # Nothing is read while the last block of a frame is sent: (tiles · word folds + 1) blocks.
    blocks = {
        "stem_weights": 4 * 2,
        "blocks.0.pattern_weights": 8,
        "blocks.0.point_weights": 8 * 8,
    }
    demand = sum(
        bits + bits // blocks[name] if name in blocks else bits for name, bits in TILED_BITS.items()
    )
    memory = -(-demand // bandwidth_bits) if bandwidth_bits else 0
    interval = max(engines, memory)
    assert simulate(graph).frame_interval_cycles == interval
    # Engines before the slowest one get ahead until their FIFOs are full, then all repeats.
    run = cycles.run_frames(graph, 400)
    assert set(np.diff(run.frame_ends[4:]).tolist()) == {interval}
    assert run.execution.period_cycles == interval
    if bandwidth_bits:
        for name in graph.constants:
            taken = run.pops[name]
            # No faster than its part of the bandwidth, but for the word that was waiting.
            bits = TILED_BITS[name]
            part = bits + bits // blocks[name] if name in blocks else bits
            pace = Fraction(interval * bits, part * graph.stream(name).words)
            for k in (2, 7, 60, 500):
                if k < len(taken):
                    assert (taken[k:] - taken[:-k]).min() >= math.floor((k - 1) * pace)


@pytest.mark.parametrize("bandwidth_bits", [None, 4096, 96, 77, 40, 39, 7])
def test_frame_interval_is_that_of_engines_or_of_the_memory(bandwidth_bits) -> None:
    graph = streamed_graph(bandwidth_bits)
    engines = max(node.operator.frame_cycles(node.folding) for node in graph.nodes)
    traffic = sum(TRAFFIC_BITS.values())
    memory = -(-traffic // bandwidth_bits) if bandwidth_bits else 0
    assert simulate(graph).frame_interval_cycles == max(engines, memory)
    run = cycles.run_frames(graph, 12)
    # FIFOs are sized so that the network keeps it, from the first frame that has settled on.
    assert set(np.diff(run.frame_ends[4:]).tolist()) == {max(engines, memory)}
    assert run.execution.period_cycles == max(engines, memory)
    if bandwidth_bits:
        for name, words in ((t, graph.stream(t).words) for t in graph.constants):
            taken = run.pops[name]
            # No faster than its part of the bandwidth, but for the word that was waiting.
            interval = max(engines, memory)
            for k in (2, 7, words - 1):
                if k < len(taken):
                    assert (taken[k:] - taken[:-k]).min() >= (k - 1) * interval // words


def test_weights_that_differ_are_refused() -> None:
    from sephw.errors import SephwError

    graph = streamed_graph(None)
    node = next(node for node in graph.nodes if node.name == "classifier")
    x = np.zeros((1, *node.operator.input_shapes[0]), np.int64)
    words = np.broadcast_to(graph.constants["classifier_weights"], (1, 1, 1, 80)).copy()
    node.operator.reference(x, words)
    words[0, 0, 0, 3] ^= 1
    with pytest.raises(SephwError) as error:
        node.operator.reference(x, words)
    assert str(error.value) == ("StreamedConv: input 1 brings other weights than the operator has")
