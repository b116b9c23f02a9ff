"""What a search may be asked for, and what a board asks for by itself."""

import pytest

from sephw.errors import UsageError
from sephw.explore import Goal, Margins, board_goal
from sephw.targets import find_device, find_target


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


def test_frames_per_second_of_a_board_are_those_at_its_clock():
    board, small = find_target("ulx3s-85f"), find_target("icebreaker")
    assert board_goal(board).clock_mhz is None
    assert board_goal(board, fps=1000.0).clock_mhz == 100.0
    assert board_goal(board, clock_mhz=80.0, fps=1000.0).clock_mhz == 80.0
    assert board_goal(small).clock_mhz is None
    assert board_goal(small, fps=1000.0).clock_mhz == 16.0
    # No clock is estimated for xc7.
    assert board_goal(find_target("pynq-z2")).clock_mhz == 100.0
    # A cell of iCE40 holds a LUT and a flip-flop, so less of each is taken.
    assert board_goal(small).margins == Margins(lut=0.68, ff=0.62)
    assert board_goal(board).margins == Margins(ff=0.75)
