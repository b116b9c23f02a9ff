"""Graphs written and read: equal, the same bytes, and every refusal."""

import json
from dataclasses import replace

import numpy as np
import pytest
from small_graphs import network

from sephw.errors import SephwError
from sephw.ir import FifoMemory, Folding, IntType
from sephw.ir.serialize import graph_digest, load_graph, save_graph
from sephw.ops import OPERATORS, BitParallel, Conv8, DigitSerial
from sephw.passes import FoldingFile, fold, for_device, lower
from sephw.passes.choose_fifo_memories import with_fifos_in_blocks
from sephw.sim.timing import simulate
from sephw.targets import find_device


@pytest.fixture
def paths(tmp_path):
    return tmp_path / "graph.json", tmp_path / "graph.npz"


def wired():
    return lower(network(), FoldingFile({}, 2000))


def test_a_read_graph_is_the_written_one(paths):
    graph = wired()
    save_graph(graph, *paths)
    read = load_graph(*paths, OPERATORS)
    assert dict(read.tensors) == dict(graph.tensors)
    assert (read.name, read.inputs, read.outputs) == (graph.name, graph.inputs, graph.outputs)
    for a, b in zip(read.nodes, graph.nodes, strict=True):
        assert (a.name, a.module, a.inputs, a.outputs) == (b.name, b.module, b.inputs, b.outputs)
        assert a.folding == b.folding and type(a.operator) is type(b.operator)
    image = np.random.default_rng(1).integers(0, 256, (2, 8, 8, 3))
    expected = graph.run(image)
    for name, values in read.run(image).items():
        assert np.array_equal(values, expected[name])
    assert simulate(read) == simulate(graph)


def test_the_same_graph_gives_the_same_bytes(paths, tmp_path):
    save_graph(wired(), *paths)
    again = tmp_path / "again.json", tmp_path / "again.npz"
    save_graph(load_graph(*paths, OPERATORS), *again)
    for first, second in zip(paths, again, strict=True):
        assert first.read_bytes() == second.read_bytes()


def test_version_1_leaves_the_memories_of_fifos_open(paths):
    """It had neither the device nor the memories: they are chosen when a device is known."""
    device = find_device("ecp5-25f")
    graph = lower(network(), FoldingFile({}, 2000), device=device)
    made = {name for node in graph.nodes[:2] for name in node.outputs}
    graph = with_fifos_in_blocks(graph, device, {node.name for node in graph.nodes[:2]})
    save_graph(graph, *paths)
    now = load_graph(*paths, OPERATORS)
    assert now.device == "ecp5-25f"
    blocks = {name for name, t in now.tensors.items() if t.fifo_memory is FifoMemory.BLOCK}
    assert blocks == made
    content = json.loads(paths[0].read_text())
    del content["device"]
    for tensor in content["tensors"]:
        del tensor["fifo_memory"]
    paths[0].write_text(json.dumps({**content, "version": 1}))
    before = load_graph(*paths, OPERATORS)
    assert before.device == ""
    assert dict(before.tensors) == {
        name: replace(tensor, fifo_memory=FifoMemory.AUTO) for name, tensor in now.tensors.items()
    }
    assert for_device(before, device).device == "ecp5-25f"


def test_a_memory_that_is_none(paths):
    save_graph(network(), *paths)
    text = paths[0].read_text().replace('"fifo_memory": "auto"', '"fifo_memory": "tape"', 1)
    paths[0].write_text(text)
    with pytest.raises(SephwError, match=r"'tape' is not a valid FifoMemory.*export again"):
        load_graph(*paths, OPERATORS)


def test_a_digest_is_of_the_content(paths):
    graph = wired()
    save_graph(graph, *paths)
    assert graph_digest(load_graph(*paths, OPERATORS)) == graph_digest(graph)
    digests = {graph_digest(graph), graph_digest(replace(graph, name="other"))}
    with np.load(paths[1]) as held:
        arrays = dict(held)
    np.savez_compressed(paths[1], **arrays)  # in another container
    assert graph_digest(load_graph(*paths, OPERATORS)) == graph_digest(graph)
    arrays["stem_conv_node.weights"].flat[0] += 1
    np.savez_compressed(paths[1], **arrays)
    digests.add(graph_digest(load_graph(*paths, OPERATORS)))
    assert len(digests) == 3


