"""Goals of boards: the resources of their top, and a clock where none is given."""

from __future__ import annotations

from dataclasses import replace

from sephw.errors import UsageError
from sephw.explore.found import Goal
from sephw.resources.board_top import top_of
from sephw.resources.model import load
from sephw.targets import Device, Target
from sephw.technologies import CHARACTERIZATION, Technology


def board_goal(
    target: Target,
    clock_mhz: float | None = None,
    fps: float | None = None,
    weight_bandwidth_bits: int | None = None,
) -> Goal:
    """The goal of a board: its device, less its top where the open flow builds one.

    ``clock_mhz`` None: the best by the estimates, or the board's where they know no clock.
    """
    if clock_mhz is None and not _estimates_clocks(target.device.technology):
        clock_mhz = 1000 / target.clock_ns
    goal = replace(
        device_goal(target.device, clock_mhz, fps),
        weight_bandwidth_bits=weight_bandwidth_bits,
        board=target,
    )
    return replace(goal, reserved=top_of(target))


def on_board(goal: Goal, target: Target) -> Goal:
    """``goal`` for another ``target``, without a clock that only the goal's own board has."""
    clock_mhz = goal.clock_mhz
    if goal.board is not None and clock_mhz == board_goal(goal.board).clock_mhz:
        clock_mhz = None
    found = board_goal(target, clock_mhz, goal.fps, goal.weight_bandwidth_bits)
    return replace(found, minimize=goal.minimize)


def device_goal(device: Device, clock_mhz: float | None = None, fps: float | None = None) -> Goal:
    """The goal of a device by itself, with its usual margins and the error of its clocks."""
    return Goal(
        device,
        clock_mhz=clock_mhz,
        fps=fps,
        margins=device.technology.margins,
        clock_error=_clock_error(device.technology),
    )


def check_goal(goal: Goal) -> None:
    """SephwError where the resource model knows nothing of the device, or not its clock.

    A clock that the goal asks for needs no estimate.
    """
    technology = goal.device.technology
    technology.require(CHARACTERIZATION)
    if goal.clock_mhz is None and not _estimates_clocks(technology):
        raise unestimated_clock(technology)


def unestimated_clock(technology: Technology) -> UsageError:
    """The error where the goal gives no clock and the technology's is not estimated."""
    return UsageError(f"the clock of {technology} is not estimated; give one with --clock-mhz")


def _clock_error(technology: Technology) -> float:
    """Median error of the estimated clocks of routed networks; 0 where none was routed."""
    if not technology.has(CHARACTERIZATION):
        return 0.0
    error = load(technology).accuracy.network_fmax
    return 0.0 if error is None else error.median


def _estimates_clocks(technology: Technology) -> bool:
    return technology.has(CHARACTERIZATION) and bool(load(technology).fmax)
