"""The folding file: round trip and every refusal."""

import json
from dataclasses import replace

import pytest
from small_graphs import chain

from sephw.errors import SephwError, UsageError
from sephw.ir import Folding
from sephw.ops import BitParallel, DigitSerial, Select, WeightPlace
from sephw.passes import FoldingFile, fold, read_folding_file, write_folding_file


def test_round_trip(tmp_path):
    graph = fold(chain(), {}, 1000)
    path = tmp_path / "folding.json"
    write_folding_file(path, graph, 1000)
    read = read_folding_file(path)
    assert read.frame_cycles == 1000
    assert read.nodes == {n.name: n.folding for n in graph.nodes}
    again = fold(chain(), read.nodes, read.frame_cycles)
    assert [n.folding for n in again.nodes] == [n.folding for n in graph.nodes]


def test_every_key_may_be_left_out(tmp_path):
    path = tmp_path / "folding.json"
    path.write_text("{}")
    assert read_folding_file(path) == FoldingFile({}, 32768)
    path.write_text('{"nodes": {"a": {"pe": 2, "simd": 4}}}')
    assert read_folding_file(path).nodes == {"a": Folding(pe=2, simd=4)}
    path.write_text('{"fifos": {"a": 7}}')
    assert read_folding_file(path).fifos == {"a": 7}


ADDERS = Folding(engine=BitParallel())
DIGITS = Folding(engine=DigitSerial(2))


@pytest.mark.parametrize("folding", [ADDERS, DIGITS], ids=str)
def test_adder_families(tmp_path, folding):
    """Lanes may be left out; they are all there are. The window before it follows."""
    path = tmp_path / "folding.json"
    path.write_text(json.dumps({"nodes": {"pattern_node": folding.engine.encode()}}))
    read = read_folding_file(path)
    assert read.nodes == {"pattern_node": folding}
    graph = fold(chain(), read.nodes, 100)
    window, pattern, _ = graph.nodes
    assert pattern.folding == replace(folding, pe=8, simd=36)
    assert window.folding == Folding(pe=36, simd=4)
    write_folding_file(path, graph, 100)
    assert read_folding_file(path).nodes == {n.name: n.folding for n in graph.nodes}
    again = fold(chain(), read_folding_file(path).nodes, 100)
    assert [n.folding for n in again.nodes] == [n.folding for n in graph.nodes]


@pytest.mark.parametrize(
    ("node", "folding", "message"),
    [
        (
            "pattern_node",
            Folding(engine=DigitSerial(3)),
            "PatternConv 'net.pattern': digit_bits=3 is not legal; legal digit_bits: 1, 2, 4, 8",
        ),
        (
            "pattern_node",
            replace(ADDERS, pe=4, simd=36),
            "PatternConv 'net.pattern': pe=4 is not legal; legal pe: 8",
        ),
        (
            "pattern_node",
            replace(ADDERS, pe=8),
            "PatternConv 'net.pattern': simd=0 is not legal; legal simd: 36",
        ),
        (
            "pattern_node",
            Folding(1, 1, Select(adder_levels=3)),
            "PatternConv 'net.pattern': adder_levels=3 is not legal; legal adder_levels: 1, 2",
        ),
        (
            "pattern_node",
            Folding(1, 1, Select(weights=WeightPlace.STREAM, tile_pixels=5)),
            "PatternConv 'net.pattern': tile_pixels=5 is not legal; legal tile_pixels: 1, 2, 3, 4, "
            "6, 9, 12, 18, 36",
        ),
        (
            "pattern_node",
            Folding(1, 1, Select(tile_pixels=2)),
            "PatternConv 'net.pattern': tile_pixels=2 is for weights that are streamed; give "
            "weights=stream or leave it away",
        ),
        (
            "map_node",
            Folding(1, 1, Select(adder_levels=2)),
            "Join 'net.map': adder_levels=2 is not legal; legal adder_levels: 1",
        ),
        (
            "map_node",
            Folding(1, 1, Select(weights=WeightPlace.STREAM)),
            "Join 'net.map': weights=stream is not legal; legal weights: chip",
        ),
        (
            "map_node",
            ADDERS,
            "Join 'net.map': family=adder-graph is not legal; legal family: select",
        ),
    ],
)
def test_illegal_families(node, folding, message):
    with pytest.raises(SephwError) as error:
        fold(chain(), {node: folding}, 100)
    assert str(error.value) == message


