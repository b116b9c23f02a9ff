"""What a search may be asked for, and what a board asks for by itself."""

import pytest

from sephw.errors import UsageError
from sephw.explore import Goal, Margins, board_goal, device_goal
from sephw.resources import accuracy
from sephw.targets import find_device, find_target
from sephw.technologies import ECP5, ICE40


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"fps": 0.0}, "--fps 0; it must be above 0"),
        ({"clock_mhz": -5.0}, "--clock-mhz -5; it must be above 0"),
        (
            {"minimize": "watts"},
            "minimize 'watts' is unknown; use logic, share, lut, ff, bram, dsp",
        ),
    ],
)
def test_goals_are_checked(wanted, message):
    with pytest.raises(UsageError) as error:
        Goal(find_device("ecp5-25f"), **wanted)
    assert str(error.value) == message


def test_margins_are_shares():
    with pytest.raises(UsageError) as error:
        Margins(lut=1.2)
    assert str(error.value) == "margin of lut: 1.2; it must be between 0 and 1"


def test_what_a_board_asks_for_by_itself():
    board, small = find_target("ulx3s-85f"), find_target("icebreaker")
    for target in (board, small):
        assert board_goal(target, fps=1000.0).clock_mhz is None
    assert board_goal(board, clock_mhz=80.0, fps=1000.0).clock_mhz == 80.0
    # No clock is estimated for xc7.
    assert board_goal(find_target("pynq-z2"), fps=1000.0).clock_mhz == 100.0
    # A cell of iCE40 holds a LUT and a flip-flop, so less of each is taken.
    assert board_goal(small).margins == Margins(lut=0.68, ff=0.62)
    assert board_goal(board).margins == Margins(ff=0.75)
    assert board_goal(board).reserved.lut > 0 and device_goal(board.device).reserved.lut == 0


def test_frames_are_counted_at_the_clock_asked_for_or_below_the_estimate():
    error = accuracy(ECP5).network_fmax
    assert error is not None and error.median > 0.01
    goal = device_goal(find_device("ecp5-85f"), fps=1000.0)
    assert goal.counted_mhz(80.0) == 80.0 * (1 - error.median)
    assert device_goal(find_device("ecp5-85f"), 60.0, 1000.0).counted_mhz(80.0) == 60.0
    # No network for iCE40 was routed.
    assert accuracy(ICE40).network_fmax is None
    assert device_goal(find_device("ice40-up5k"), fps=10.0).counted_mhz(30.0) == 30.0
