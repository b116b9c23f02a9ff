"""Cells of Gowin's LittleBee and Arora, from the vendor's primitives guide."""

from __future__ import annotations

import re
from dataclasses import replace

from sephw.errors import SephwError
from sephw.technologies.cell_models import Bit, Cell, Function, Meaning, Part, Register, table_of

_MUX = table_of(lambda low, high, select: high if select else low, 3)
_BUFFER, _INVERTER = 0b10, 0b01
# Clock edge; synchronous set or reset, or asynchronous preset or clear; enable.
_FLIP_FLOP = re.compile(r"DFF(?P<falling>N?)(?P<reset>[SRPC]?)(?P<enable>E?)")
_RESET_PINS = {"S": "SET", "R": "RESET", "P": "PRESET", "C": "CLEAR"}
_FLIP_FLOPS = [
    f"DFF{edge}{reset}{enable}"
    for edge in ("", "N")
    for reset in ("", *_RESET_PINS)
    for enable in ("", "E")
]
_ADD, _SUBTRACT, _ADD_SUBTRACT, _NOT_EQUAL, _AT_LEAST = 0, 1, 2, 3, 4


def _lut(cell: Cell) -> list[Part]:
    inputs = tuple(cell.bit(f"I{k}") for k in range(int(cell.kind[-1])))
    return [Function(cell.output("F"), inputs, cell.number("INIT"))]


def _mux(cell: Cell) -> list[Part]:
    return [Function(cell.output("O"), (cell.bit("I0"), cell.bit("I1"), cell.bit("S0")), _MUX)]


def _buffer(cell: Cell) -> list[Part]:
    return [Function(cell.output("O"), (cell.bit("I"),), _BUFFER)]


def _inverter(cell: Cell) -> list[Part]:
    return [Function(cell.output("O"), (cell.bit("I"),), _INVERTER)]


def _constant(cell: Cell) -> list[Part]:
    high = cell.kind == "VCC"
    return [Function(cell.output("V" if high else "G"), (), int(high))]


def _alu(cell: Cell) -> list[Part]:
    """One bit of an adder, subtractor or comparison.

    Where I0 and I1 (inverted to subtract) differ, the carry goes on; else it is I0.
    """
    mode = cell.number("ALU_MODE")
    if mode not in (_ADD, _SUBTRACT, _ADD_SUBTRACT, _NOT_EQUAL, _AT_LEAST):
        raise SephwError(
            f"netlist: ALU '{cell.name}' has ALU_MODE {mode}; the simulation has models of 0 to 4"
        )

    def differs(a: int, b: int, plus: int) -> int:
        adds = mode == _ADD or (mode == _ADD_SUBTRACT and plus)
        return a ^ b ^ (0 if adds else 1)

    def total(a: int, b: int, plus: int, carry: int) -> int:
        return differs(a, b, plus) ^ carry

    def next_carry(a: int, b: int, plus: int, carry: int) -> int:
        if differs(a, b, plus):
            return carry
        return 1 if mode == _NOT_EQUAL else a

    inputs = (cell.bit("I0"), cell.bit("I1"), cell.bit("I3"), cell.bit("CIN"))
    return [
        Function(cell.output("SUM"), inputs, table_of(total, 4)),
        Function(cell.output("COUT"), inputs, table_of(next_carry, 4)),
    ]


def _flip_flop(cell: Cell) -> list[Part]:
    match = _FLIP_FLOP.fullmatch(cell.kind)
    assert match is not None  # every kind of the table below has this form
    reset = match["reset"]
    return [
        Register(
            output=cell.output("Q"),
            data=cell.bit("D"),
            clock=cell.bit("CLK"),
            rising=not match["falling"],
            enable=cell.bit("CE") if match["enable"] else "1",
            reset=cell.bit(_RESET_PINS[reset]) if reset else "0",
            reset_value=int(reset in ("S", "P")),
            asynchronous=reset in ("P", "C"),
        )
    ]


def _multiplier(cell: Cell) -> list[Part]:
    """Without registers and shift chains."""
    for parameter, value in cell.parameters.items():
        if parameter.endswith("REG") and int(value, 2):
            raise SephwError(
                f"netlist: {cell.kind} '{cell.name}' has {parameter} = 1; the simulation has no "
                "model of its registers"
            )
    ports: dict[str, tuple[Bit, ...]] = {
        name: cell.ports[name] for name in ("A", "B", "ASIGN", "BSIGN", "DOUT")
    }
    return [replace(cell.as_block(), parameters={}, ports=ports, outputs=frozenset({"DOUT"}))]


def _block(cell: Cell) -> list[Part]:
    return [cell.as_block()]


MEANINGS: dict[str, Meaning] = {
    **dict.fromkeys(("LUT1", "LUT2", "LUT3", "LUT4"), _lut),
    **dict.fromkeys(("MUX2_LUT5", "MUX2_LUT6", "MUX2_LUT7", "MUX2_LUT8"), _mux),
    **dict.fromkeys(("IBUF", "OBUF"), _buffer),
    "INV": _inverter,
    **dict.fromkeys(("VCC", "GND"), _constant),
    "ALU": _alu,
    **dict.fromkeys(_FLIP_FLOPS, _flip_flop),
    **dict.fromkeys(("RAM16SDP1", "RAM16SDP2", "RAM16SDP4"), _block),
    **dict.fromkeys(("SDPB", "SDPX9B", "SP", "SPX9", "DPB", "DPX9B"), _block),
    **dict.fromkeys(("MULT9X9", "MULT18X18"), _multiplier),
}