KEYS = "'adder_levels', 'family', 'multipliers', 'pe', 'simd', 'tile_pixels', 'weights'"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{",
            "is not JSON: line 1, column 2: Expecting property name enclosed in double quotes; "
            "see docs/engines.md",
        ),
        ("[]", "is not a JSON object; see docs/engines.md"),
        ('{"node": {}}', ": unknown key 'node'; known keys: 'fifos', 'frame_cycles', 'nodes'"),
        ('{"nodes": 3}', ": 'nodes' must be an object of node names"),
        ('{"nodes": {"a": 3}}', f": node 'a': not an object with the keys {KEYS}"),
        ('{"nodes": {"a": {"pe": 1}}}', ": node 'a': the key 'simd' is missing"),
        (
            '{"nodes": {"a": {"pe": 0, "simd": 1}}}',
            ": node 'a': pe=0; it must be a whole number from 1",
        ),
        (
            '{"nodes": {"a": {"family": "adders"}}}',
            ": node 'a': family=\"adders\"; families are select, adder-graph, digit-serial",
        ),
        (
            '{"nodes": {"a": {"pe": 1, "simd": 1, "digit_bits": 1}}}',
            ": node 'a': digit_bits=1 is an option of family digit-serial, not of select; leave it "
            "away, or give family=digit-serial",
        ),
        (
            '{"nodes": {"a": {"family": "adder-graph", "digit_bits": 1}}}',
            ": node 'a': digit_bits=1 is an option of family digit-serial, not of adder-graph; "
            "leave it away, or give family=digit-serial",
        ),
        (
            '{"nodes": {"a": {"family": "digit-serial", "digit_bits": 1, "adder_levels": 2}}}',
            ": node 'a': adder_levels=2 is an option of family select, not of digit-serial; leave "
            "it away, or give family=select with pe and simd",
        ),
        (
            '{"nodes": {"a": {"family": "adder-graph", "tile_pixels": 2}}}',
            ": node 'a': tile_pixels=2 is an option of family select, not of adder-graph; leave it "
            "away, or give family=select with pe and simd",
        ),
        (
            '{"nodes": {"a": {"family": "adder-graph", "weights": "stream"}}}',
            ": node 'a': weights=\"stream\" is an option of family select, not of adder-graph; "
            "leave it away, or give family=select with pe and simd",
        ),
        (
            '{"nodes": {"a": {"family": "adder-graph", "multipliers": "lut"}}}',
            ": node 'a': multipliers=\"lut\" is an option of family select, not of adder-graph; "
            "leave it away, or give family=select with pe and simd",
        ),
        (
            '{"nodes": {"a": {"family": "adder-graph", "digits": 1}}}',
            ": node 'a': unknown key 'digits'; known keys: 'family', 'pe', 'simd'",
        ),
        (
            '{"nodes": {"a": {"pe": 1, "simd": 1, "multipliers": 3}}}',
            ": node 'a': multipliers=3 is not legal; legal multipliers: dsp, lut",
        ),
        (
            '{"nodes": {"a": {"pe": 1, "simd": 1, "tile_pixels": true}}}',
            ": node 'a': tile_pixels=true; it must be a whole number from 1",
        ),
        (
            '{"nodes": {"a": {"pe": 1, "simd": 1, "adder_levels": 0}}}',
            ": node 'a': adder_levels=0; it must be a whole number from 1",
        ),
        (
            '{"nodes": {"a": {"family": "digit-serial"}}}',
            ": node 'a': the key 'digit_bits' is missing",
        ),
        (
            '{"nodes": {"a": {"family": "digit-serial", "digit_bits": 0}}}',
            ": node 'a': digit_bits=0; it must be a whole number from 1",
        ),
        (
            '{"nodes": {"a": {"pe": 1, "simd": 1, "weights": "disk"}}}',
            ": node 'a': weights=\"disk\" is not legal; legal weights: chip, stream",
        ),
        ('{"frame_cycles": "fast"}', ': frame_cycles="fast"; it must be a whole number from 1'),
        ('{"frame_cycles": true}', ": frame_cycles=true; it must be a whole number from 1"),
    ],
)
def test_refusals(tmp_path, text, message):
    path = tmp_path / "folding.json"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        read_folding_file(path)
    separator = "" if message.startswith(":") else " "
    assert str(error.value) == f"folding file '{path}'{separator}{message}"


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    path = tmp_path / "none.json"
    with pytest.raises(UsageError) as error:
        read_folding_file(path)
    assert str(error.value) == f"folding file '{path}' does not exist; check the path"
    with pytest.raises(UsageError) as error:
        read_folding_file(tmp_path)
    assert str(error.value) == (
        f"folding file '{tmp_path}': is a folder, not a file; give the path of a file"
    )
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError) as error:
        read_folding_file(path)
    assert (
        str(error.value)
        == f"folding file '{path}' is not JSON: it is not UTF-8 text; see docs/engines.md"
    )
