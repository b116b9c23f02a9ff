"""Synthesizes random networks, as held-out ones of the resource model.

    python -m benchmarks.random_networks.synthesize --count N --seed S [--minutes M]

Rows go to sephw/resources/data/held_out_networks.json as they are found, until there are N; a run
goes on behind the last network of its seed. Writes reports/published/held_out_networks.md at its
end.
"""

from __future__ import annotations

import math

import click

from benchmarks.random_networks import held_out
from benchmarks.random_networks.held_out_page import publish
from sephw.lifetime.ending import end_on_signals


@click.command(help=__doc__)
@click.option("--count", default=100, show_default=True, type=click.IntRange(1), help="Rows.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Of networks.")
@click.option("--minutes", type=float, help="Begin no other after these; the next run goes on.")
def main(count: int, seed: int, minutes: float | None) -> None:
    """Synthesize what is missing, publish."""
    end_on_signals()
    found = held_out.measure(
        count,
        seed,
        lambda text: click.echo(text, err=True),
        most_seconds=math.inf if minutes is None else 60 * minutes,
    )
    click.echo(publish(found))


if __name__ == "__main__":
    main()
