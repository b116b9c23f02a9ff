"""Goals for boards: what their top takes beside the network, and a clock where none is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from sephw.errors import SephwError
from sephw.explore.found import Goal, Margins
from sephw.ir.resources import Resources
from sephw.targets import Target, Technology

# Host link, reset, cycle counter, lights. Synthesized: what lies in no engine ("glue" in
# synth.json) on ULX3S, iCEBreaker and Tang Nano 9K, the larger of two small networks, rounded up.
_BOARD_TOPS: Mapping[Technology, Resources] = MappingProxyType(
    {
        Technology.ECP5: Resources(lut=1110, ff=770, bram=1),
        Technology.ICE40: Resources(lut=950, ff=860, bram=3),
        Technology.GOWIN: Resources(lut=1260, ff=770, bram=1),
    }
)


def board_reserve(technology: Technology) -> Resources:
    """Resources to leave to a board's top; none for a technology that was not measured."""
    return _BOARD_TOPS.get(technology, Resources())


def board_goal(
    target: Target,
    clock_mhz: float | None = None,
    fps: float | None = None,
    weight_bandwidth_bits: int | None = None,
) -> Goal:
    """The goal of a board: its device, less its top where the open flow builds one.

    ``clock_mhz`` None: the best by the estimates, or the board's where they know no clock. With
    ``fps`` it is the board's as well: that many frames have to come at the clock that routing aims
    at, and estimated clocks are less sure.
    """
    if clock_mhz is None and (fps is not None or not _estimates_clocks(target.device.technology)):
        clock_mhz = 1000 / target.clock_ns
    margins = Margins.usual(target.device.technology)
    goal = Goal(
        target.device, clock_mhz=clock_mhz, fps=fps, margins=margins,
        weight_bandwidth_bits=weight_bandwidth_bits,
    )  # fmt: skip
    if target.open_board is None:
        return goal
    return replace(goal, reserved=board_reserve(target.device.technology))


def _estimates_clocks(technology: Technology) -> bool:
    from sephw.resources.model import load

    try:
        return bool(load(technology).fmax)
    except SephwError:
        return False
