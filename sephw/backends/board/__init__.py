"""A board's top module around an RTL project: pins, clock, host link; its constraint file."""

from sephw.backends.board.pins import BoardPins, board_pins
from sephw.backends.board.pll import Clocking, find_clocking
from sephw.backends.board.project import (
    ACCELERATOR,
    BoardProject,
    BoardRates,
    Task,
    TestFrames,
    write_board,
)
from sephw.backends.board.simulation import (
    CompiledBoard,
    SimulatedBoard,
    SimulatedPort,
    compile_board,
)

__all__ = [
    "ACCELERATOR",
    "BoardPins",
    "BoardProject",
    "BoardRates",
    "Clocking",
    "CompiledBoard",
    "SimulatedBoard",
    "SimulatedPort",
    "Task",
    "TestFrames",
    "board_pins",
    "compile_board",
    "find_clocking",
    "write_board",
]
