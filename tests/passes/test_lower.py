"""The one sequence of passes, its stages, and that nobody types it out again."""

import ast
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from small_graphs import chain, network

from sephw.errors import SephwError
from sephw.ir import FifoMemory, Folding
from sephw.ops import Fork, Select, WeightPlace, WidthConverter
from sephw.passes import (
    FoldingFile,
    LoweringStage,
    choose_fifo_memories,
    fold,
    insert_forks,
    insert_width_converters,
    lower,
    stream_weights,
)
from sephw.passes.lower import PASSES
from sephw.sim.timing import size_fifos
from sephw.targets import find_device

ROOT = Path(__file__).parents[2]
DEVICE = find_device("ecp5-25f")
STREAMED = {"point_node": Folding(1, 2, Select(weights=WeightPlace.STREAM))}


def described(graph):
    """All of a graph but what operators hold."""
    nodes = [
        (n.name, n.module, n.operator.kind, n.inputs, n.outputs, n.folding) for n in graph.nodes
    ]
    return nodes, dict(graph.tensors), graph.inputs, graph.outputs, graph.device


def by_hand():
    """The graph after each pass, in order."""
    yield (graph := fold(network(), STREAMED, 900))
    yield (graph := insert_forks(graph))
    yield (graph := insert_width_converters(graph))
    yield (graph := stream_weights(graph, 8))
    yield (graph := size_fifos(graph))
    yield choose_fifo_memories(graph, DEVICE)


def test_a_stage_is_what_its_passes_make_one_after_the_other():
    folding = FoldingFile(STREAMED, 900)
    expected = [described(graph) for graph in by_hand()]
    found = [
        described(lower(network(), folding, weight_bandwidth_bits=8, device=DEVICE, until=stage))
        for stage in LoweringStage
    ]
    assert found == expected
    assert all(one != other for one, other in pairwise(found))
    assert described(lower(network(), folding, weight_bandwidth_bits=8, device=DEVICE)) == found[-1]


def test_without_a_device_synthesis_chooses_the_memories():
    graph = lower(network(), FoldingFile({}, 900))
    assert graph.device == ""
    assert {tensor.fifo_memory for tensor in graph.tensors.values()} == {FifoMemory.AUTO}


def test_every_stage_is_one_pass_in_the_order_of_the_stages():
    assert [stage for stage, _ in PASSES] == list(LoweringStage)


def test_without_a_folding_the_graph_stays_as_it_is_folded():
    folded = fold(network(), {}, 300)
    kinds = (Fork, WidthConverter)
    kept = [n.folding for n in lower(folded, None).nodes if not isinstance(n.operator, kinds)]
    assert kept == [n.folding for n in folded.nodes]


def test_lowering_again_changes_nothing():
    once = lower(network(), FoldingFile(STREAMED, 900), weight_bandwidth_bits=8)
    assert described(lower(once, None, weight_bandwidth_bits=8)) == described(once)


def test_given_depths_replace_found_ones_and_those_that_deadlock_are_refused():
    found = lower(network(), FoldingFile({}, 900))
    skip = max(found.tensors.values(), key=lambda t: t.fifo_depth * ("copy" in t.name))
    deep = lower(network(), FoldingFile({}, 900, {skip.name: skip.fifo_depth + 5}))
    assert deep.tensors[skip.name] == replace(skip, fifo_depth=skip.fifo_depth + 5)
    with pytest.raises(SephwError) as error:
        lower(network(), FoldingFile({}, 900, {skip.name: 1}))
    assert skip.name in str(error.value)


def test_schedules_that_are_given_size_the_fifos():
    def late(node):
        """As the operators' own, but window engines take 50 cycles more."""
        plan = node.operator.schedule(node.folding)
        return replace(plan, latency_cycles=plan.latency_cycles + 50 * ("window" in node.name))

    usual, later = (
        lower(chain(4), FoldingFile({}, 100)),
        lower(chain(4), FoldingFile({}, 100), schedule_of=late),
    )
    name = "image_window3"
    assert later.tensors[name].fifo_depth > usual.tensors[name].fifo_depth
    assert (
        replace(later.tensors[name], fifo_depth=usual.tensors[name].fifo_depth)
        == (usual.tensors[name])
    )


def test_only_lower_calls_the_passes_between_folding_and_sizing():
    """Elsewhere the sequence would be typed out again, with a pass missing some day."""
    passes = {"insert_forks", "insert_width_converters", "stream_weights", "set_fifo_depths"}
    home = ROOT / "sephw" / "passes"
    callers = []
    for folder in ("sephw", "sim", "reports", "benchmarks", "examples", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if home in path.parents or ROOT / "tests" / "passes" in path.parents:
                continue
            tree = ast.walk(ast.parse(path.read_text("utf-8")))
            called = [node.func for node in tree if isinstance(node, ast.Call)]
            names = {f.id if isinstance(f, ast.Name) else getattr(f, "attr", "") for f in called}
            callers += [str(path.relative_to(ROOT))] if names & passes else []
    assert callers == []
