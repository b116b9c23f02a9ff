"""Clocks of whole networks: the slowest engine and wires."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from fake_estimates import by_lanes
from small_graphs import chain

from benchmarks.characterize_routed import clock_errors, estimated_mhz, fit
from sephw.explore import Goal, search
from sephw.explore.choices import Effort
from sephw.resources import accuracy, network_mhz, wires_of
from sephw.targets import find_device
from sephw.technologies import ECP5, GOWIN, ICE40, XC7

PERIOD = {"once": 5.0, "carry": 0.1}
# Periods of 5 + 0.1 · 20 = 7 ns and wires of 0.03 ns · √lut, worked out by hand.
ENGINES = [{"once": 1.0, "carry": 20.0}, {"once": 1.0}]
NETWORKS = [
    {"lut": lut, "mhz": 1000 / ns, "engines": ENGINES}
    for lut, ns in ((10_000, 10.0), (40_000, 13.0), (62_500, 14.5))
]


def test_wires_lengthen_the_period():
    assert network_mhz(100.0, 10_000, 0.05) == pytest.approx(1000 / 15)
    assert network_mhz(100.0, 10_000, 0.0) == pytest.approx(100.0)
    assert network_mhz(inf, 10_000, 0.05) == inf


def test_the_fit_finds_the_wires_of_networks():
    assert fit(PERIOD, NETWORKS) == pytest.approx(0.03, abs=1e-5)
    assert fit(PERIOD, []) == 0.0
    # Faster than the slowest engine by itself: no wires, not negative ones.
    assert fit(PERIOD, [{"lut": 100, "mhz": 500.0, "engines": ENGINES}]) == 0.0


def test_each_network_is_estimated_from_the_others():
    named = dict(zip("abc", NETWORKS, strict=True))
    found = clock_errors(PERIOD, named)
    assert found["count"] == 3 and found["largest"] == pytest.approx(0, abs=1e-4)
    slow = {**named, "a": {**NETWORKS[0], "mhz": 80.0}}
    assert estimated_mhz(PERIOD, slow)["a"] == pytest.approx(100.0, rel=1e-4)
    assert clock_errors(PERIOD, slow)["largest"] == pytest.approx(0.25, rel=1e-3)
    assert clock_errors(PERIOD, {"a": NETWORKS[0]}) is None


def by_few_lanes(operator, folding, *others, **options):
    """Engines of up to four lanes reach 200 MHz, others 60."""
    guess = by_lanes(operator, folding, *others, **options)
    return replace(guess, fmax_mhz=200.0 if folding.pe * folding.simd <= 4 else 60.0)


def test_where_wires_rule_the_search_takes_fewer_cycles_at_a_slower_clock():
    goal = Goal(find_device("ecp5-25f"))
    options = {"estimator": by_few_lanes, "effort": Effort(adder_graph_bits=0)}
    alone = search(chain(4), goal, **options)
    wired = search(chain(4), goal, wires_ns=1.0, **options)
    # Twice the cycles at more than thrice the clock; wires leave little of that clock.
    assert alone.clock_mhz == 200.0
    assert wired.frame_cycles * 2 == alone.frame_cycles
    engines_mhz = min(node.fmax_mhz for node in wired.nodes)
    expected = 1000 / (1000 / engines_mhz + wired.estimated.lut**0.5)
    assert wired.clock_mhz == wired.fmax_mhz == pytest.approx(expected)
    assert wired.frames_per_second == pytest.approx(expected * 1e6 / wired.frame_cycles)


def test_only_what_was_routed_has_wires():
    assert wires_of(ECP5) > 0 and wires_of(ICE40) > 0
    assert accuracy(ECP5).network_fmax is not None
    # One network says nothing of another one.
    assert accuracy(ICE40).network_fmax is None
    for other in (XC7, GOWIN):
        assert wires_of(other) == 0.0
