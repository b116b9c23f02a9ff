"""The command `sephw report`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sephw.commands.context import command_progress
from sephw.commands.options import json_option


@click.command(name="report")
@click.argument(
    "directory", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="EXPORT_DIR"
)
@json_option("Print report.json instead of the text.")
def report(directory: Path, as_json: bool) -> None:
    """Write the report of an export again, from the files that it has now, and print it.

    After a later synthesis, report.html, report.txt and report.json then show estimated,
    synthesized and routed figures side by side. Exit status: 0, or 2 for an error.
    """
    from sephw.invocation import found_from_here
    from sephw.reports import FILES, as_dict, refresh, render_overview

    with command_progress(1, about=directory.name).step(
        "report", "figures from the files", ends=False
    ):
        found = refresh(directory)
    if as_json:
        click.echo(json.dumps(as_dict(found), indent=2, ensure_ascii=False))
        return
    origin = found.provenance
    place = found_from_here(directory, None if origin is None else origin.invocation)
    click.echo(render_overview(found, place), nl=False)
    click.echo(f"\nfiles: {directory}: {', '.join(FILES)}")
