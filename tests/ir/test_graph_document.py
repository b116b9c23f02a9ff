"""docs/graph.md against what is written: a reader that knows only the document."""

import ast
import json
import re
from dataclasses import fields, replace
from pathlib import Path

import independent_graph as document
import numpy as np
import pytest
from every_operator import every_operator
from shipped import shipped
from small_graphs import network

from sephw.ir import Folding, Tensor
from sephw.ir.serialize import VERSION, save_graph
from sephw.ops import OPERATORS, Select, WeightPlace
from sephw.passes import FoldingFile, lower
from sephw.targets import find_device

DOCUMENT = Path(__file__).parents[2] / "docs" / "graph.md"
STREAMED = Select(weights=WeightPlace.STREAM)


def streamed():
    foldings = {"point_node": Folding(1, 2, STREAMED), "pattern_node": Folding(2, 1, STREAMED)}
    return lower(network(), FoldingFile(foldings, 2000), weight_bandwidth_bits=8)


def tiny():
    folding = FoldingFile({}, 40_000)
    return lower(shipped("mnist5k-tiny")[1], folding, device=find_device("ice40-up5k"))


@pytest.fixture
def paths(tmp_path):
    return tmp_path / "graph.json", tmp_path / "graph.npz"


@pytest.mark.parametrize("make", [every_operator, streamed, tiny])
def test_another_reader_computes_the_same_integers(make, paths):
    graph = make()
    save_graph(graph, *paths)
    read = document.read(*paths)
    image = graph.tensors[graph.inputs[0]]
    shape = (2, *image.shape)
    images = np.random.default_rng(4).integers(0, image.dtype.max + 1, shape, np.int64)
    expected, found = graph.run(images), document.evaluate(read, images)
    assert set(found) == set(expected) == set(read.tensors)
    for name, values in expected.items():
        assert np.array_equal(found[name], values), name


def test_the_other_reader_knows_nothing_of_the_package():
    tree = ast.parse(Path(document.__file__).read_text("utf-8"))
    modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    modules |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert {(m or ".").split(".")[0] for m in modules} == {
        *("__future__", "dataclasses", "json", "math", "numpy", "pathlib", "re", "typing")
    }


def table(title: str) -> list[list[str]]:
    """The rows of the table behind a heading, cell by cell."""
    text = DOCUMENT.read_text("utf-8").split(f"# {title}\n", 1)[1]
    text = re.search(r"(?:^\|.*\n)+", text, re.M)[0]
    return [[c.strip() for c in row.strip("|").split("|")] for row in text.splitlines()[2:]]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_document_names_every_key_operator_and_field(paths):
    save_graph(streamed(), *paths)
    content = json.loads(paths[0].read_text())
    assert [key for row in table("graph.json") for key in words(row[0])] == list(content)
    nodes = {key for row in table("A node") for key in words(row[0])}
    assert nodes == set(content["nodes"][0]) == document.NODE
    tensors = {key for row in table("A tensor") for key in words(row[0])}
    assert tensors == {f.name for f in fields(Tensor)} == document.TENSOR | document.PACE
    documented: dict[str, set[str]] = {}
    for row in table("Operators"):
        for operator in words(row[0]):
            documented[operator] = set(words(row[1]))
    documented["pattern_conv"] = documented["conv8"] - {"weights"} | {"patterns"}
    documented["streamed_conv"] |= documented["conv8"]
    documented["streamed_conv"] -= {"conv8"}
    assert documented == {o.kind: {f.name for f in fields(o)} for o in OPERATORS}
    assert documented == {operator: set(names) for operator, names in document.FIELDS.items()}
    assert int(table("Versions")[0][0]) == VERSION


def test_the_document_names_every_option_of_a_folding():
    options = {"pe", "simd", "family"}
    for operator in OPERATORS:
        for case in operator.cases():
            for variant in case.operator.variants:
                options |= {option.name for option in fields(variant)}
    text = DOCUMENT.read_text("utf-8")
    folding = text[text.index("A **folding**") : text.index("### A tensor")]
    assert set(re.findall(r"^\| `(\w+)`", folding, re.M)) == options == set(document.FOLDING)


def broken(graph, content):
    """(what is done to graph.json, what the reader says)."""
    inner = next(n for n in content["nodes"] if n["operator"] == "join")
    fork = next(n for n in content["nodes"] if n["operator"] == "fork")
    tensors = {t["name"]: t for t in content["tensors"]}
    made = tensors[inner["outputs"][0]]
    copy = tensors[fork["outputs"][0]]
    yield lambda: content.update(version=3), "version"
    yield lambda: content.update(more=1), "keys"
    yield lambda: content["nodes"].reverse(), "before it is made"
    yield lambda: content["nodes"].append(dict(inner)), "two nodes"
    yield lambda: content["tensors"].append(dict(made)), "two tensors"
    yield lambda: content["outputs"].append(made["name"]), "2 readers"
    yield lambda: made.update(height=made["height"] + 1), "outputs"
    yield lambda: made.update(dtype="uint7"), "type of"
    yield lambda: made.update(fifo_memory="tape"), "fifo_memory"
    yield lambda: made.update(fifo_depth=0), "fifo_depth"
    yield lambda: made.update(source_beats=1, source_cycles=2), "pace"
    yield lambda: copy.update(fifo_memory="block"), "memories"
    yield lambda: inner["folding"].update(pe=inner["folding"]["pe"] + 1), "lanes"
    yield lambda: inner["folding"].update(digits=1), "folding"
    yield lambda: inner["fields"].pop("shift"), "fields"
    yield lambda: inner["fields"].update(bias={"array": f"{inner['name']}.shifts"}), "bias"


def test_every_invariant_is_checked(paths):
    graph = lower(network(), FoldingFile({}, 2000))
    save_graph(graph, *paths)
    whole = paths[0].read_text()
    document.read(*paths)
    count = sum(1 for _ in broken(graph, json.loads(whole)))
    for number in range(count):
        content = json.loads(whole)
        change, reason = list(broken(graph, content))[number]
        change()
        paths[0].write_text(json.dumps(content))
        with pytest.raises(document.WrongGraphError, match=reason):
            document.read(*paths)


def test_blocks_are_read(paths):
    graph = lower(network(), FoldingFile({}, 2000))
    (first, *_) = graph.nodes
    name = first.outputs[0]
    tensors = {**graph.tensors, name: replace(graph.tensors[name], fifo_memory="block")}
    save_graph(replace(graph, tensors=tensors), *paths)
    assert document.read(*paths).tensors[name]["fifo_memory"] == "block"
