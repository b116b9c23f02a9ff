"""Options that several commands have."""

from __future__ import annotations

import click

seeds_option = click.option(
    "--seeds",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    metavar="N",
    help="Place and route with N seeds side by side; the fastest counts.",
)
floorplan_option = click.option(
    "--floorplan/--no-floorplan",
    default=None,
    help="Block RAMs and multipliers get their sites along the network before placement; see "
    "docs/synthesis.md.  [default: on an ECP5]",
)
search_seconds_option = click.option(
    "--search-seconds",
    default=600.0,
    show_default=True,
    type=click.FloatRange(min=0),
    metavar="S",
    help="After so long the folding search keeps the best that it has found, and says so.",
)

__all__ = ["floorplan_option", "search_seconds_option", "seeds_option"]
