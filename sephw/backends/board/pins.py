"""The pins of a board, from amaranth-boards' table of it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from typing import Any

from sephw.errors import SephwError
from sephw.targets import TARGETS, OpenBoard, Target
from sephw.technologies import PINS, Technology
from sephw.technologies.routing import Pin

# LEDs the top drives at most: clock, link, trouble.
_MAX_LEDS = 3


@dataclass(frozen=True)
class BoardPins:
    """The pins of the board top. ``clock_mhz``: the oscillator's clock.

    ``driven_high``: outputs that are constantly 1.
    """

    clock: Pin
    clock_mhz: float
    uart_rx: Pin
    uart_tx: Pin
    leds: tuple[Pin, ...]
    button: Pin | None
    driven_high: tuple[Pin, ...]

    @property
    def all(self) -> tuple[Pin, ...]:
        """Every pin, in the order of the top's ports."""
        button = () if self.button is None else (self.button,)
        return (self.clock, self.uart_rx, self.uart_tx, *self.leds, *button, *self.driven_high)


def board_pins(target: Target) -> BoardPins:
    """Pins of an open board. SephwError for a board of the vendor's flow, or without the table."""
    board = target.open_board
    if board is None:
        known = ", ".join(other.name for other in TARGETS if other.open_board is not None)
        raise SephwError(
            f"target '{target.name}' has no place-and-route from PyPI, so no board top is "
            f"generated; use one of {known}"
        )
    module, name = board.platform.split(":")
    try:
        platform: Any = getattr(importlib.import_module(module), name)()
    except ImportError as error:
        raise SephwError(
            f"target '{target.name}': pin tables need amaranth-boards ({error}); "
            "install it with 'pip install amaranth-boards'"
        ) from None
    clock = platform.lookup(platform.default_clk, 0)
    rx, tx = _uart(platform, board, target.device.technology)
    leds = _leds(platform)
    button = _first(platform, "button", 0)
    high = [_part(platform, what, number, part) for what, number, part in board.driven_high]
    return BoardPins(
        clock=_pin(platform, "clk_in", clock, clock.ios[0], is_output=False),
        clock_mhz=clock.clock.frequency / 1e6,
        uart_rx=rx,
        uart_tx=tx,
        leds=tuple(replace(pin, port=f"led_{i}") for i, pin in enumerate(leds)),
        button=None if button is None else replace(button, port="button", is_output=False),
        driven_high=tuple(replace(p, port=f"high_{i}", is_output=True) for i, p in enumerate(high)),
    )


def _uart(platform: Any, board: OpenBoard, technology: Technology) -> tuple[Pin, Pin]:
    # A line that nothing drives reads 1, the rest level of a UART.
    pull = technology.require(PINS).pull_up
    if board.uart_connector is not None:
        connector, number, *names = board.uart_connector
        mapping = platform.connectors[connector, number].mapping
        sites = [mapping[name] for name in names]
        drive = {key: value for key, value in pull.items() if "PULL" not in key}
        return Pin("uart_rx", sites[0], False, False, pull), Pin(
            "uart_tx", sites[1], True, False, drive
        )
    rx, tx = (_part(platform, "uart", 0, name) for name in ("rx", "tx"))
    return (
        replace(rx, port="uart_rx", is_output=False, attributes={**pull, **rx.attributes}),
        replace(tx, port="uart_tx", is_output=True),
    )


def _leds(platform: Any) -> list[Pin]:
    found = [_first(platform, "led", number) for number in range(_MAX_LEDS)]
    leds = [pin for pin in found if pin is not None]
    if not leds and ("rgb_led", 0) in platform.resources:
        leds = [_part(platform, "rgb_led", 0, colour) for colour in ("g", "b", "r")]
    return [replace(pin, is_output=True) for pin in leds]


def _first(platform: Any, name: str, number: int) -> Pin | None:
    if (name, number) not in platform.resources:
        return None
    resource = platform.lookup(name, number)
    return _pin(platform, name, resource, resource.ios[0], is_output=False)


def _part(platform: Any, name: str, number: int, part: str) -> Pin:
    resource = platform.lookup(name, number)
    (signal,) = (io for io in resource.ios if io.name == part)
    return _pin(platform, part, resource, signal.ios[0], signal, is_output=False)


def _pin(platform: Any, port: str, resource: Any, pins: Any, *owners: Any, is_output: bool) -> Pin:
    """The pin of ``pins``; attributes of the resource, then of its parts."""
    attributes: dict[str, str] = {}
    for owner in (resource, *owners):
        attributes |= {key: str(value) for key, value in owner.attrs.items()}
    (site,) = pins.names
    return Pin(port, site, is_output, bool(pins.invert), attributes)
