"""Cells of Lattice iCE40, from the vendor's technology library."""

from __future__ import annotations

import re

from sephw.errors import SephwError
from sephw.synth.netlist.model import Block, Cell, Function, Meaning, Part, Register, table_of

_MAJORITY = table_of(lambda a, b, c: a + b + c >= 2, 3)
# Clock edge, enable, then: reset or set, synchronous where an S comes before it.
_FLIP_FLOP = re.compile(r"SB_DFF(?P<falling>N?)(?P<enable>E?)(?P<reset>SR|SS|R|S|)")
_FLIP_FLOPS = [
    f"SB_DFF{edge}{enable}{reset}"
    for edge in ("", "N")
    for enable in ("", "E")
    for reset in ("", "R", "S", "SR", "SS")
]
# A multiplication of 16 x 16 bits without any of the block's registers and adders.
_PLAIN_MULTIPLIER = {
    "NEG_TRIGGER": 0, "A_REG": 0, "B_REG": 0, "C_REG": 0, "D_REG": 0, "TOP_8x8_MULT_REG": 0,
    "BOT_8x8_MULT_REG": 0, "PIPELINE_16x16_MULT_REG1": 0, "PIPELINE_16x16_MULT_REG2": 0,
    "TOPOUTPUT_SELECT": 3, "BOTOUTPUT_SELECT": 3, "MODE_8x8": 0,
}  # fmt: skip


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


def _multiplier(cell: Cell) -> list[Part]:
    for parameter, value in _PLAIN_MULTIPLIER.items():
        if cell.number(parameter) != value:
            raise SephwError(
                f"netlist: SB_MAC16 '{cell.name}' has {parameter} = {cell.number(parameter)}; the "
                f"simulation has a model of {value} only"
            )
    signs = {name: cell.parameters.get(name, "0") for name in ("A_SIGNED", "B_SIGNED")}
    ports = {name: cell.ports[name] for name in "ABO"}
    return [Block(cell.name, cell.kind, signs, ports, frozenset("O"))]


def _memory(cell: Cell) -> list[Part]:
    return [cell.as_block()]


MEANINGS: dict[str, Meaning] = {
    "SB_LUT4": _lut4,
    "SB_CARRY": _carry,
    **dict.fromkeys(_FLIP_FLOPS, _flip_flop),
    "SB_RAM40_4K": _memory,
    "SB_MAC16": _multiplier,
}
