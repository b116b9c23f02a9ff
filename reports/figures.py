"""Text of figures: frame rates with four digits, other numbers with all of theirs."""

from __future__ import annotations

from sephw.rates import rate
from sephw.reports.model import Figure
from sephw.reports.numbers import number, short


def figure_text(figure: Figure) -> str:
    """The value without its unit, as text."""
    return rate(figure.value) if figure.unit == "frames/s" else number(figure.value)


def short_figure_text(figure: Figure) -> str:
    """`figure_text` with fewer digits, for a page that shows the whole value beside it."""
    return rate(figure.value) if figure.unit == "frames/s" else short(figure.value)
