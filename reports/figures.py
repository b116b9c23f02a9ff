"""Figures as people read them: frame rates as everywhere, other numbers with their digits."""

from __future__ import annotations

from sephw.rates import rate
from sephw.reports.model import Figure
from sephw.reports.numbers import number, short


def figure_text(figure: Figure) -> str:
    """The value without its unit, as text."""
    return rate(figure.value) if figure.unit == "frames/s" else number(figure.value)


def short_figure_text(figure: Figure) -> str:
    """As `figure_text`, for a page that has the whole value beside it."""
    return rate(figure.value) if figure.unit == "frames/s" else short(figure.value)
