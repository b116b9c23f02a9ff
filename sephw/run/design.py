"""The board design of an export."""

from __future__ import annotations

from pathlib import Path

from sephw.command_line import command_line
from sephw.errors import UsageError
from sephw.export_names import MANIFEST
from sephw.host import DESCRIPTION, Description, DescriptionError, read_description


def read_design(directory: Path) -> Description:
    """The board design of an export. Raises UsageError where nothing was synthesized for a
    board.
    """
    try:
        return read_description(directory)
    except DescriptionError:
        if (directory / MANIFEST).is_file() and not list(directory.rglob(DESCRIPTION)):
            made = command_line("synth", [directory])
            raise UsageError(
                f"{directory}: this export holds no design of a board; for one of the open boards: "
                f"{made}"
            ) from None
        raise
