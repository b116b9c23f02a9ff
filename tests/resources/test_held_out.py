"""Error bars of whole designs: by hand, and against designs that were routed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from small_graphs import BYTE, GraphBuilder

from sephw.ir import Graph
from sephw.ir.resources import RESOURCE_KINDS, Resources
from sephw.ops import GlobalPool
from sephw.resources.board_top import board_top
from sephw.resources.held_out import (
    CountPair,
    Measured,
    bars,
    bars_of,
    engine_ratios,
    expected_coverage,
    held,
    measured,
)
from sephw.targets import find_target
from sephw.technologies import ECP5, FAMILIES, ICE40, XC7

ROUTED = Path(__file__).parents[2] / "reports" / "published" / "routed.json"


def board_graph(height: int, width: int, channels: int) -> Graph:
    """An image, pooled, and ten classes."""
    b = GraphBuilder("board")
    x = b.input("image", height, width, channels)
    pool = GlobalPool(height=height, width=width, channels=channels, dtype=BYTE)
    return b.build(x, b.conv("logits", b.add("pool", pool, x), 10))


def pairs(*ratios: float, lut: int = 1000) -> tuple[CountPair, ...]:
    return tuple(CountPair(Resources(lut, 10), Resources(round(lut * r), 10)) for r in ratios)


def test_bars_of_few_networks_are_their_extremes():
    found = bars_of(Measured(pairs(0.9, 1.2, 1.1), (), ()))
    assert found.ratios["lut"] == (0.9, 1.2) and found.ratios["ff"] == (1.0, 1.0)
    # A fourth network is as likely at each of the four places, two of which are within.
    assert found.coverage == 0.5 and found.networks == 3
    assert found.around(Resources(2000, 30), Resources())["lut"] == (1800, 2400)
    # What nobody measured a network of is as estimated.
    assert found.around(Resources(dsp=7), Resources())["dsp"] == (7, 7)


def test_the_estimate_lies_within_its_bars():
    found = bars_of(Measured(pairs(1.1, 1.2), (), ()))
    assert found.ratios["lut"] == (1.0, 1.2)


def test_bars_of_many_networks_leave_the_outermost_out():
    ratios = [0.5, *(1 + i / 100 for i in range(37)), 9.0]
    found = bars_of(Measured(pairs(*ratios), (), ()))
    assert found.ratios["lut"] == (1.0, 1.36)
    assert found.coverage == 36 / 40 == expected_coverage(39)
    assert expected_coverage(19) == 0.9 and expected_coverage(12) == 11 / 13


def test_a_board_adds_its_top_and_routing_changes_the_sum():
    tops = tuple(
        CountPair(Resources(1000, 550, 2), Resources(lut, ff, 2))
        for lut, ff in ((900, 550), (1200, 440))
    )
    routed = (
        CountPair(Resources(1000), Resources(1100)),
        CountPair(Resources(1000), Resources(1050)),
    )
    found = bars_of(Measured(pairs(0.9, 1.2), tops, routed))
    around = found.around(Resources(2000, 30, 5), Resources(1000, 550, 4))
    assert around["lut"] == (1800 + 900, round((2400 + 1200) * 1.1))
    assert around["ff"] == (30 + 440, 30 + 550)
    # Of blocks all tops had what was estimated.
    assert around["bram"] == (9, 9)


def test_what_the_others_bars_hold():
    assert held(pairs(0.9, 1.0, 1.1, 1.2))["lut"] == 0.5
    assert held(pairs(1.0, 1.0))["lut"] == 1.0


@pytest.mark.parametrize("technology", FAMILIES, ids=str)
def test_every_technology_has_bars(technology):
    found = bars(technology)
    assert found is not None and found.networks == len(measured(technology).networks) >= 1
    boards = technology is not XC7
    assert (found.measured_tops > 0) == boards == (board_top(technology) != Resources())
    # Few networks say little: then bars are no narrower than those of engines.
    engines = engine_ratios(technology)
    for kind, (low, high) in found.ratios.items():
        assert found.enough or (low <= engines[kind][0] and engines[kind][1] <= high)


def test_routed_designs_lie_within_their_bars():
    """The shipped ones: no figure of bars or tops but what routing changes is from them."""
    wrong = []
    for row in json.loads(ROUTED.read_text("utf-8")):
        technology = find_target(row["target"]).device.technology
        top = Resources(**row["top"])
        engines = Resources(**row["estimated"]).minus(top)
        around = bars(technology).around(engines, top)
        for kind in RESOURCE_KINDS:
            low, high = around[kind]
            if not low <= row["used"][kind] <= high:
                wrong.append((row["model"], row["target"], kind, around[kind], row["used"][kind]))
    assert wrong == []


def test_buffers_of_the_link_are_counted():
    """As synthesis counts them for the published designs: an image, and what comes out of it."""
    wide = board_top(ECP5, board_graph(32, 32, 3))
    assert wide == replace(board_top(ECP5), bram=2)
    assert board_top(ECP5, board_graph(28, 28, 1)).bram == 1
    # 8 bits × 784 words and 16 bits × 10 words or more, in blocks of 16 bits.
    assert board_top(ICE40, board_graph(28, 28, 1)).bram == 4
    assert board_top(XC7, board_graph(28, 28, 1)) == Resources()


def test_bars_are_no_wider_than_what_was_measured():
    for technology in FAMILIES:
        engines = engine_ratios(technology)
        for kind, (low, high) in bars(technology).ratios.items():
            found = [
                getattr(p.after, kind) / getattr(p.before, kind)
                for p in measured(technology).networks
                if getattr(p.before, kind)
            ]
            assert low >= min([1.0, engines[kind][0], *found])
            assert high <= max([1.0, engines[kind][1], *found])
