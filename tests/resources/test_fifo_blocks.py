"""All engines of a graph: which output FIFOs go to block RAM, by costs checked by hand."""

import sys
from collections.abc import Mapping
from dataclasses import replace

import pytest
from fake_estimates import Guess
from small_graphs import chain, network

from sephw.errors import SephwError
from sephw.ir import FifoMemory
from sephw.ir.resources import Resources
from sephw.passes import FoldingFile, choose_fifo_memories, for_device, lower
from sephw.passes.choose_fifo_memories import with_fifos_in_blocks
from sephw.resources import estimate_engines, plan_fifo_memories
from sephw.targets import find_device

ECP5 = find_device("ecp5-25f")  # 24,288 LUTs, 56 block RAMs


def model(luts: Mapping[str, tuple[int, int, int]], used_brams: int = 0):
    """By output tensor: (LUTs, LUTs with FIFOs in blocks, blocks of these); others take nothing."""
    graph = chain(4)
    by_depth = {}
    tensors = dict(graph.tensors)
    for depth, name in enumerate(luts, 100):
        tensors[name] = type(tensors[name])(**{**vars(tensors[name]), "fifo_depth": depth})
        by_depth[depth] = luts[name]
    graph = graph.with_nodes(graph.nodes, tensors)

    def estimator(operator, folding, depths, technology, *, solve=False, fifos_in_blocks=False):
        outside, inside, blocks = by_depth.get(depths[0], (0, 0, 0))
        first = operator is graph.nodes[0].operator
        bram = (used_brams if first else 0) + (blocks if fifos_in_blocks else 0)
        return Guess(Resources(inside if fifos_in_blocks else outside, 0, bram, 0))

    return graph, estimator


def chosen(graph, estimator, device=ECP5):
    found = plan_fifo_memories(graph, device, solve=lambda node: False, estimator=estimator)
    total = sum((cost.resources for cost in found.costs.values()), Resources())
    # What the plan counts is what the graph takes that has its FIFOs so.
    planned = with_fifos_in_blocks(graph, device, found.fifos_in_blocks)
    costs = estimate_engines(planned, device, solve=lambda node: False, estimator=estimator)
    assert {name: cost.resources for name, cost in costs.items()} == {
        name: cost.resources for name, cost in found.costs.items()
    }
    plain = estimate_engines(graph, device, solve=lambda node: False, estimator=estimator)
    before = sum((cost.resources for cost in plain.values()), Resources())
    assert before.minus(total) == found.saved
    return {node.outputs[0] for node in graph.nodes if node.name in found.fifos_in_blocks}, total


def outputs(count: int) -> list[str]:
    return [node.outputs[0] for node in chain(4).nodes][:count]


def test_what_saves_most_luts_per_block_goes_first_until_half_of_the_luts_are_free():
    a, b, c = outputs(3)
    # 16,000 LUTs are 66 %. b saves 1,000 a block, c 500, a 400; half are 12,144.
    graph, estimator = model({a: (6000, 4400, 4), b: (5000, 2000, 3), c: (5000, 3000, 4)})
    assert chosen(graph, estimator) == ({b, c}, Resources(11_000, 0, 7, 0))


def test_an_uncrowded_design_stays_as_it_is():
    a, b = outputs(2)
    graph, estimator = model({a: (6000, 4400, 4), b: (6000, 2000, 3)})
    assert chosen(graph, estimator) == (set(), Resources(12_000))


def test_four_fifths_of_the_blocks_are_the_most():
    a, b = outputs(2)
    # 94 % of the LUTs; 44 blocks are 78.6 % of 56, 45 are 80.4 %.
    graph, estimator = model({a: (11_500, 11_000, 1), b: (11_500, 10_000, 2)}, used_brams=43)
    assert chosen(graph, estimator) == ({a}, Resources(22_500, 0, 44, 0))


def test_fifos_that_save_nothing_stay():
    a, b = outputs(2)
    graph, estimator = model({a: (10_000, 10_000, 1), b: (10_000, 9_000, 0)})
    assert chosen(graph, estimator) == (set(), Resources(20_000))


@pytest.mark.parametrize("name", ["ice40-hx8k", "xc7z020"])
def test_other_technologies_place_their_fifos_themselves(name):
    device = find_device(name)
    (a,) = outputs(1)
    graph, estimator = model({a: (device.available.lut, 1, 1)})
    assert chosen(graph, estimator, device) == (set(), Resources(device.available.lut))
    assert memories(choose_fifo_memories(graph, device)) == {FifoMemory.AUTO}


def memories(graph) -> set[FifoMemory]:
    return {tensor.fifo_memory for tensor in graph.tensors.values()}


def test_what_was_chosen_for_a_device_stays(monkeypatch):
    """Other coefficients are for graphs to come: those that were lowered keep their netlists."""
    graph = choose_fifo_memories(chain(4), ECP5)
    assert graph.device == ECP5.name and memories(graph) == {FifoMemory.AUTO}
    (node, *_) = graph.nodes
    moved = with_fifos_in_blocks(graph, ECP5, {node.name})
    assert {n for n, t in moved.tensors.items() if t.fifo_memory is FifoMemory.BLOCK} == set(
        node.outputs
    )
    module = sys.modules["sephw.passes.choose_fifo_memories"]
    monkeypatch.setattr(module, "plan_fifo_memories", None)
    assert for_device(moved, ECP5) is moved
    other = for_device(moved, find_device("xc7z020"))
    assert (other.device, memories(other)) == ("xc7z020", {FifoMemory.AUTO})


def test_outputs_of_one_engine_have_one_memory():
    graph = lower(network(4), FoldingFile())
    fork = next(node for node in graph.nodes if len(node.outputs) > 1)
    first = fork.outputs[0]
    tensors = {**graph.tensors, first: replace(graph.tensors[first], fifo_memory=FifoMemory.BLOCK)}
    with pytest.raises(SephwError, match="give all of them one fifo_memory"):
        replace(graph, tensors=tensors).validate()
    blocks = with_fifos_in_blocks(graph, ECP5, {fork.name})
    blocks.validate()
