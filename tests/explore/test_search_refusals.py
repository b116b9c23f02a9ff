"""What the search says where nothing fits."""

import pytest
from fake_estimates import constant
from small_graphs import GraphBuilder, chain

from sephw.errors import SephwError
from sephw.explore import Goal, MisfitError, board_goal, search
from sephw.targets import find_device, find_target

REFUSALS = {
    "nothing fits": (
        constant(10_000),
        {"clock_mhz": 100.0},
        "chain does not fit ecp5-25f: needs at least 30,000 LUT, 19,430 available (80 % of "
        "24,288; 10,570 too many); the nearest device that fits is ecp5-45f",
    ),
    "no device is large enough": (
        constant(1, bram=100),
        {"clock_mhz": 100.0},
        "chain does not fit ecp5-25f: needs at least 300 BRAM, 56 available (244 too many); "
        "no larger ecp5 device is known that it fits",
    ),
    "a frame rate beyond every folding": (
        constant(10),
        {"clock_mhz": 100.0, "fps": 5e6},
        "chain: 5,000,000 frames/s on chip are beyond every folding; the fastest takes 21 cycles a "
        "frame, "
        "4,761,904 frames/s on chip at 100 MHz; ask for at most --fps 4761904",
    ),
    "a clock beyond every folding": (
        constant(10),
        {"clock_mhz": 200.0},
        "chain: no folding of 'pattern_node' is estimated to reach 200 MHz on ecp5-25f; ask for "
        "at most --clock-mhz 100",
    ),
    "no clock is estimated": (
        constant(10, float("inf")),
        {},
        "the clock of ecp5 is not estimated; give one with --clock-mhz",
    ),
}


AMD_REFUSALS = {
    # More LUTs, fewer block RAMs: what is short decides which device is larger.
    "xczu7ev": (
        constant(1, bram=300),
        "chain does not fit xczu7ev: needs at least 900 BRAM, 624 available (276 too many); the "
        "nearest device that fits is xc7z045",
    ),
    "xc7z045": (
        constant(60_000),
        "chain does not fit xc7z045: needs at least 180,000 LUT, 174,880 available (80 % of "
        "218,600; 5,120 too many); the nearest device that fits is xczu7ev",
    ),
}


@pytest.mark.parametrize("name", AMD_REFUSALS)
def test_refusals_on_amd_devices(name):
    estimator, message = AMD_REFUSALS[name]
    goal = Goal(find_device(name), clock_mhz=100.0)
    with pytest.raises(SephwError) as error:
        search(chain(4), goal, estimator=estimator)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("board", "luts", "end"),
    [
        ("ulx3s-25f", 10_000, "the nearest board that it fits is --target ulx3s-85f"),
        # None of its technology: the smallest of another one.
        ("icebreaker", 10_000, "the nearest board that it fits is --target pynq-z2"),
        ("icebreaker", 1_000_000, "no board is known that it fits"),
    ],
)
def test_refusals_on_boards_name_boards(board, luts, end):
    goal = board_goal(find_target(board), fps=100.0)
    with pytest.raises(MisfitError) as error:
        search(chain(4), goal, estimator=constant(luts))
    assert f"; {end};" in f"{error.value};"


def test_weights_beyond_the_block_ram_are_named():
    """4,608 inputs × 1,000 outputs of 8 bits: 36.9 Mbit on 11.5 Mbit of block RAM."""
    b = GraphBuilder("wide", seed=1)
    x = b.input("image", 1, 1, 4608)
    graph = b.build(x, b.conv("classifier", x, 1000))
    goal = Goal(find_device("xczu7ev"), clock_mhz=100.0)
    with pytest.raises(SephwError) as error:
        search(graph, goal, estimator=constant(1, bram=2001))
    assert str(error.value) == (
        "wide does not fit xczu7ev: needs at least 2,001 BRAM, 624 available (1,377 too many); "
        "the weights are 36.9 Mbit, its block RAM holds 11.5 Mbit (--weight-bandwidth BITS lets "
        "layers stream theirs from external memory); no larger xc7 device is known that it fits"
    )


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_say_what_would_do(case):
    estimator, wanted, message = REFUSALS[case]
    goal = Goal(find_device("ecp5-25f"), **wanted)
    with pytest.raises(SephwError) as error:
        search(chain(4), goal, estimator=estimator)
    assert str(error.value) == message


def test_a_frame_rate_that_does_not_fit_names_the_one_that_does():
    def estimator(operator, folding, fifo_depths, technology, *, solve=False, **_):
        guess = constant(6_000)(operator, folding, fifo_depths, technology)
        slow = operator.kind != "pattern_conv" or folding.pe * folding.simd == 1
        return guess if slow else constant(9_000)(operator, folding, fifo_depths, technology)

    # With one lane the convolution takes 4·4·8·18 = 2,304 cycles.
    goal = Goal(find_device("ecp5-25f"), clock_mhz=100.0, fps=50_000)
    with pytest.raises(SephwError) as error:
        search(chain(4), goal, estimator=estimator)
    assert str(error.value) == (
        "chain at 50,000 frames/s on chip does not fit ecp5-25f: needs at least 21,000 LUT, 19,430 "
        "available (80 % of 24,288; 1,570 too many); the nearest device that fits is ecp5-45f; "
        "or at most 43,402 frames/s on chip fit"
    )
