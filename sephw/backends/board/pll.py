"""Clock of a board: PLL settings for the nearest clock that is not above the wanted one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from sephw.errors import SephwError
from sephw.targets import Device, Technology

MHz = Fraction


@dataclass(frozen=True)
class Range:
    """A closed interval of frequencies in MHz."""

    low: MHz
    high: MHz

    def __contains__(self, value: MHz) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Limits:
    """What the vendor's data sheet allows, MHz: input, phase detector, oscillator, output."""

    input: Range
    detector: Range
    oscillator: Range
    output: Range


def _range(low: str, high: str) -> Range:
    return Range(Fraction(low), Fraction(high))


# ECP5 and ECP5-5G family data sheet (sysCLOCK PLL timing); iCE40 UltraPlus family data sheet (the
# same figures as LP/HX).
_LIMITS: Mapping[Technology, Limits] = {
    Technology.ECP5: Limits(
        _range("8", "400"), _range("3.125", "400"), _range("400", "800"), _range("3.125", "400")
    ),
    Technology.ICE40: Limits(
        _range("10", "133"), _range("10", "133"), _range("533", "1066"), _range("16", "275")
    ),
}
# By device: GW1NR series data sheet, grade C6/I5; GW2AR series data sheet, grade C8/I7.
_GOWIN_LIMITS: Mapping[str, Limits] = {
    "gw1nr-9": Limits(
        _range("3", "400"), _range("3", "400"), _range("400", "1200"), _range("3.125", "600")
    ),
    "gw2ar-18": Limits(
        _range("3", "500"), _range("3", "500"), _range("500", "1250"), _range("3.90625", "625")
    ),
}
# Upper ends of the ranges of iCE40's loop filter, MHz at the phase detector; range 1 first.
_FILTER_ENDS = (17, 26, 44, 66, 101)
_GOWIN_OUTPUT_DIVIDERS = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)


@dataclass(frozen=True)
class Clocking:
    """One way to make a clock. ``settings``: the PLL's parameters; None: the input is the clock.

    Frequencies in MHz, exact.
    """

    technology: Technology
    input: MHz
    output: MHz
    oscillator: MHz
    detector: MHz
    settings: Mapping[str, int] | None

    @property
    def output_mhz(self) -> float:
        """The clock in MHz."""
        return float(self.output)


def pll_limits(device: Device) -> Limits:
    """What the data sheet allows the PLL of ``device``, one of the open technologies."""
    by_device = _GOWIN_LIMITS if device.technology is Technology.GOWIN else {}
    return by_device[device.name] if by_device else _LIMITS[device.technology]


def find_clocking(
    device: Device, input_mhz: float, wanted_mhz: float, *, by_pll: bool = False
) -> Clocking:
    """The fastest clock up to ``wanted_mhz`` from an oscillator of ``input_mhz``.

    The oscillator itself counts as well, except with ``by_pll``. Among equals the one with the
    fastest phase detector, then the fastest oscillator. SephwError where every legal clock is
    faster than wanted.
    """
    source, wanted = _exact(input_mhz), _exact(wanted_mhz)
    technology, limits = device.technology, pll_limits(device)
    found = [
        c
        for c in (_SEARCHES[technology](source, wanted) if source in limits.input else ())
        if c.output <= wanted
        and c.output in limits.output
        and c.oscillator in limits.oscillator
        and c.detector in limits.detector
    ]
    if source <= wanted and not by_pll:
        found.append(Clocking(technology, source, source, Fraction(0), Fraction(10**6), None))
    if not found:
        raise SephwError(
            f"a clock of {wanted_mhz:g} MHz: the PLL makes no less than "
            f"{float(limits.output.low):g} MHz and the board's oscillator is {input_mhz:g} MHz; "
            f"ask for {min(float(limits.output.low), input_mhz):g} MHz or more"
        )
    return max(found, key=lambda c: (c.output, c.detector, c.oscillator))


def _exact(mhz: float) -> MHz:
    return Fraction(round(mhz * 1e6), 10**6)


def _ecp5(source: MHz, wanted: MHz) -> Iterator[Clocking]:
    """The loop closes over CLKOP, the clock is CLKOS: its divider is free of the loop's."""
    limits = _LIMITS[Technology.ECP5]
    for reference in range(1, min(128, floor(source / limits.detector.low)) + 1):
        detector = source / reference
        low, high = (
            ceil(limits.oscillator.low / detector),
            floor(limits.oscillator.high / detector),
        )
        for product in range(low, high + 1):
            oscillator = detector * product
            loop = next(
                (
                    n
                    for n in range(1, 129)
                    if product % n == 0 and product // n <= 128 and oscillator / n in limits.output
                ),
                0,
            )
            divider = ceil(oscillator / wanted)
            if loop and divider <= 128:
                settings = {
                    "CLKI_DIV": reference,
                    "CLKFB_DIV": product // loop,
                    "CLKOP_DIV": loop,
                    "CLKOS_DIV": divider,
                }
                output = oscillator / divider
                yield Clocking(Technology.ECP5, source, output, oscillator, detector, settings)


def _ice40(source: MHz, wanted: MHz) -> Iterator[Clocking]:
    for divr in range(16):
        detector = source / (divr + 1)
        filter_range = 1 + sum(detector >= end for end in _FILTER_ENDS)
        for divf in range(128):
            oscillator = detector * (divf + 1)
            for divq in range(1, 7):
                output = oscillator / (1 << divq)
                if output <= wanted:
                    settings = {
                        "DIVR": divr,
                        "DIVF": divf,
                        "DIVQ": divq,
                        "FILTER_RANGE": filter_range,
                    }
                    yield Clocking(Technology.ICE40, source, output, oscillator, detector, settings)


def _gowin(source: MHz, wanted: MHz) -> Iterator[Clocking]:
    for idiv in range(64):
        detector = source / (idiv + 1)
        for fbdiv in range(min(64, floor(wanted / detector))):
            output = detector * (fbdiv + 1)
            for odiv in _GOWIN_OUTPUT_DIVIDERS:
                settings = {"IDIV_SEL": idiv, "FBDIV_SEL": fbdiv, "ODIV_SEL": odiv}
                yield Clocking(Technology.GOWIN, source, output, output * odiv, detector, settings)


_SEARCHES: Mapping[Technology, Callable[[MHz, MHz], Iterator[Clocking]]] = {
    Technology.ECP5: _ecp5,
    Technology.ICE40: _ice40,
    Technology.GOWIN: _gowin,
}
