"""Registers of pattern adders that the folding search leaves out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fake_estimates import by_lanes
from small_graphs import chain

from sephw.errors import SephwError
from sephw.explore import Goal, Margins, search
from sephw.explore.choices import CLOCK_RESERVE, Effort
from sephw.ir import Saving
from sephw.ir.resources import Resources
from sephw.technologies import ECP5, Device, Size

ROOMY = Resources(10**6, 10**6, 10**6, 10**6)
ALL = Margins(1, 1, 1, 1)
SLOW_MHZ = 80.0


def with_registers(fmax_mhz: float):
    """As `by_lanes`, and two levels of adders halve an engine's flip-flops, at ``fmax_mhz``."""

    def estimator(operator, folding, *others, **options):
        guess = by_lanes(operator, folding, *others, **options)
        if Saving.REGISTERS not in folding.engine.saves:
            return guess
        fewer = replace(guess.resources, ff=guess.resources.ff // 2)
        return replace(guess, resources=fewer, fmax_mhz=fmax_mhz)

    return estimator


def found(clock_mhz: float | None, fmax_mhz: float, limits: Resources = ROOMY):
    device = Device(ECP5, Size("test", "test", limits))
    goal = Goal(device, clock_mhz=clock_mhz, margins=ALL)
    effort = Effort(adder_graph_bits=0)
    return search(chain(4), goal, estimator=with_registers(fmax_mhz), effort=effort)


def levels(result) -> dict[str, int]:
    return {n.name: n.folding.engine.encode().get("adder_levels", 1) for n in result.nodes}


def test_registers_are_left_out_where_the_clock_leaves_time():
    result = found(SLOW_MHZ / CLOCK_RESERVE, SLOW_MHZ)
    assert {n: k for n, k in levels(result).items() if k > 1} == {"pattern_node": 2}


@pytest.mark.parametrize(
    ("clock_mhz", "fmax_mhz"),
    [(SLOW_MHZ / CLOCK_RESERVE + 1, SLOW_MHZ), (None, SLOW_MHZ), (10.0, math.inf)],
    ids=["too fast", "no clock asked for", "clocks not estimated"],
)
def test_registers_stay_elsewhere(clock_mhz, fmax_mhz):
    assert set(levels(found(clock_mhz, fmax_mhz)).values()) == {1}


def test_fewer_registers_fit_more():
    slow = SLOW_MHZ / CLOCK_RESERVE
    needed = found(slow, SLOW_MHZ).estimated.ff
    limits = replace(ROOMY, ff=needed)
    assert found(slow, SLOW_MHZ, limits).frame_cycles < found(slow, slow, limits).frame_cycles
    with pytest.raises(SephwError, match="FF"):
        found(slow, SLOW_MHZ, replace(ROOMY, ff=10))
