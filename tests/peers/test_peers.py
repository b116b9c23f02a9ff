"""The comparison with other generators: the layer, our part of it at a tiny size, the page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import ours
from benchmarks.peers.finn_peer import Configuration, weight_file
from benchmarks.peers.layer import Layer
from benchmarks.peers.measure import Design, cells, frame_interval
from benchmarks.peers.nngen_peer import read
from benchmarks.peers.page import page
from benchmarks.peers.result import (
    NOT_SYNTHESIZED,
    OURS,
    Row,
    Scope,
    best_peer_factor,
    compare,
    from_json,
    to_json,
)
from sephw.errors import SephwError
from sephw.ir import Resources
from sephw.technologies import ECP5

PUBLISHED = Path(__file__).resolve().parents[2] / "reports" / "published"


@pytest.mark.parametrize("groups", [1, 2])
def test_expected_sums_are_those_of_the_definition(groups: int) -> None:
    layer = Layer(size=3, channels=4, groups=groups)
    image = layer.images(1)
    found = layer.expected(image)
    per_group = 4 // groups
    for y, x, out in ((0, 0, 0), (1, 2, 3), (2, 1, 1)):
        total = 0
        for ky in range(3):
            for kx in range(3):
                row, column = y + ky - 1, x + kx - 1
                if not (0 <= row < 3 and 0 <= column < 3):
                    continue
                for channel in range(per_group):
                    source = out // per_group * per_group + channel
                    weight = int(layer.patterns[out, ky, kx, channel])
                    total += weight * int(image[0, row, column, source])
        assert found[0, y, x, out] == total


def test_images_are_of_the_type_and_reach_its_ends() -> None:
    unsigned, signed = Layer(size=4).images(2), Layer(size=4).images(2, signed=True)
    assert (unsigned.min(), unsigned.max()) == (0, 255)
    assert (signed.min(), signed.max()) == (-128, 127)


def test_our_part_at_a_tiny_size(tmp_path: Path) -> None:
    """Values right in RTL, the interval that of the folding, counts of scopes in order."""
    layer = Layer(size=4, channels=4)
    select = ours.configurations(layer)[0]
    found = ours.rows(layer, tmp_path, lambda text: None, [select], [ECP5])
    assert [row.scope for row in found] == [Scope.ENGINE, Scope.LAYER, Scope.LAYER_8BIT]
    engine, whole, bits = found
    assert (engine.checked, engine.wrong, bits.wrong) == (3 * 4 * 4 * 4, 0, 0)
    # 4 × 4 pixels, 4 neurons one after the other, 9 beats of 4 channels.
    assert whole.cycles == 4 * 4 * 4 * 9
    assert 0 < engine.lut < whole.lut < bits.lut
    assert engine.macs == 4 * 4 * 4 * 4 * 9


def test_cells_of_a_design_are_counted(tmp_path: Path) -> None:
    text = (
        "module two (input wire clk, input wire [1:0] a, output logic [1:0] y);\n"
        "  always_ff @(posedge clk) y <= {^a, &a};\nendmodule\n"
    )
    found = cells(Design("two", {"two.sv": text}, {}), ECP5, tmp_path)
    assert found == Resources(lut=2, ff=2)


def test_frame_interval_is_that_of_the_last_two_images() -> None:
    assert frame_interval(np.array([3, 5, 20, 30, 41, 50]), 3) == 20


def test_weight_words_of_the_matrix_vector_unit() -> None:
    """Lane (PE 0, SIMD 0) lowest, 2 bits each, 1 is 01 and −1 is 11."""
    layer = Layer(size=4, channels=2)
    words = weight_file(layer, Configuration(2, 2)).split()
    matrix = layer.patterns.reshape(2, 18)
    assert len(words) == 9
    for fold, word in enumerate(words):
        for pe in range(2):
            for simd in range(2):
                code = int(word, 16) >> (2 * (2 * pe + simd)) & 3
                assert code == {1: 1, -1: 3}[int(matrix[pe, 2 * fold + simd])]


def test_printed_sums_are_read_as_signed_words() -> None:
    layer = Layer(size=1, channels=2)
    cycles, sums = read("cycles 12\ncycles 10\nout 4294967295\nout 7\n", layer)
    assert cycles == 10
    assert sums.ravel().tolist() == [-1, 7]
    with pytest.raises(SephwError) as caught:
        read("cycles 12\n", layer)
    assert str(caught.value) == (
        "NNgen: its simulation ended with 0 sums; look at test.v in its folder below --work"
    )


def _row(contender: str, lut: int, cycles: int, **other: object) -> Row:
    made = Row(
        contender, f"{contender} {lut}", Scope.LAYER, 1, "ecp5", lut, 10, 1, 0, 1000, cycles, 64, 0
    )
    return replace(made, **other)


def test_comparison_takes_the_smallest_that_is_fast_enough() -> None:
    rows = [_row(OURS, 100, 50), _row(OURS, 80, 100), _row(OURS, 40, 101), _row("peer", 240, 100)]
    (comparison,) = compare(rows)
    assert comparison.ours is not None and comparison.ours.lut == 80
    assert comparison.factor == 3.0
    assert best_peer_factor([comparison], Scope.LAYER, "ecp5") == 3.0
    assert best_peer_factor([comparison], Scope.LAYER, "xc7") == float("inf")


def test_a_wrong_peer_does_not_count_and_an_unmatched_one_is_said() -> None:
    rows = [_row(OURS, 100, 50), _row("peer", 120, 60, wrong=3), _row("swift", 900, 10)]
    slow, swift = compare(rows)
    assert best_peer_factor([slow, swift], Scope.LAYER, "ecp5") == float("inf")
    assert swift.ours is None
    text = page(rows, {}, {})
    assert "None of ours is as fast as swift (swift 900): 10 cycles." in text
    assert "3 of 64 wrong" in text


def test_page_says_where_it_is_lost() -> None:
    mine = _row(OURS, 100, 50)
    rows = [
        mine,
        replace(mine, scope=Scope.ENGINE),
        _row("peer", 90, 60, dsp=4),
        _row("slow", 500, 70),
        _row("unsized", 0, 70, technology=NOT_SYNTHESIZED, wrong=1),
    ]
    text = page(rows, {"Yosys": "0.70"}, {"ecp5": "synth_ecp5 -top TOP"})
    assert (
        "- ECP5, LUT4: not reached. The closest peer is peer (peer 90) with 0.90 times our LUTs "
        "and 4 DSP blocks (90 against 100 of sephw 100)."
    ) in text
    assert "We lose to peer (peer 90): 90 LUTs and 4 DSP blocks against 100 and 0." in text
    assert "| ecp5 | layer | 1 | slow | slow 500 | 70 | 500 + 0 DSP |" in text
    # An engine's integers are its layer's.
    assert "Of ours, 64 output integers were compared; none differs." in text
    assert "- The record has no rows of our family digit-serial; the verdict lacks it." in text
    # 100 LUTs × 50 cycles / 1,000 MAC.
    assert "| sephw | sephw 100 | 100 | 10 | 1 | 0 | 50 | 20.0 | 5.0 | 0.0 | right |" in text
    assert "| unsized | unsized 0 | 1 | 70 | 64 | 1 |  |" in text
    assert "| Yosys (YoWASP wheel) | 0.70 | ISC |" in text
    assert "```\nsynth_ecp5 -top TOP\n```" in text
    assert "- **NNgen**: no rows in this record; `--part nngen` measures it." in text


def test_published_page_is_that_of_the_published_rows() -> None:
    content = json.loads((PUBLISHED / "peers.json").read_text("utf-8"))
    rows = from_json(content["rows"])
    assert to_json(rows) == content["rows"]
    assert (PUBLISHED / "peers.md").read_text("utf-8") == page(
        rows, content["versions"], content["scripts"]
    )
    assert not any(row.wrong for row in rows if row.contender == OURS)
    scopes = {(r.configuration, r.groups, r.technology): {} for r in rows if r.contender == OURS}
    for row in rows:
        if row.contender == OURS:
            scopes[row.configuration, row.groups, row.technology][row.scope] = row
    for found in scopes.values():
        assert found[Scope.ENGINE].lut < found[Scope.LAYER].lut < found[Scope.LAYER_8BIT].lut
