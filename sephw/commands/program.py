"""The command `sephw program`."""

from __future__ import annotations

from pathlib import Path

import click

from sephw.commands.context import command_progress
from sephw.commands.options import export_argument
from sephw.run.design import read_design
from sephw.tools.programmer import load_bitstream


@click.command(name="program")
@export_argument
@click.option(
    "--bitstream",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Instead of the one in the export.",
)
@click.option("--flash", is_flag=True, help="Write the board's flash: it survives power-off.")
def program(directory: Path, bitstream: Path | None, flash: bool) -> None:
    """Load an exported bitstream into its board with openFPGALoader."""
    known = read_design(directory)
    file = known.bitstream() if bitstream is None else bitstream
    purpose = f"programming '{known.name}'"
    with command_progress(1, about=known.name).step("program", f"{file.name} to {known.target}"):
        where = load_bitstream(file, known.cable, flash=flash, purpose=purpose)
    click.echo(f"{known.name}: {file.name} is in the {where} of {known.target}")
