"""Every option of a folding, with every family, on every operator, as a folding file says it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from sephw.errors import SephwError
from sephw.ir import Case, Folding, Graph, Node, Tensor
from sephw.ir.folding import encode_folding
from sephw.ops import OPERATORS, Conv8, Join, Multipliers, PatternConv, StreamedConv, WeightPlace
from sephw.passes import fold, stream_weights
from sephw.passes.folding_file import read_folding_file

LOGIC = {"multipliers": "lut"}
# Streamed convolutions come of the pass: nobody names them in a file.
NAMED = [operator for operator in OPERATORS if operator is not StreamedConv]
USUAL = {"multipliers": "dsp", "weights": "chip", "adder_levels": 1, "tile_pixels": 1}


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


Wish = dict[str, str | int]


def wishes(operator) -> list[Wish]:
    """Entries of a folding file: every engine of the operator, with every option."""
    lanes = [operator.legal_foldings()[0], *operator.further_foldings()]
    options = itertools.product(Multipliers, WeightPlace, (1, 2), (1, 2))
    names = ("multipliers", "weights", "adder_levels", "tile_pixels")
    return [
        encode_folding(f) | dict(zip(names, map(plain, chosen), strict=True))
        for f, chosen in itertools.product(lanes, options)
    ]


def plain(value: str | int) -> str | int:
    return str(value) if isinstance(value, str) else value


def is_meant(operator, wish: Wish) -> bool:
    """What docs/engines.md says that the options are for."""
    select = "family" not in wish
    streams = wish["weights"] == "stream"
    pixels = operator.output_shapes[0][0] * operator.output_shapes[0][1]
    return all(
        (
            wish["multipliers"] == "dsp" or (isinstance(operator, Conv8 | Join) and select),
            not streams or (isinstance(operator, Conv8 | PatternConv) and select),
            wish["adder_levels"] == 1 or (isinstance(operator, PatternConv) and select),
            wish["tile_pixels"] == 1 or (streams and pixels % wish["tile_pixels"] == 0),
        )
    )


def read(wish: Wish, path: Path) -> Folding:
    path.write_text(json.dumps({"nodes": {"node": wish}}))
    return read_folding_file(path).nodes["node"]


def make(graph: Graph, wish: Wish, path: Path) -> None:
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
                if f": {name}=" in message
            ]
            wish = wish | {named: USUAL[named]}
            try:
                make(graph, wish, path)
                break
            except SephwError as again:
                error.value.args = again.args
        else:
            raise AssertionError(message)
    assert taken >= len(node.operator.further_foldings()) + 1


def test_the_reason_and_the_fix(tmp_path: Path) -> None:
    stream = {"weights": "stream"}
    for operator, which, option, message in (
        (
            "SlidingWindow",
            0,
            LOGIC,
            "multipliers=lut is no option of sliding_window; leave it away",
        ),
        ("MaxPool", 0, stream, "weights=stream is no option of max_pool; leave it away"),
        ("Join", 0, stream, "weights=stream is not legal; legal weights: chip"),
        (
            "PatternConv",
            0,
            LOGIC,
            "multipliers=lut is for engines that multiply, and pattern_conv does not; leave "
            "it away",
        ),
        (
            "Join",
            0,
            {"tile_pixels": 2},
            "tile_pixels=2 is for weights that are streamed; leave it away",
        ),
    ):
        graph = one_node(smallest(next(o for o in NAMED if o.__name__ == operator)))
        (node,) = graph.nodes
        legal = [node.operator.legal_foldings()[0], *node.operator.further_foldings()]
        wish = encode_folding(legal[which])
        with pytest.raises(SephwError) as error:
            make(graph, wish | option, tmp_path / "f.json")
        assert str(error.value) == f"{node.where}: {message}"
        make(graph, wish, tmp_path / "f.json")