@pytest.mark.parametrize("digit_bits", [0, 4])
def test_adder_families_are_kept(paths, digit_bits):
    engine = DigitSerial(digit_bits) if digit_bits else BitParallel()
    folding = Folding(pe=4, simd=36, engine=engine)
    save_graph(fold(network(), {"pattern_node": folding}, 2000), *paths)
    read = next(n for n in load_graph(*paths, OPERATORS).nodes if n.name == "pattern_node")
    assert read.folding == folding and read.folding.engine == engine
    digits = f', "digit_bits": {digit_bits}' if digit_bits else ""
    text = f'"folding": {{"pe": 4, "simd": 36, "family": "{engine.family}"{digits}}}'
    assert text in paths[0].read_text()


def test_the_json_is_for_people(paths):
    save_graph(wired(), *paths)
    text = paths[0].read_text()
    assert '"folding": {"pe": 1, "simd": 3}' in text
    assert '"dtype": "uint8"' in text
    assert max(map(len, text.splitlines())) < 300


def test_files_that_are_not_there(paths):
    with pytest.raises(SephwError) as error:
        load_graph(*paths, OPERATORS)
    assert str(error.value) == f"graph file '{paths[0]}' does not exist; check the path"
    save_graph(network(), *paths)
    paths[1].unlink()
    with pytest.raises(SephwError) as error:
        load_graph(*paths, OPERATORS)
    assert str(error.value) == f"'{paths[1]}' does not exist; it belongs to '{paths[0]}'"


def test_a_file_of_another_kind_or_version(paths):
    save_graph(network(), *paths)
    content = json.loads(paths[0].read_text())
    for text, message in (
        (
            "{",
            f"graph file '{paths[0]}' is not JSON: line 1, column 2: Expecting property name "
            "enclosed in double quotes; export again",
        ),
        ("[]", f"graph file '{paths[0]}' is not a JSON object; export again"),
        ("{}", f"'{paths[0]}' is not a graph file of sephw; give the graph.json of an export"),
        (
            json.dumps({**content, "version": 9}),
            f"graph file '{paths[0]}' has version 9, this sephw reads 1 and 2; export again",
        ),
    ):
        paths[0].write_text(text)
        with pytest.raises(SephwError) as error:
            load_graph(*paths, OPERATORS)
        assert str(error.value) == message


def test_an_archive_that_is_broken_or_incomplete(paths):
    save_graph(network(), *paths)
    whole = paths[1].read_bytes()
    paths[1].write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SephwError) as error:
        load_graph(*paths, OPERATORS)
    assert (
        str(error.value)
        == f"'{paths[1]}': not a readable zip (File is not a zip file); export again"
    )
    np.savez(paths[1], nothing=np.zeros(1, np.int8))
    with pytest.raises(SephwError) as error:
        load_graph(*paths, OPERATORS)
    assert str(error.value) == (
        f"'{paths[0]}' is not a complete graph (KeyError: 'stem_conv_node.weights'); export again"
    )


def test_an_unknown_operator(paths):
    save_graph(network(), *paths)
    with pytest.raises(SephwError) as error:
        load_graph(*paths, [Conv8])
    assert str(error.value) == (
        "graph: node 'image_window3_node' has the unknown operator 'sliding_window'; "
        "known operators: conv8"
    )


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 0, "uint1"),
        (0, 1, "uint1"),
        (0, 255, "uint8"),
        (0, 256, "uint9"),
        (-1, 0, "int1"),
        (-1, 1, "int2"),
        (-128, 127, "int8"),
        (-129, 0, "int9"),
        (-1, 128, "int9"),
        (5, 7, "uint3"),
    ],
)
def test_covering_is_the_narrowest_type(low, high, expected):
    dtype = IntType.covering(low, high)
    assert str(dtype) == expected
    assert dtype.min <= low and high <= dtype.max
