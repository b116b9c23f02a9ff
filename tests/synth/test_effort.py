"""Options of nextpnr by how full a device is."""

import pytest

from sephw.ir import Resources
from sephw.targets import find_device

DEVICE = find_device("ecp5-25f")  # 24,288 flip-flops; three quarters are 18,216


@pytest.mark.parametrize(
    ("luts", "ffs", "options"),
    [
        (9000, 18_216, ("--placer", "static")),
        (9000, 18_217, ("--placer", "heap")),
        (20_000, 18_216, ("--placer", "static", "--router", "router2")),
        (20_000, 18_217, ("--placer", "heap", "--router", "router2")),
    ],
)
def test_crowded_flip_flops_go_to_the_other_placer(luts, ffs, options):
    route, _ = DEVICE.routing()
    assert route.effort(Resources(luts, ffs), DEVICE.available) == options


def test_other_technologies_leave_it_to_nextpnr():
    device = find_device("ice40-up5k")
    assert device.routing()[0].effort(Resources(5000, 5000), device.available) == ()
