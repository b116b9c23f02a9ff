"""Cells of Lattice ECP5, from the vendor's descriptions of its slices."""

from __future__ import annotations

from sephw.errors import SephwError
from sephw.technologies.cell_models import (
    Bit,
    Cell,
    Function,
    Meaning,
    Part,
    Register,
    table_of,
)

_MUX = table_of(lambda low, high, select: high if select else low, 3)


def _lut4(cell: Cell) -> list[Part]:
    inputs = tuple(cell.bit(pin) for pin in "ABCD")
    return [Function(cell.output("Z"), inputs, cell.number("INIT"))]


def _pfumx(cell: Cell) -> list[Part]:
    return [Function(cell.output("Z"), (cell.bit("BLUT"), cell.bit("ALUT"), cell.bit("C0")), _MUX)]


def _l6mux21(cell: Cell) -> list[Part]:
    return [Function(cell.output("Z"), (cell.bit("D0"), cell.bit("D1"), cell.bit("SD")), _MUX)]


def _ccu2c(cell: Cell) -> list[Part]:
    """Two stages of a carry chain.

    In each, four inputs give "propagate" by their LUT, the first two "generate" by its lowest
    four bits. INJECT1 = YES cuts the carry off from the sum, and the generated one from the next.
    """
    parts: list[Part] = []
    carry = cell.bit("CIN")
    for stage in "01":
        table = cell.number(f"INIT{stage}")
        injected = cell.text(f"INJECT1_{stage}", "YES") == "YES"

        def total(*bits: int, table: int = table, injected: bool = injected) -> int:
            return _propagate(table, bits) ^ (0 if injected else bits[4])

        def next_carry(*bits: int, table: int = table, injected: bool = injected) -> int:
            generated = 0 if injected else table >> (bits[0] | bits[1] << 1) & 1
            return bits[4] if _propagate(table, bits) else generated

        inputs = (*(cell.bit(f"{pin}{stage}") for pin in "ABCD"), carry)
        carry = cell.output("COUT") if stage == "1" else next(cell.fresh)
        parts.append(Function(cell.output(f"S{stage}"), inputs, table_of(total, 5)))
        parts.append(Function(carry, inputs, table_of(next_carry, 5)))
    return parts


def _propagate(table: int, bits: tuple[int, ...]) -> int:
    return table >> sum(bit << k for k, bit in enumerate(bits[:4])) & 1


def _flip_flop(cell: Cell) -> list[Part]:
    if cell.text("LSRMODE", "LSR") != "LSR":
        raise SephwError(
            f"netlist: TRELLIS_FF '{cell.name}' loads its M input (LSRMODE PRLD); the simulation "
            "has no model of that"
        )
    enable, enable_high = _polarity(cell, "CE", "CEMUX", "1")
    reset, reset_high = _polarity(cell, "LSR", "LSRMUX", "LSR")
    return [
        Register(
            output=cell.output("Q"),
            data=cell.bit("DI"),
            clock=cell.bit("CLK"),
            rising=cell.text("CLKMUX", "CLK") != "INV",
            enable=enable,
            enable_high=enable_high,
            reset=reset,
            reset_high=reset_high,
            reset_value=int(cell.text("REGSET", "RESET") == "SET"),
            asynchronous=cell.text("SRMODE", "LSR_OVER_CE") == "ASYNC",
        )
    ]


def _polarity(cell: Cell, pin: str, parameter: str, default: str) -> tuple[Bit, bool]:
    """What a pin's input multiplexer makes of it: a constant, the pin or its inverse."""
    setting = cell.text(parameter, default)
    if setting in ("0", "1"):
        return setting, True
    return cell.bit(pin), setting != "INV"


def _block(cell: Cell) -> list[Part]:
    return [cell.as_block()]


MEANINGS: dict[str, Meaning] = {
    "LUT4": _lut4,
    "PFUMX": _pfumx,
    "L6MUX21": _l6mux21,
    "CCU2C": _ccu2c,
    "TRELLIS_FF": _flip_flop,
    "TRELLIS_DPR16X4": _block,
    "DP16KD": _block,
    "MULT18X18D": _block,
}
