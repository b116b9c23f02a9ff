"""Numbers formatted for people."""

from __future__ import annotations


def number(value: int | float) -> str:
    """Thousands separators; a fraction has at most three digits after the point."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def short(value: int | float) -> str:
    """`number` with at most five digits in all where the value is a fraction."""
    if isinstance(value, int) or abs(value) < 100:
        return number(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}".removesuffix(".0")


def percent(part: int | float, whole: int | float) -> str:
    """A share in per cent, whole from 10 % on: '12 %', '3.4 %', '<0.1 %', '0 %'."""
    if not part or not whole:
        return "0 %"
    share = 100 * part / whole
    if share < 0.1:
        return "<0.1 %"
    return f"{share:.0f} %" if share >= 9.95 else f"{share:.1f} %"
