"""Where the rounds meet no folding that fits: longer and longer frame intervals."""

import math
import re
from importlib import import_module

import pytest
from fake_estimates import by_lanes
from small_graphs import chain

from sephw.errors import SephwError
from sephw.explore import Goal, Margins, search
from sephw.ir.resources import Resources
from sephw.technologies import ECP5, Device, Size

ROOMY = Resources(10**6, 10**6, 10**6, 10**6)
GOAL = Goal(Device(ECP5, Size("test", "test", ROOMY)), margins=Margins(1, 1, 1, 1))
module = import_module(search.__module__)


@pytest.fixture
def fastest():
    return search(chain(4), GOAL, estimator=by_lanes).frame_cycles


def refuse(monkeypatch, below: float) -> list[int]:
    """Rounds that never find what fits below an interval; the intervals that were asked for."""
    rounds, tried = module._iterate, []

    def stubborn(session, chooser, solve, most=8):
        found = rounds(session, chooser, solve, most)
        cycles = found.choice.solution.cycles
        tried.append(cycles)
        if cycles < below:
            return module._Infeasible(found.choice.problem, found.choice)
        return found

    monkeypatch.setattr(module, "_iterate", stubborn)
    return tried


def test_the_next_interval_that_fits_is_found(monkeypatch, fastest):
    tried = refuse(monkeypatch, 3 * fastest)
    found = search(chain(4), GOAL, estimator=by_lanes)
    assert tried[0] == fastest
    assert 3 * fastest <= found.frame_cycles <= math.ceil(3 * fastest * 1.25)
    assert not found.proven_optimal
    # Everything is told of that folding: its graph has its interval and fits.
    assert max(n.operator.frame_cycles(n.folding) for n in found.graph.nodes) == found.frame_cycles


def test_it_ends_where_nothing_fits(monkeypatch, fastest):
    tried = refuse(monkeypatch, math.inf)
    with pytest.raises(SephwError, match=r"^chain does not fit test once its FIFOs and wires"):
        search(chain(4), GOAL, estimator=by_lanes)
    # Once with all registers, once with fewer.
    assert len(tried) == 2 * 9


def test_a_wanted_frame_rate_is_not_given_up_but_the_one_that_fits_is_named(monkeypatch, fastest):
    refuse(monkeypatch, 3 * fastest)
    goal = Goal(GOAL.device, margins=GOAL.margins, fps=100e6 / (2 * fastest), clock_mhz=100)
    with pytest.raises(SephwError) as caught:
        search(chain(4), goal, estimator=by_lanes)
    most = re.search(r"; or at most ([\d,.]+) frames/s on chip fit$", str(caught.value))
    assert most is not None
    cycles = 100e6 / float(most[1].replace(",", ""))
    assert 3 * fastest <= cycles <= math.ceil(3 * fastest * 1.25) + 1
