"""Designs that fit only with FIFOs of their pipelines in block RAM."""

import pytest
from fake_estimates import Guess
from small_graphs import chain

from sephw.errors import SephwError
from sephw.explore import Goal, Margins, search
from sephw.explore.choices import Effort
from sephw.ir.resources import Resources
from sephw.technologies import ECP5, XC7, Device, Size, Technology

ALL = Margins(1.0, 1.0, 1.0, 1.0)
# Window, convolution and join with their FIFOs in LUTs: three times 250.
IN_LUTS = 750


def estimator(
    operator, folding, fifo_depths, technology, *, solve=False, fifos_in_blocks=False
) -> Guess:
    """Every engine is 50 LUTs; its FIFO 200, or a block RAM."""
    if operator.kind in ("fork", "width_converter"):
        return Guess(Resources(), 1e9)
    return Guess(Resources(50, bram=1) if fifos_in_blocks else Resources(250))


def found(lut: int, bram: int, technology: Technology = ECP5):
    device = Device(technology, Size("test", "test", Resources(lut, 10**6, bram, 10**6)))
    goal = Goal(device, clock_mhz=100.0, margins=ALL)
    return search(chain(4), goal, estimator=estimator, effort=Effort(adder_graph_bits=0))


def test_what_fits_only_with_fifos_in_blocks_is_found():
    result = found(700, 10)
    # Two FIFOs moved: 350 LUTs are half of the device.
    assert (result.estimated.lut, result.estimated.bram) == (IN_LUTS - 400, 2)


def test_with_room_for_luts_nothing_is_guessed():
    result = found(2 * IN_LUTS, 10)
    assert (result.estimated.lut, result.estimated.bram, result.rounds) == (IN_LUTS, 0, 1)


@pytest.mark.parametrize(
    ("bram", "technology"),
    [(0, ECP5), (10, XC7)],
    ids=["no blocks", "the synthesis chooses"],
)
def test_the_refusal_is_of_the_whole_need(bram, technology):
    with pytest.raises(SephwError) as error:
        found(700, bram, technology)
    assert "needs at least 750 LUT, 700 available (50 too many)" in str(error.value)
