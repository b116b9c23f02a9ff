"""Constraint files: where each port of the board top is, as each vendor's tools read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sephw.backends.board.pins import BoardPins, Pin
from sephw.targets import Technology


def constraint_text(pins: BoardPins, technology: Technology) -> tuple[str, str]:
    """(file name's ending, text) of the constraint file for a board of ``technology``."""
    ending, write = _WRITERS[technology]
    return ending, "\n".join([*write(pins), ""])


def _lpf(pins: BoardPins) -> Iterable[str]:
    yield f'FREQUENCY PORT "{pins.clock.port}" {pins.clock_mhz:g} MHZ;'
    for pin in pins.all:
        yield f'LOCATE COMP "{pin.port}" SITE "{pin.site}";'
        if pin.attributes:
            yield f'IOBUF PORT "{pin.port}" {_listed(pin)};'


def _pcf(pins: BoardPins) -> Iterable[str]:
    # Of the table's attributes only the pull-up means something to nextpnr.
    for pin in pins.all:
        pull_up = "-pullup yes " if pin.attributes.get("PULLUP") == "1" else ""
        yield f"set_io {pull_up}{pin.port} {pin.site}"
    yield f"set_frequency {pins.clock.port} {pins.clock_mhz:g}"


def _cst(pins: BoardPins) -> Iterable[str]:
    for pin in pins.all:
        yield f'IO_LOC "{pin.port}" {pin.site};'
        if pin.attributes:
            yield f'IO_PORT "{pin.port}" {_listed(pin)};'


def _listed(pin: Pin) -> str:
    return " ".join(f"{key}={value}" for key, value in pin.attributes.items())


_WRITERS: dict[Technology, tuple[str, Callable[[BoardPins], Iterable[str]]]] = {
    Technology.ECP5: ("lpf", _lpf),
    Technology.ICE40: ("pcf", _pcf),
    Technology.GOWIN: ("cst", _cst),
}
