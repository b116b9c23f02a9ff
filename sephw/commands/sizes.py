"""The command `sephw sizes`."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from sephw.commands.context import command_progress
from sephw.commands.options import json_option
from sephw.networks import check_name
from sephw.sizes import DEFAULT, network_size, table


@click.command(name="sizes")
@click.argument("networks", nargs=-1, metavar="[NETWORK]...")
@json_option("The counted sizes as JSON.")
def sizes(networks: tuple[str, ...], as_json: bool) -> None:
    """Parameters and bytes of the named networks in R, B and BQ, beside the paper's table.

    MB are 10^6 bytes: 32 bits for a float, 1 bit for a pattern's weight, 8 bits for the rest in
    BQ. The SEP-Nets at 224×224 are reconstructions: the paper's table of layers is incomplete.
    """
    names = networks or DEFAULT
    for name in names:
        check_name(name)
    progress = command_progress(1)
    counted = []
    what = names[0] if len(names) == 1 else f"{len(names)} networks"
    with progress.step("sizes", f"{what} built and counted", ends=False):
        for done, name in enumerate(names):
            progress.update(f"{name} ({done} of {len(names)})")
            counted.append(network_size(name))
    if as_json:
        click.echo(json.dumps([asdict(size) for size in counted], indent=2))
        return
    click.echo(table(counted))
    click.echo(
        "SEPNet-1.3M and SEPNet-full are reconstructions; constants (biases and scales from folded "
        "batch norms) come on top."
    )
