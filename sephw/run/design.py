"""The board design of an export."""

from __future__ import annotations

from pathlib import Path

from sephw.command_line import command_line
from sephw.errors import UsageError
from sephw.export_names import AMD, MANIFEST
from sephw.host import DESCRIPTION, Description, DescriptionError, read_description


def read_design(directory: Path) -> Description:
    """The board design of an export.

    Raises UsageError where nothing was synthesized for an open board, DescriptionError as
    `read_description` does.
    """
    try:
        return read_description(directory)
    except DescriptionError as error:
        described = [file for file in directory.rglob(DESCRIPTION) if file.parent.name != AMD]
        if described or not (directory / MANIFEST).is_file():
            raise
        try:
            made = _synthesis(directory)
        except ImportError:  # beside a board, where there is the driver alone
            raise error from None
        raise UsageError(
            f"{directory}: this export holds no design of an open board; for one: {made}"
        ) from None


def _synthesis(directory: Path) -> str:
    """The command that makes the design: for the export's board, or the first open one."""
    from sephw.export_folder import ExportFolder
    from sephw.targets import TARGETS

    target = ExportFolder.open(directory).target
    if target.open_board is not None:
        return command_line("synth", [directory])
    first = next(board for board in TARGETS if board.open_board is not None)
    return command_line("synth", [directory], [("--target", first.name)])
