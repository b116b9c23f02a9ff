"""Every option of a folding, with every family, on every operator, as a folding file says it."""

from __future__ import annotations

import itertools
import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from sephw.errors import SephwError
from sephw.ir import Case, Family, Folding, Graph, Multipliers, Node, Tensor, WeightPlace
from sephw.ir.serialize import encode_folding
from sephw.ops import OPERATORS, Conv8, Join, PatternConv, StreamedConv
from sephw.passes import fold, stream_weights
from sephw.passes.folding_file import read_folding_file

# Streamed convolutions come of the pass: nobody names them in a file.
NAMED = [operator for operator in OPERATORS if operator is not StreamedConv]
USUAL = {f.name: f.default for f in fields(Folding)}


def smallest(operator: type) -> Case:
    """Its case of the fewest elements."""
    return min(operator.cases(), key=lambda c: sum(x[0].size for x in c.inputs))


def one_node(case: Case) -> Graph:
    operator = case.operator
    tensors, names = {}, {"in": [], "out": []}
    for stem, shapes, types in (
        ("in", operator.input_shapes, operator.input_types),
        ("out", operator.output_shapes, operator.output_types),
    ):
        for i, (shape, dtype) in enumerate(zip(shapes, types, strict=True)):
            tensors[f"{stem}{i}"] = Tensor(f"{stem}{i}", *shape, dtype)
            names[stem].append(f"{stem}{i}")
    node = Node(
        "node",
        "net.layer",
        operator,
        tuple(names["in"]),
        tuple(names["out"]),
        operator.legal_foldings()[0],
    )
    return Graph("one", (node,), tensors, node.inputs, node.outputs)


def wishes(operator) -> list[Folding]:
    lanes = [operator.legal_foldings()[0], *operator.further_foldings()]
    options = itertools.product(Multipliers, WeightPlace, (1, 2), (1, 2))
    return [
        replace(f, multipliers=m, weights=w, adder_levels=levels, tile_pixels=tile)
        for f, (m, w, levels, tile) in itertools.product(lanes, options)
    ]


def is_meant(operator, wish: Folding) -> bool:
    """What docs/engines.md says that the options are for."""
    select = wish.family is Family.SELECT
    streams = wish.weights is WeightPlace.STREAM
    pixels = operator.output_shapes[0][0] * operator.output_shapes[0][1]
    return all(
        (
            wish.multipliers is Multipliers.DSP or (isinstance(operator, Conv8 | Join) and select),
            not streams or (isinstance(operator, Conv8 | PatternConv) and select),
            wish.adder_levels == 1 or (isinstance(operator, PatternConv) and select),
            wish.tile_pixels == 1 or (streams and pixels % wish.tile_pixels == 0),
        )
    )


def read(wish: Folding, path: Path) -> Folding:
    path.write_text(json.dumps({"nodes": {"node": encode_folding(wish)}}))
    return read_folding_file(path).nodes["node"]


def make(graph: Graph, wish: Folding, path: Path) -> None:
    """Everything that an export asks of an engine."""
    folded = stream_weights(fold(graph, {"node": read(wish, path)}))
    for node in folded.nodes:
        operator, folding = node.operator, node.folding
        schedule = operator.schedule(folding)
        assert schedule.frame_cycles == operator.frame_cycles(folding)
        assert [s.words for s in operator.output_streams(folding)] == [
            int(made.sum()) for made in schedule.writes
        ]
        assert [s.words for s in operator.input_streams(folding)] == [
            int(taken.sum()) for taken in schedule.reads
        ]
        operator.memory(folding)
        operator.structure(folding, [2] * len(node.outputs), solve=False)
        assert operator.hls(folding).function and operator.rtl(folding).module


@pytest.mark.parametrize("operator", NAMED, ids=lambda o: o.__name__)
def test_every_option_is_taken_where_it_means_something(operator: type, tmp_path: Path) -> None:
    graph, path = one_node(smallest(operator)), tmp_path / "folding.json"
    (node,) = graph.nodes
    taken = 0
    for wish in wishes(node.operator):
        if is_meant(node.operator, wish):
            make(graph, wish, path)
            taken += 1
            continue
        with pytest.raises(SephwError) as error:
            make(graph, wish, path)
        # One option after the other goes as the message says, until nothing is left to refuse.
        for _ in range(4):
            message = str(error.value)
            assert message.startswith((node.where, f"folding file '{path}': node 'node': "))
            (named,) = [
                name
                for name in ("multipliers", "weights", "adder_levels", "tile_pixels")
                if f": {name}=" in message or f"unknown key '{name}'" in message
            ]
            wish = replace(wish, **{named: USUAL[named]})
            try:
                make(graph, wish, path)
                break
            except SephwError as again:
                error.value.args = again.args
        else:
            raise AssertionError(message)
    assert taken >= len(node.operator.further_foldings()) + 1


def test_the_reason_and_the_fix(tmp_path: Path) -> None:
    for operator, folding, message in (
        (
            "SlidingWindow",
            lambda o: o.parallel_folding,
            "multipliers=lut is for engines that "
            "multiply, and sliding_window does not; leave it away",
        ),
        (
            "PatternConv",
            lambda o: o.legal_foldings()[0],
            "multipliers=lut is for engines that "
            "multiply, and pattern_conv does not; leave it away",
        ),
        (
            "Conv8",
            lambda o: o.further_foldings()[0],
            "multipliers=lut is for engines that "
            "multiply, and conv8 of family adder-graph does not; leave it away",
        ),
    ):
        case = next(
            c
            for o in NAMED
            if o.__name__ == operator
            for c in o.cases()
            if folding(c.operator) is not None
        )
        wish = replace(folding(case.operator), multipliers=Multipliers.LUT)
        graph = one_node(case)
        with pytest.raises(SephwError) as error:
            make(graph, wish, tmp_path / "f.json")
        assert str(error.value) == f"{graph.nodes[0].where}: {message}"
    join = one_node(smallest(Join))
    with pytest.raises(SephwError) as error:
        fold(join, {"node": replace(join.nodes[0].folding, tile_pixels=2)})
    assert str(error.value).endswith("is for weights that are streamed; leave it away")
