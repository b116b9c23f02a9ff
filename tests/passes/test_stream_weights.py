"""Weights as further inputs of a graph: names, order, pace, files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from project_graphs import residual_graph

from sephw.errors import SephwError
from sephw.ir import Folding, Graph
from sephw.ir.pace import combined, pace_pattern
from sephw.ir.serialize import load_graph, save_graph
from sephw.ops import OPERATORS, Select, WeightPlace
from sephw.passes import (
    read_folding_file,
    stream_weights,
    weight_readers,
    weight_traffic_bits,
    write_folding_file,
)

FOLDINGS = {
    "blocks.0.pattern": Folding(2, 2, Select(weights=WeightPlace.STREAM)),
    "classifier": Folding(2, 4, Select(weights=WeightPlace.STREAM)),
}


def folded() -> Graph:
    return residual_graph(frame_cycles=1024, foldings=FOLDINGS)


def test_only_what_asks_for_it_gets_an_input() -> None:
    graph = stream_weights(folded())
    assert graph.inputs == ("image", "blocks.0.pattern_weights", "classifier_weights")
    changed = {node.name for node in graph.nodes if node.operator.kind == "streamed_conv"}
    assert changed == set(FOLDINGS)
    pattern = graph.tensors["blocks.0.pattern_weights"]
    assert (pattern.shape, str(pattern.dtype)) == ((4, 4, 8 * 18), "uint1")
    assert pattern.module == "net.blocks.0.pattern" and pattern.source_cycles == 0
    classifier = graph.tensors["classifier_weights"]
    assert (classifier.shape, str(classifier.dtype)) == ((1, 1, 80), "int8")
    # Once is enough, and a graph without streams stays as it is.
    assert stream_weights(graph).inputs == graph.inputs
    plain = residual_graph()
    assert stream_weights(plain, 8).inputs == plain.inputs and not plain.constants


def test_words_come_in_the_order_of_the_issues() -> None:
    graph = stream_weights(folded())
    weights = next(n for n in folded().nodes if n.name == "classifier").operator.matrix
    expected = [
        weights[nf * 2 + pe, sf * 4 + simd]
        for nf in range(5)
        for sf in range(2)
        for pe in range(2)
        for simd in range(4)
    ]
    assert graph.constants["classifier_weights"].tolist() == expected


def test_images_alone_are_given() -> None:
    graph = stream_weights(folded())
    images = np.random.default_rng(1).integers(0, 256, (2, 8, 8, 3))
    found, plain = graph.run(images), folded().run(images)
    assert set(found) - set(plain) == set(graph.constants)
    for tensor, values in plain.items():
        assert np.array_equal(found[tensor], values)


def test_the_pace_is_that_of_the_slowest_engine_or_of_the_memory() -> None:
    # 16 pixels of 144 weights of 1 bit, and 80 weights of 8 bits.
    traffic = {"blocks.0.pattern_weights": 2304, "classifier_weights": 640}
    graph = stream_weights(folded(), 1)
    assert weight_traffic_bits(graph) == traffic
    assert {graph.tensors[t].source_cycles for t in graph.constants} == {2944}
    slowest = max(node.operator.frame_cycles(node.folding) for node in graph.nodes)
    assert slowest < 2944
    graph = stream_weights(folded(), 1000)
    assert {graph.tensors[t].source_cycles for t in graph.constants} == {slowest}


def test_a_taken_name_is_refused() -> None:
    graph = folded()
    tensors = dict(graph.tensors)
    tensors["classifier_weights"] = replace(tensors["image"], name="classifier_weights")
    with pytest.raises(SephwError) as error:
        stream_weights(replace(graph, tensors=tensors))
    assert str(error.value) == (
        "Conv8 'net.classifier': the tensor name 'classifier_weights' is taken; rename that layer"
    )


TILED = {
    **FOLDINGS,
    "blocks.0.pattern": Folding(2, 2, Select(weights=WeightPlace.STREAM, tile_pixels=8)),
}


def tiled() -> Graph:
    return residual_graph(frame_cycles=1024, foldings=TILED)


def test_tiles_get_buffers_and_layers_keep_their_names() -> None:
    graph = stream_weights(tiled())
    assert set(graph.tensors) - set(tiled().tensors) == {
        "classifier_weights",
        "blocks.0.pattern_weights",
        "blocks.0.pattern_windows",
        "blocks.0.pattern_words",
        "blocks.0.pattern_sums",
    }
    # 16 pixels in two tiles, 8 outputs two at a time, 18 inputs each.
    shapes = {
        name.rpartition("_")[2]: tensor.shape
        for name, tensor in graph.tensors.items()
        if name.startswith("blocks.0.pattern_") and "lanes" not in name
    }
    assert shapes == {
        "weights": (2, 1, 144),
        "windows": (2, 1, 4 * 8 * 18),
        "words": (2, 1, 8 * 144),
        "sums": (2, 1, 4 * 8 * 2),
    }
    kinds = [n.operator.kind for n in graph.nodes if n.module == "net.blocks.0.pattern"]
    assert kinds[:4] == ["tile_buffer", "tile_buffer", "streamed_conv", "tile_buffer"]
    names = {name: node.name for name, node in weight_readers(graph).items()}
    assert names == {f"{name}_weights": name for name in TILED}
    # An eighth of the words.
    whole = weight_traffic_bits(stream_weights(folded()))["blocks.0.pattern_weights"]
    assert weight_traffic_bits(graph)["blocks.0.pattern_weights"] * 8 == whole
    assert stream_weights(graph).inputs == graph.inputs


def test_tiles_change_no_integers() -> None:
    images = np.random.default_rng(1).integers(0, 256, (2, 8, 8, 3))
    found, plain = stream_weights(tiled()).run(images), tiled().run(images)
    for tensor, values in plain.items():
        assert np.array_equal(found[tensor], values)


def test_the_pace_of_tiles_leaves_out_where_nothing_is_read() -> None:
    graph = stream_weights(tiled(), 1)
    # Blocks of a neuron fold: 2 tiles · 4 of 36 patterns, and as long as one of them none is read.
    demand = 9 * 36 + 640
    slowest = max(node.operator.frame_cycles(node.folding) for node in graph.nodes)
    assert slowest < demand  # so the engines wait for the memory
    tensor = graph.tensors["blocks.0.pattern_weights"]
    assert (tensor.source_beats, tensor.source_cycles) == (9 * 36 // 4, demand)
    tensor = stream_weights(tiled(), 2).tensors["blocks.0.pattern_weights"]
    assert (tensor.source_beats, tensor.source_cycles) == (9 * 36 // 4, slowest)


@pytest.mark.parametrize("foldings", [FOLDINGS, TILED], ids=["pixels", "tiles"])
def test_files_keep_it(tmp_path, foldings) -> None:
    graph = stream_weights(residual_graph(frame_cycles=1024, foldings=foldings), 1)
    paths = tmp_path / "graph.json", tmp_path / "graph.npz"
    save_graph(graph, *paths)
    again = load_graph(*paths, OPERATORS)
    assert again.tensors == graph.tensors and again.inputs == graph.inputs
    for name, values in graph.constants.items():
        assert np.array_equal(again.constants[name], values)
    write_folding_file(tmp_path / "folding.json", graph)
    read = read_folding_file(tmp_path / "folding.json")
    assert {name: read.nodes[name] for name in foldings} == foldings


@pytest.mark.parametrize(("words", "cycles"), [(1, 7), (3, 7), (6, 8), (7, 1000), (640, 2944)])
def test_a_pace_is_evenly_spread(words: int, cycles: int) -> None:
    pattern = pace_pattern(words, cycles)
    assert pattern is not None
    assert pattern.sum() * cycles == len(pattern) * words
    on = np.flatnonzero(np.tile(pattern, 3))
    for k in range(1, min(len(on), 2 * words)):
        gaps = on[k:] - on[:-k]
        assert k * cycles // words <= gaps.min() and gaps.max() <= -(-k * cycles // words)


def test_no_pace_is_always() -> None:
    assert pace_pattern(8, 8) is None and pace_pattern(8, 0) is None
    some = np.array([True, False, True])
    assert (
        combined(some, None) is some
        and combined(None, some) is some
        and combined(None, None) is None
    )
    assert combined(np.ones(5, bool), some).tolist() == [True, False, True, True, False]
