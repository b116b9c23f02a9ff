"""Constraint files: where each port of the board top is, as each vendor's tools read it."""

from __future__ import annotations

from sephw.backends.board.pins import BoardPins
from sephw.technologies import PINS, Technology


def constraint_text(pins: BoardPins, technology: Technology) -> tuple[str, str]:
    """(file name's ending, text) of the constraint file for a board of ``technology``."""
    form = technology.require(PINS)
    lines = form.lines(pins.all, pins.clock, pins.clock_mhz)
    return form.ending, "\n".join([*lines, ""])
