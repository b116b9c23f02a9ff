"""Error bars of whole designs: by hand, and against designs that were routed."""

import json
from pathlib import Path

import pytest

from sephw.ir.resources import Resources
from sephw.resources.board_top import board_top
from sephw.resources.held_out import (
    KINDS,
    Measured,
    Pair,
    bars,
    bars_of,
    expected_coverage,
    held,
    measured,
)
from sephw.targets import Technology, find_target

ROUTED = Path(__file__).parents[2] / "reports" / "published" / "routed.json"


def pairs(*ratios: float, lut: int = 1000) -> tuple[Pair, ...]:
    return tuple(Pair(Resources(lut, 10), Resources(round(lut * r), 10)) for r in ratios)


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
    tops = (Resources(900, 500, 1), Resources(1200, 600, 2))
    routed = (Pair(Resources(1000), Resources(1100)), Pair(Resources(1000), Resources(1050)))
    found = bars_of(Measured(pairs(0.9, 1.2), tops, routed))
    around = found.around(Resources(2000, 30, 5), Resources(1000, 550, 1))
    assert around["lut"] == (1800 + 900, round((2400 + 1200) * 1.1))
    assert around["ff"] == (30 + 500, 30 + 600)
    assert around["bram"] == (5 + 1, 5 + 2)


def test_what_the_others_bars_hold():
    assert held(pairs(0.9, 1.0, 1.1, 1.2))["lut"] == 0.5
    assert held(pairs(1.0, 1.0))["lut"] == 1.0


@pytest.mark.parametrize("technology", Technology)
def test_every_technology_has_bars(technology):
    found = bars(technology)
    assert found is not None and found.networks >= 6
    boards = technology is not Technology.XC7
    assert (found.measured_tops > 0) == boards == (board_top(technology) != Resources())


def test_routed_designs_lie_within_their_bars():
    """The shipped ones: no figure of bars or tops but what routing changes is from them."""
    wrong = []
    for row in json.loads(ROUTED.read_text("utf-8")):
        technology = find_target(row["target"]).device.technology
        top = board_top(technology)
        engines = Resources(**row["estimated"]).less(top)
        around = bars(technology).around(engines, top)
        for kind in KINDS:
            low, high = around[kind]
            if not low <= row["used"][kind] <= high:
                wrong.append((row["model"], row["target"], kind, around[kind], row["used"][kind]))
    assert wrong == []


def test_bars_are_not_wider_than_they_have_to_be():
    for technology in Technology:
        for kind, (low, high) in bars(technology).ratios.items():
            found = [
                getattr(p.after, kind) / getattr(p.before, kind)
                for p in measured(technology).networks
                if getattr(p.before, kind)
            ]
            assert low >= min([1.0, *found]) and high <= max([1.0, *found])
