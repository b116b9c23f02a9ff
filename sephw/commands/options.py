"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sephw.commands.completion import complete_network

Command = TypeVar("Command", bound=Callable[..., Any])


def json_option(text: str) -> Callable[[Command], Command]:
    """--json as the parameter ``as_json``; ``text``: what --help says of it."""
    return click.option("--json", "as_json", is_flag=True, help=text)


export_argument = click.argument("directory", type=click.Path(path_type=Path), metavar="EXPORT_DIR")
network_option = click.option(
    "--network",
    shell_complete=complete_network,
    metavar="NAME",
    help="Network of a bare state_dict.",
)
arguments_option = click.option(
    "--arguments", metavar="JSON", help="Network arguments of a bare state_dict."
)
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
    "docs/synthesis.md.  [default: where the sites of the device are known]",
)
search_seconds_option = click.option(
    "--search-seconds",
    default=600.0,
    show_default=True,
    type=click.FloatRange(min=0),
    metavar="S",
    help="After so long the folding search keeps the best that it has found, and says so.",
)

__all__ = [
    "arguments_option",
    "export_argument",
    "floorplan_option",
    "json_option",
    "network_option",
    "search_seconds_option",
    "seeds_option",
]
