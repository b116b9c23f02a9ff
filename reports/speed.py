"""Throughput and latency: frame interval, latencies, frame rates on chip and over the link."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sephw.backends.link import LinkRate
from sephw.reports.model import Figure, Report, Source, Total
from sephw.reports.numbers import number
from sephw.reports.resources import ResourceReport
from sephw.sim.latency import ALONE, PACED, Latency
from sephw.sim.timing import Timing

ON_CHIP, OVER_LINK = "on chip", "over this board's link"


@dataclass(frozen=True)
class Speed:
    """The timing of a network and the links that limit its frame rate.

    ``alone``: the latency of a single frame by the cycle simulation; None where it was not run.
    ``link``: that of the export's target, ``board_link``: that of the board it was synthesized for;
    None where there is none.
    """

    timing: Timing
    alone: Latency | None = None
    link: LinkRate | None = None
    board_link: LinkRate | None = None

    @property
    def link_name(self) -> str:
        """The name of the synthesized board's link, else of the target's; "" where there is
        none.
        """
        link = self.board_link or self.link
        return "" if link is None else link.name


@dataclass(frozen=True)
class Rate:
    """The frame rates at one clock, which ``at`` names for a person.

    ``link`` is None where there is no link, and ``without`` says why. ``chip_name`` and
    ``link_name`` are names of the report's totals.
    """

    at: str
    chip_name: str
    chip: Figure
    link_name: str
    link: Figure | None
    without: str


def rates(report: Report) -> tuple[Rate, ...]:
    """The frame rates at every known clock of the routed design, else at the target's default."""
    clocks = (
        ("_routed", "clock_routed", "its highest clock"),
        ("_board", "clock_board", "the board's clock"),
    )
    found = [
        _rate(report, suffix, f"{number(report.total(clock).value)} MHz, {what}")
        for suffix, clock, what in clocks
        if report.has(clock)
    ]
    usual = f"{number(round(1e3 / report.clock_ns, 2))} MHz, the default of {report.target}"
    return tuple(found) or (_rate(report, "", usual),)


def _rate(report: Report, suffix: str, at: str) -> Rate:
    chip, link = f"throughput{suffix}", f"throughput_link{suffix}"
    over = report.total(link) if report.has(link) else None
    board = not suffix or (report.resources is not None and bool(report.resources.board))
    without = "no design of this board takes the network in" if board else "routed without a board"
    return Rate(at, chip, report.total(chip), link, over, "" if over is not None else without)


def latencies(report: Report) -> tuple[tuple[str, Figure, Figure], ...]:
    """The known latencies as (name, to the first, to the last output beat): 'alone', then
    'paced'.
    """
    return tuple(
        (
            name,
            report.total(f"latency_{name}_first_output"),
            report.total(f"latency_{name}_last_output"),
        )
        for name in ("alone", "paced")
        if report.has(f"latency_{name}_first_output")
    )


def cycle_totals(speed: Speed) -> tuple[Total, ...]:
    """Frame interval and latencies in clock cycles, simulated."""
    interval = Figure(speed.timing.frame_interval_cycles, "cycles/frame", Source.SIMULATED)
    return (Total("frame_interval", "frame interval", interval), *_latencies(speed))


def _latencies(speed: Speed) -> Iterator[Total]:
    for name, latency in _named(speed):
        ends = (
            ("first", latency.first_output_cycles),
            ("last", latency.last_output_cycles),
        )
        for end, cycles in ends:
            yield Total(
                f"latency_{name}_{end}_output",
                f"latency, {name}, to the {end} output beat",
                Figure(cycles, "cycles", Source.SIMULATED),
            )


def clock_totals(
    speed: Speed, megahertz: float, suffix: str, at: str, source: Source, link: LinkRate | None
) -> tuple[Total, ...]:
    """The totals in seconds and frames per second at one clock.

    ``suffix`` ends their names; ``at`` names the clock for a person. A rate over the link is
    estimated whatever the clock's source is: the line is not simulated.
    """
    timing = speed.timing
    interval, paced = timing.frame_interval_cycles, timing.paced.last_output_cycles
    rate = Figure(round(megahertz * 1e6 / interval, 3), "frames/s", source)
    totals = [Total(f"throughput{suffix}", f"throughput {ON_CHIP}, {at}", rate)]
    if link is not None:
        over = round(link.frames_per_second(megahertz, interval, paced), 3)
        totals.append(
            Total(
                f"throughput_link{suffix}",
                f"throughput {OVER_LINK}, {at}",
                Figure(over, "frames/s", Source.ESTIMATED),
            )
        )
    totals += [
        Total(
            f"latency_{name}_last_output_us{suffix}",
            f"latency, {name}, to the last output beat, {at}",
            Figure(round(latency.last_output_cycles / megahertz, 3), "us", source),
        )
        for name, latency in _named(speed)
    ]
    return tuple(totals)


def routed_totals(speed: Speed, resources: ResourceReport | None) -> tuple[Total, ...]:
    """The totals at the clock that place-and-route reached, and at the board's clock."""
    if resources is None or resources.clock is None:
        return ()
    highest, set_to = resources.clock.fmax, resources.runs_at
    link = speed.board_link
    totals = [
        Total("clock_routed", "highest clock", highest),
        *clock_totals(speed, highest.value, "_routed", "at the highest clock", Source.ROUTED, link),
    ]
    if resources.board and set_to is not None:
        at = "at the board's clock"
        totals.append(Total("clock_board", "clock of the board", set_to))
        totals += clock_totals(speed, set_to.value, "_board", at, Source.ROUTED, link)
    return tuple(totals)


def speed_notes(speed: Speed) -> tuple[str, ...]:
    """The assumptions behind the latencies and the rates over the link."""
    assumed = (f"Latency, alone: {ALONE}.",) if speed.alone is not None else ()
    links = [link.assumed for link in (speed.link, speed.board_link) if link is not None]
    return (
        *assumed,
        f"Latency, paced: {PACED}. Both count cycles from the first input beat taken.",
        *(f"Over this board's link [estimated]: {text}." for text in dict.fromkeys(links)),
    )


def _named(speed: Speed) -> Iterator[tuple[str, Latency]]:
    if speed.alone is not None:
        yield "alone", speed.alone
    yield "paced", speed.timing.paced
