"""Numbers as people read them."""

from __future__ import annotations


def number(value: int | float) -> str:
    """Thousands separators; a fraction has at most three digits after the point."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def short(value: int | float) -> str:
    """As `number`, but a fraction has no more than five digits in all."""
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
