"""The command `sephw check`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sephw.commands.context import EXIT_USAGE, command_progress, quiet_libraries
from sephw.commands.options import arguments_option, json_option, network_option


@click.command(name="check")
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.pth|MODEL.onnx")
@network_option
@arguments_option
@json_option("Print the table as JSON.")
@click.pass_context
def check(
    ctx: click.Context, model: Path, network: str | None, arguments: str | None, as_json: bool
) -> None:
    """Say in seconds what an export would take: a table of every node, all refusals at once.

    A node is exact, exact by thresholds, refused (why, and what to change), or not reached, since
    what it reads is refused. Behind a refused node whose meaning is clear, nodes are judged as if
    it were changed as it says. Exit status: 0 all taken, 2 something refused or an error.
    """
    from sephw.export.settings import parse_arguments

    given = parse_arguments(arguments)
    with command_progress(1, about=model.stem).step("check", model.name, ends=False):
        from sephw.check import check_model, text

        with quiet_libraries():
            found = check_model(model, network, given)
    click.echo(
        json.dumps(found.as_dict(), indent=2, ensure_ascii=False) if as_json else text(found)
    )
    if not found.taken:
        ctx.exit(EXIT_USAGE)
