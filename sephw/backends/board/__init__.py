"""A board's top module around an RTL project: pins, clock, host link; its constraint file."""

from sephw.backends.board.pins import BoardPins, Pin, board_pins
from sephw.backends.board.pll import Clocking, find_clocking
from sephw.backends.board.project import ACCELERATOR, BoardProject, write_board

__all__ = [
    "ACCELERATOR",
    "BoardPins",
    "BoardProject",
    "Clocking",
    "Pin",
    "board_pins",
    "find_clocking",
    "write_board",
]
