"""PLL settings of a board for the nearest clock that is not above the requested one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from sephw.errors import SephwError
from sephw.technologies import Device
from sephw.technologies.routing import MHz


@dataclass(frozen=True)
class Clocking:
    """One way to make a clock. ``settings``: the PLL's parameters; None: the input is the clock.

    Frequencies in MHz, exact.
    """

    input: MHz
    output: MHz
    oscillator: MHz
    detector: MHz
    settings: Mapping[str, int] | None

    @property
    def output_mhz(self) -> float:
        """The clock in MHz."""
        return float(self.output)


def find_clocking(
    device: Device, input_mhz: float, wanted_mhz: float, *, by_pll: bool = False
) -> Clocking:
    """The fastest clock up to ``wanted_mhz`` from an oscillator of ``input_mhz``.

    The oscillator itself counts as well, except with ``by_pll``. Among equals the one with the
    fastest phase detector, then the fastest oscillator. SephwError where every legal clock is
    faster than wanted.
    """
    source, wanted = _exact(input_mhz), _exact(wanted_mhz)
    pll, limits = device.pll()
    found = [
        Clocking(source, c.output, c.oscillator, c.detector, c.settings)
        for c in (pll.choices(source, wanted, limits) if source in limits.input else ())
        if c.output <= wanted
        and c.output in limits.output
        and c.oscillator in limits.oscillator
        and c.detector in limits.detector
    ]
    if source <= wanted and not by_pll:
        found.append(Clocking(source, source, Fraction(0), Fraction(10**6), None))
    if not found:
        raise SephwError(
            f"a clock of {wanted_mhz:g} MHz: the PLL makes no less than "
            f"{float(limits.output.low):g} MHz and the board's oscillator is {input_mhz:g} MHz; "
            f"ask for {min(float(limits.output.low), input_mhz):g} MHz or more"
        )
    return max(found, key=lambda c: (c.output, c.detector, c.oscillator))


def _exact(mhz: float) -> MHz:
    return Fraction(round(mhz * 1e6), 10**6)
