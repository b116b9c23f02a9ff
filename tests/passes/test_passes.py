"""Folding, forks and width converters on small networks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_graphs import BYTE, GraphBuilder, chain, network

from sephw.errors import SephwError, UsageError
from sephw.ir import Folding, Graph, IntType, Node
from sephw.ops import Conv8, Fork, Join, SlidingWindow, WidthConverter
from sephw.passes import fold, insert_forks, insert_width_converters


def images(graph: Graph) -> np.ndarray:
    shape = graph.tensors[graph.inputs[0]].shape
    return np.random.default_rng(3).integers(0, 256, (2, *shape), np.int64)


def by_name(graph: Graph, name: str) -> Node:
    return next(n for n in graph.nodes if n.name == name)


def all_passes(graph: Graph, foldings=None, frame_cycles=2000) -> Graph:
    folded = fold(graph, foldings or {}, frame_cycles)
    return insert_width_converters(insert_forks(folded))


def test_fold_picks_the_smallest_folding_within_the_budget():
    folded = fold(network(), {}, 2000)
    for node in folded.nodes:
        cycles = node.operator.frame_cycles(node.folding)
        legal = node.operator.legal_foldings()
        smaller = [f for f in legal if f.pe * f.simd < node.folding.pe * node.folding.simd]
        assert cycles <= 2000
        if not isinstance(node.operator, SlidingWindow):
            assert all(node.operator.frame_cycles(f) > 2000 for f in smaller)


def test_fold_takes_the_fastest_where_none_is_fast_enough():
    node = by_name(fold(network(), {}, 1), "recover_node")
    assert node.folding == Folding(pe=8, simd=4)


def test_a_sliding_window_takes_the_lanes_of_its_convolution():
    folded = fold(chain(), {"pattern_node": Folding(pe=4, simd=1)}, 2000)
    assert by_name(folded, "image_window3_node").folding == Folding(pe=1, simd=1)
    folded = fold(chain(), {"pattern_node": Folding(pe=1, simd=2)}, 32768)
    assert by_name(folded, "image_window3_node").folding == Folding(pe=2, simd=2)


def test_a_sliding_window_that_would_miss_the_budget_folds_for_itself():
    # One neuron fold: the convolution takes 648 cycles, its window 648 and the fill.
    foldings = {"pattern_node": Folding(pe=4, simd=1)}
    graph = chain()
    conv = graph.nodes[1].operator.frame_cycles(foldings["pattern_node"])
    window = graph.nodes[0].operator.frame_cycles(Folding(pe=1, simd=1))
    assert conv < window
    folded = fold(graph, foldings, (conv + window) // 2)
    assert by_name(folded, "image_window3_node").folding == Folding(pe=2, simd=2)


@pytest.mark.parametrize(
    ("foldings", "frame_cycles", "kind", "message"),
    [
        (
            {"patern_node": Folding(1, 1)},
            100,
            UsageError,
            "folding: the graph has no node 'patern_node'; close names: 'pattern_node', "
            "'map_node'; graph.json lists them all",
        ),
        (
            {"pattern_node": Folding(pe=3, simd=1)},
            100,
            SephwError,
            "PatternConv 'net.pattern': pe=3 is not legal; legal pe: 1, 2, 4",
        ),
        (
            {"pattern_node": Folding(pe=2, simd=4)},
            100,
            SephwError,
            "PatternConv 'net.pattern': simd=4 is not legal; legal simd: 1, 2",
        ),
        (
            {"map_node": Folding(pe=2, simd=4)},
            100,
            SephwError,
            "Join 'net.map': pe=2 does not go with simd=4; legal simd for this pe: 2",
        ),
        ({}, 0, UsageError, "folding: frame_cycles=0; it must be at least 1"),
    ],
)
def test_fold_refuses(foldings, frame_cycles, kind, message):
    with pytest.raises(kind) as error:
        fold(chain(), foldings, frame_cycles)
    assert str(error.value) == message


@settings(max_examples=25, deadline=None)
@given(st.integers(100, 20000), st.randoms(use_true_random=False))
def test_passes_change_no_value_and_leave_matching_streams(frame_cycles, random):
    graph = network()
    named = random.sample(graph.nodes, 4)
    foldings = {n.name: random.choice(n.operator.legal_foldings()) for n in named}
    wired = all_passes(graph, foldings, frame_cycles)
    x = images(graph)
    expected, found = graph.run(x), wired.run(x)
    for name, values in expected.items():
        assert np.array_equal(found[name], values)
        assert wired.tensors[name] == graph.tensors[name]
    assert wired.outputs == graph.outputs
    for name in wired.tensors:
        assert len(wired.consumers(name)) + wired.outputs.count(name) == 1
    for node in wired.nodes:
        streams = node.operator.input_streams(node.folding)
        for name, stream in zip(node.inputs, streams, strict=True):
            assert stream == wired.stream(name)
    assert wired.stream("image").lanes == 3


def test_forks_name_their_copies_and_keep_the_module():
    forked = insert_forks(network())
    fork = by_name(forked, "stem_fork")
    assert fork.outputs == ("stem_copy0", "stem_copy1")
    assert fork.module == forked.tensors["stem_copy1"].module == "net.stem"
    assert by_name(forked, "reduce_node").inputs == ("stem_copy0",)
    assert by_name(forked, "module_node").inputs == ("recover", "stem_copy1")


@pytest.mark.parametrize("count", [2, 3, 4, 5, 7, 8, 10, 11])
def test_any_number_of_readers(count):
    b = GraphBuilder("fan")
    x = b.input("image", 2, 2, 4)
    joined = [b.join(f"j{i}", x, shift=6) for i in range(count - 1)]
    while len(joined) > 1:
        last = min(4, len(joined))
        joined = [*joined[last:], b.join(f"all{len(b.nodes)}", *joined[:last], shift=6)]
    out = b.join("out", joined[0], x, shift=8)
    graph = b.build(x, out)
    wired = insert_width_converters(insert_forks(graph))
    image = images(graph)
    assert np.array_equal(wired.run(image)["out"], graph.run(image)["out"])
    forks = [n.operator for n in wired.nodes if isinstance(n.operator, Fork)]
    assert sum(f.copies - 1 for f in forks) == count - 1
    assert next(n.folding for n in wired.nodes if isinstance(n.operator, Fork)) == Folding(4, 4)


def test_a_graph_output_that_is_read_as_well_is_forked():
    b = GraphBuilder("tap")
    x = b.input("image", 2, 2, 4)
    first = b.join("first", x, shift=6)
    b.join("second", first, shift=6)
    graph = replace(b.build(x, first), outputs=("first", "second"))
    forked = insert_forks(graph)
    assert forked.outputs == ("first_copy1", "second")
    image = images(graph)
    assert np.array_equal(forked.run(image)["first_copy1"], graph.run(image)["first"])


def test_converters_meet_at_the_greatest_common_divisor():
    b = GraphBuilder("gcd")
    x = b.input("image", 2, 2, 12)
    graph = b.build(x, b.join("b", b.join("a", x, shift=6), shift=6))
    folded = fold(graph, {"a_node": Folding(4, 4), "b_node": Folding(6, 6)}, 100)
    wired = insert_width_converters(folded)
    lanes = [
        (n.operator.lanes_in, n.operator.lanes_out)
        for n in wired.nodes
        if isinstance(n.operator, WidthConverter)
    ]
    assert lanes == [(12, 4), (4, 2), (2, 6)]
    assert by_name(wired, "b_node").inputs == ("a_lanes2_lanes6",)


def test_converters_want_forks_first():
    with pytest.raises(SephwError) as error:
        insert_width_converters(network())
    assert str(error.value) == "graph: tensor 'stem' has several readers; insert forks first"


def test_validate_names_the_module_of_the_wrong_node():
    graph = chain()
    tensors = {**graph.tensors, "pattern": replace(graph.tensors["pattern"], channels=9)}
    with pytest.raises(SephwError) as error:
        graph.with_nodes(graph.nodes, tensors).validate()
    dtype = graph.tensors["pattern"].dtype
    assert str(error.value) == (
        f"PatternConv 'net.pattern': tensor 'pattern' is {dtype} (6, 6, 9), "
        f"its operator says {dtype} (6, 6, 8)"
    )


def test_a_pass_knows_operators_by_their_interface_only():
    # Join and Conv8 fold by the same rule although one has lanes only.
    b = GraphBuilder("two")
    x = b.input("image", 4, 4, 8)
    conv = b.conv("conv", x, 8)
    graph = b.build(x, b.join("join", conv, shift=10))
    folded = fold(graph, {}, 64)
    assert isinstance(folded.nodes[0].operator, Conv8) and isinstance(
        folded.nodes[1].operator, Join
    )
    assert folded.nodes[0].folding == Folding(pe=2, simd=8)
    assert folded.nodes[1].folding == Folding(pe=2, simd=2)
    assert folded.tensors["image"].dtype == BYTE == IntType(8, False)
