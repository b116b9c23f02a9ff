"""The reason why nothing fits, and the nearest goal or device that does, in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sephw.errors import SephwError
from sephw.explore.boards import on_board
from sephw.explore.choose import choose, clocks, frame_budget
from sephw.explore.found import Goal
from sephw.explore.model import Problem, restrict, solve
from sephw.files import build
from sephw.ir.resources import RESOURCE_KINDS, Resources
from sephw.rates import reachable_rate, typed_rate
from sephw.targets import DEVICES, TARGETS, Device, Target
from sephw.technologies import CHARACTERIZATION

_UNLIMITED = 1 << 40


class MisfitError(SephwError):
    """No folding fits the device, or none with the requested frame rate does."""


# Most frames per second that a goal reaches with its FIFOs; None: it does not fit.
Reaches = Callable[[Goal], float | None]


def refusal(
    network: str, problem: Problem, goal: Goal, reaches: Reaches, weight_bits: int = 0
) -> SephwError:
    """The error for a goal that no folding of ``problem`` reaches.

    ``weight_bits``: all weights of the network, in memory.
    """
    wanted = (
        network if goal.fps is None else f"{network} at {typed_rate(goal.fps)} frames/s on chip"
    )
    return (
        _too_fast_a_clock(network, problem, goal)
        or _too_many_frames(network, problem, goal)
        or _does_not_fit(wanted, problem, goal, reaches, weight_bits)
    )


def _too_fast_a_clock(network: str, problem: Problem, goal: Goal) -> SephwError | None:
    best = {g.name: max(o.fmax_mhz for o in g.options) for g in problem.groups}
    slowest = min(best, key=lambda name: best[name])
    if goal.clock_mhz is None or best[slowest] >= goal.clock_mhz:
        return None
    return SephwError(
        f"{network}: no folding of '{slowest}' is estimated to reach {goal.clock_mhz:g} MHz on "
        f"{goal.device.name}; ask for at most --clock-mhz {int(best[slowest])}"
    )


def _too_many_frames(network: str, problem: Problem, goal: Goal) -> SephwError | None:
    """Where not even a device without limits is fast enough."""
    unlimited = without_limits(goal)
    if goal.fps is None or choose(problem, unlimited) is not None:
        return None
    best = choose(problem, replace(unlimited, fps=None))
    if best is None:
        return None
    cycles = best.solution.cycles
    clock = goal.counted_mhz(best.frames_per_second * cycles / 1e6)
    most = clock * 1e6 / cycles
    return SephwError(
        f"{network}: {typed_rate(goal.fps)} frames/s on chip are beyond every folding; the fastest "
        f"takes {cycles:,} cycles a frame, {reachable_rate(most)} frames/s on chip at "
        f"{clock:.4g} MHz; "
        f"ask for at most --fps {reachable_rate(most).replace(',', '')}"
    )


def _does_not_fit(
    wanted: str, problem: Problem, goal: Goal, reaches: Reaches, weight_bits: int
) -> SephwError:
    shortage = _shortage(problem, goal)
    short = RESOURCE_KINDS[0] if shortage is None else shortage[0]
    if shortage is None:
        text = f"{wanted} does not fit {goal.device.name} once its FIFOs and wires are counted"
    else:
        name, needed, available = shortage
        total = getattr(goal.device.available, name)
        margin = getattr(goal.margins, name)
        of_all = f"{margin * 100:g} % of {total:,}; " if margin != 1 else ""
        text = (
            f"{wanted} does not fit {goal.device.name}: needs at least {needed:,} {name.upper()}, "
            f"{available:,} available ({of_all}{needed - available:,} too many)"
        )
    room = goal.device.block_ram_bits
    if weight_bits > room:
        text += (
            f"; the weights are {weight_bits / 1e6:.1f} Mbit, its block RAM holds "
            f"{room / 1e6:.1f} Mbit"
        )
        if goal.weight_bandwidth_bits is None:
            text += " (--weight-bandwidth BITS lets layers stream theirs from external memory)"
    if goal.board is not None:
        board = _nearest_board(goal, goal.board, reaches, short)
        text += (
            "; no board is known that it fits"
            if board is None
            else f"; the nearest board that it fits is --target {board.name}"
        )
    else:
        larger = _nearest(problem, goal, reaches, short)
        text += (
            f"; no larger {goal.device.technology} device is known that it fits"
            if larger is None
            else f"; the nearest device that fits is {larger.name}"
        )
    if goal.fps is not None:
        most = reaches(replace(goal, fps=None))
        if most is not None:
            text += f"; or at most {reachable_rate(most)} frames/s on chip fit"
    return MisfitError(text)


def _shortage(problem: Problem, goal: Goal) -> tuple[str, int, int] | None:
    """The scarce resource as (name, least count, limit): one that is short alone, else with others.

    None where no resource is to blame.
    """
    limits = goal.limits
    boundless = build(Resources, dict.fromkeys(RESOURCE_KINDS, _UNLIMITED))
    alone = {name: _least(problem, goal, name, boundless) for name in RESOURCE_KINDS}
    short = [
        (needed / max(1, getattr(limits, name)), name, needed)
        for name, needed in alone.items()
        if needed is not None and needed > getattr(limits, name)
    ]
    if short:
        _, name, needed = max(short)
        return name, needed, getattr(limits, name)
    for name in RESOURCE_KINDS:
        beside = _least(problem, goal, name, replace(limits, **{name: _UNLIMITED}))
        if beside is not None and beside > getattr(limits, name):
            return name, beside, getattr(limits, name)
    # Several are short together: the least logic without a limit on it says it best.
    loose = replace(boundless, bram=limits.bram, dsp=limits.dsp)
    logic = _least(problem, goal, RESOURCE_KINDS[0], loose)
    if logic is not None and logic > limits.lut:
        return RESOURCE_KINDS[0], logic, limits.lut
    return None


def _least(problem: Problem, goal: Goal, name: str, limits: Resources) -> int | None:
    """The fewest of resource ``name`` within ``limits``, over all clocks; None: not even so."""
    weights = [float(resource == name) for resource in RESOURCE_KINDS]
    found = []
    for clock in clocks(problem, goal):
        part = restrict(problem, frame_budget(problem, goal, clock), clock)
        solution = solve(part, limits, weights)
        if solution is not None:
            found.append(int(getattr(solution.resources, name)))
    return min(found, default=None)


def _nearest(problem: Problem, goal: Goal, reaches: Reaches, short: str) -> Device | None:
    """The smallest device of the technology with more of the ``short`` resource that takes it."""
    kin = sorted(
        (
            d
            for d in DEVICES
            if d.technology is goal.device.technology
            and getattr(d.available, short) > getattr(goal.device.available, short)
        ),
        key=lambda d: d.available.lut,
    )
    for device in kin:
        other = replace(goal, device=device)
        if choose(problem, other) is not None and reaches(other) is not None:
            return device
    return None


def _nearest_board(goal: Goal, own: Target, reaches: Reaches, short: str) -> Target | None:
    """The smallest board that the network fits.

    One of the same technology has more of the ``short`` resource; one of another has more logic.
    """

    def has_more(target: Target) -> bool:
        if not target.device.technology.has(CHARACTERIZATION):
            return False
        kin = target.device.technology is own.device.technology
        kind = short if kin else RESOURCE_KINDS[0]
        mine, theirs = own.device.available, target.device.available
        return bool(getattr(theirs, kind) > getattr(mine, kind))

    def distance(target: Target) -> tuple[bool, int]:
        device = target.device
        return device.technology is not own.device.technology, device.available.lut

    for target in sorted(filter(has_more, TARGETS), key=distance):
        if reaches(on_board(goal, target)) is not None:
            return target
    return None


def without_limits(goal: Goal) -> Goal:
    """``goal`` on a device that has any number of everything."""
    return replace(goal, device=boundless(goal.device))


def boundless(device: Device) -> Device:
    """``device`` with any number of everything."""
    available = build(Resources, dict.fromkeys(RESOURCE_KINDS, _UNLIMITED))
    return replace(device, size=replace(device.size, available=available))
