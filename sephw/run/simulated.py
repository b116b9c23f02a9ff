"""A simulated board instead of a real one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sephw.backends.board import compile_board
from sephw.export_names import RTL
from sephw.host import Accelerator, Description, Retries

# In the board's time, of which little passes in simulation.
_RETRIES = Retries(margin_seconds=0.002)
# The board's reset after power-up is over by then, and its clock has been counted.
_START_SECONDS = 0.003


@contextlib.contextmanager
def simulated(known: Description) -> Iterator[Accelerator]:
    """The board of an export, simulated in Verilator; times are the simulated board's own."""
    compiled = compile_board(known.directory.parent / RTL, known.directory)
    with compiled.power_up() as board:
        board.wait(_START_SECONDS)
        with Accelerator(
            board.plug_in(), known, retries=_RETRIES, clock=board.clock
        ) as accelerator:
            yield accelerator
