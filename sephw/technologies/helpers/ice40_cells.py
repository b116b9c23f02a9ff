"""Cells of Lattice iCE40, from the vendor's technology library."""

from __future__ import annotations

import re
from dataclasses import replace

from sephw.technologies.cell_models import Bit, Cell, Function, Meaning, Part, Register, table_of

_MAJORITY = table_of(lambda a, b, c: a + b + c >= 2, 3)
# Clock edge, enable, then: reset or set, synchronous where an S comes before it.
_FLIP_FLOP = re.compile(r"SB_DFF(?P<falling>N?)(?P<enable>E?)(?P<reset>SR|SS|R|S|)")
_FLIP_FLOPS = [
    f"SB_DFF{edge}{enable}{reset}"
    for edge in ("", "N")
    for enable in ("", "E")
    for reset in ("", "R", "S", "SR", "SS")
]
# What a pin is where nothing is connected; the others are 0.
_UP = {"SB_RAM40_4K": ("RCLKE", "WCLKE"), "SB_MAC16": ("CE",)}


def _lut4(cell: Cell) -> list[Part]:
    inputs = tuple(cell.bit(f"I{k}") for k in range(4))
    return [Function(cell.output("O"), inputs, cell.number("LUT_INIT"))]


def _carry(cell: Cell) -> list[Part]:
    inputs = (cell.bit("I0"), cell.bit("I1"), cell.bit("CI"))
    return [Function(cell.output("CO"), inputs, _MAJORITY)]


def _flip_flop(cell: Cell) -> list[Part]:
    match = _FLIP_FLOP.fullmatch(cell.kind)
    assert match is not None  # every kind of the table below has this form
    reset = match["reset"]
    synchronous = len(reset) == 2
    return [
        Register(
            output=cell.output("Q"),
            data=cell.bit("D"),
            clock=cell.bit("C"),
            rising=not match["falling"],
            enable=cell.bit("E") if match["enable"] else "1",
            reset=cell.bit(reset[-1]) if reset else "0",
            reset_value=int(reset.endswith("S")),
            asynchronous=bool(reset) and not synchronous,
            # Without an enabled clock there is no synchronous reset either.
            gated_reset=synchronous,
        )
    ]


def _block(cell: Cell) -> list[Part]:
    ports: dict[str, tuple[Bit, ...]] = dict.fromkeys(_UP[cell.kind], ("1",))
    ports |= {name: bits for name, bits in cell.ports.items() if bits}
    return [replace(cell.as_block(), ports=ports)]


MEANINGS: dict[str, Meaning] = {
    "SB_LUT4": _lut4,
    "SB_CARRY": _carry,
    **dict.fromkeys(_FLIP_FLOPS, _flip_flop),
    **dict.fromkeys(_UP, _block),
}
