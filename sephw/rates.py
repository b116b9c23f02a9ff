"""Frame rates as people read them, in every command, report and refusal."""

from __future__ import annotations

import math


def rate(fps: float) -> str:
    """Four digits: whole from 1,000 on, as in '10,204', '113.4', '8.72'; no trailing zeros."""
    return f"{fps:,.0f}" if abs(fps) >= 999.95 else f"{fps:.4g}"


def reachable_rate(fps: float) -> str:
    """`rate` rounded down, so that a rate that is offered can be reached."""
    if fps <= 0:
        return "0"
    unit = 10.0 ** min(0, math.floor(math.log10(fps)) - 3)
    return rate(math.floor(fps / unit) * unit)


def typed_rate(fps: float) -> str:
    """A frame rate as a person has typed it."""
    return f"{fps:,.10g}"
