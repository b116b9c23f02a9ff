"""The vendor tools' data of a board, beyond its part."""

from __future__ import annotations

from dataclasses import dataclass

from sephw.errors import UsageError
from sephw.targets import TARGETS, Target


@dataclass(frozen=True)
class AmdBoard:
    """A board with a processing system that PYNQ runs on.

    ``board_parts``: pattern of its board files' names. ``processing_system``: the script for its
    family. ``reference_mhz``: the processing system's input clock on the board. ``address_bits``:
    width of the DMA's memory addresses; ``memory_port_bits``: of data at the processing
    system's high-performance port, as the block design leaves it.
    """

    board_parts: str
    processing_system: str
    reference_mhz: float
    address_bits: int
    memory_port_bits: int


_ZYNQ, _ULTRASCALE = "zynq_7000.tcl", "zynq_ultrascale.tcl"
_BOARDS = {
    "pynq-z2": AmdBoard("tul.com.tw:pynq-z2:part0:*", _ZYNQ, 50.0, 32, 64),
    "zcu104": AmdBoard("xilinx.com:zcu104:part0:*", _ULTRASCALE, 33.333, 40, 128),
    "kv260": AmdBoard("xilinx.com:kv260_som:part0:*", _ULTRASCALE, 33.333, 40, 128),
    "ultra96": AmdBoard("avnet.com:ultra96v2:part0:*", _ULTRASCALE, 33.333, 40, 128),
}


def has_amd_flow(target: Target) -> bool:
    """Whether ``write_amd`` has a project for ``target``."""
    return target.name in _BOARDS


def amd_board(target: Target) -> AmdBoard:
    """The vendor side of ``target``; UsageError names the targets that have one."""
    board = _BOARDS.get(target.name)
    if board is None:
        names = ", ".join(t.name for t in TARGETS if t.name in _BOARDS)
        raise UsageError(
            f"target '{target.name}' has no Vivado project with a PYNQ driver; use one of {names}"
        )
    return board
