"""Carry chains of ECP5 netlists, written so that nextpnr needs no cells of its own for them.

nextpnr gives every chain whose first carry is a constant a cell before it that makes that carry,
and every chain whose last carry is connected, read or not, a cell behind it; two LUTs each. Both
are taken away here, on a netlist that Yosys wrote as JSON.

A cell, CCU2C, is two halves; a half with inputs A to D computes (cells_sim.v of Yosys)

    S = LUT4(A, B, C, D) ^ carry in;  carry out = LUT4 ? carry in : LUT2(A, B)

where LUT2 is the low four bits of LUT4's table. A half whose LUT4 is 0 makes a carry that depends
on nothing before it, so it can start a chain whose first carry is left open.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

Bit: TypeAlias = "int | str"
Cell: TypeAlias = dict[str, Any]

_INPUTS = ("A", "B", "C", "D")
_CONSTANTS: Mapping[Bit, int] = {"0": 0, "1": 1}
_OPEN: Bit = "x"
_CARRY_CELL = "CCU2C"


@dataclass(frozen=True)
class Half:
    """Half of a carry cell: its inputs A to D, its table, the net of its sum (open: unread)."""

    inputs: tuple[Bit, Bit, Bit, Bit]
    table: int
    sum: Bit

    def value(self, levels: Mapping[Bit, int], carry: int) -> tuple[int, int]:
        """(sum, carry out) where nets have ``levels``."""
        a, b, c, d = (_CONSTANTS.get(bit, levels.get(bit, 0)) for bit in self.inputs)
        wide = self.table >> (a + 2 * b + 4 * c + 8 * d) & 1
        return wide ^ carry, carry if wide else self.table >> (a + 2 * b) & 1


@dataclass(frozen=True)
class Relief:
    """Counts of changed chains: carries opened at their ends, cells saved at their beginnings."""

    ends: int
    starts: int


def relieve_carries(netlist: Path) -> Relief:
    """Rewrite the chains of a Yosys JSON file.

    Raises OSError or ValueError where the file is no netlist.
    """
    content = json.loads(netlist.read_text("utf-8"))
    found = [_relieve(module) for module in content["modules"].values()]
    netlist.write_text(json.dumps(content), "utf-8")
    return Relief(sum(relief.ends for relief in found), sum(relief.starts for relief in found))


def _relieve(module: Cell) -> Relief:
    cells: dict[str, Cell] = {
        name: cell for name, cell in module["cells"].items() if "port_directions" in cell
    }
    readers: dict[Bit, list[Cell]] = {}
    for cell in cells.values():
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) != "output":
                for bit in bits:
                    readers.setdefault(bit, []).append(cell)
    leaves = {bit for port in module["ports"].values() for bit in port["bits"]}
    read = leaves.union(readers)
    ends = _open_unread(cells, read)
    starts = 0
    for name, cell in cells.items():
        if cell["type"] != _CARRY_CELL or _port(cell, "CIN") not in _CONSTANTS:
            continue
        chain = [cell, *_following(cell, readers, leaves)]
        if all(_plain(member) for member in chain):
            starts += _start_inside(module["cells"], name, chain, read)
    return Relief(ends, starts)


def _open_unread(cells: Mapping[str, Cell], read: set[Bit]) -> int:
    """Open the carry outputs that nobody reads; how many there were."""
    ends = [
        cell["connections"]
        for cell in cells.values()
        if cell["type"] == _CARRY_CELL and not read.issuperset(cell["connections"].get("COUT", ()))
    ]
    for connections in ends:
        connections["COUT"] = [_OPEN]
    return len(ends)


def _following(cell: Cell, readers: Mapping[Bit, list[Cell]], leaves: set[Bit]) -> Iterator[Cell]:
    """The cells behind ``cell`` in its chain, as long as only they read the carry."""
    while True:
        carry = _port(cell, "COUT")
        behind = readers.get(carry, [])
        if carry == _OPEN or carry in leaves or len(behind) != 1:
            return
        (cell,) = behind
        if cell["type"] != _CARRY_CELL or _port(cell, "CIN") != carry:
            return
        yield cell


def _plain(cell: Cell) -> bool:
    """Whether both halves take the carry before them."""
    return all(cell["parameters"][f"INJECT1_{i}"] == "NO" for i in (0, 1))


def _start_inside(cells: dict[str, Cell], name: str, chain: list[Cell], read: set[Bit]) -> bool:
    """Let ``chain``, whose first cell is called ``name``, make its first carry itself."""
    carry = _CONSTANTS[_port(chain[0], "CIN")]
    halves = [_half(cell, i) for cell in chain for i in (0, 1)]
    if halves[-1].sum not in read and _port(chain[-1], "COUT") == _OPEN:
        # Nobody needs the last half: all move up by one.
        halves = [Half(("1", "1", "1", "1"), 0x000F * carry, _OPEN), *halves[:-1]]
    else:
        first = halves[0]
        start = _generator(first, carry)
        if start is None:
            return False
        halves[0] = start
        if first.sum in read:
            cells[f"{name}_first_sum"] = _lut(first.inputs, first.table ^ 0xFFFF * carry, first.sum)
    chain[0]["connections"]["CIN"] = [_OPEN]
    for place, half in enumerate(halves):
        cell, i = chain[place // 2], place % 2
        cell["parameters"][f"INIT{i}"] = f"{half.table:016b}"
        for port, bit in zip(_INPUTS, half.inputs, strict=True):
            cell["connections"][f"{port}{i}"] = [bit]
        cell["connections"][f"S{i}"] = [half.sum]
    return True


def _generator(first: Half, carry: int) -> Half | None:
    """The carry out of ``first``, made of at most two nets; None where it needs more."""
    nets = tuple(dict.fromkeys(bit for bit in first.inputs if bit not in _CONSTANTS))
    if len(nets) > 2 or _OPEN in nets:
        return None
    a, b = (*nets, "1", "1")[:2]
    table = 0
    for levels in range(4):
        _, made = first.value({a: levels & 1, b: levels >> 1}, carry)
        table |= made << levels
    return Half((a, b, "1", "1"), table, _OPEN)


def _lut(inputs: tuple[Bit, ...], table: int, output: Bit) -> Cell:
    ports = dict(zip(_INPUTS, inputs, strict=True))
    return {
        "hide_name": 1,
        "type": "LUT4",
        "parameters": {"INIT": f"{table:016b}"},
        "attributes": {},
        "port_directions": {**dict.fromkeys(ports, "input"), "Z": "output"},
        "connections": {**{port: [bit] for port, bit in ports.items()}, "Z": [output]},
    }


def _half(cell: Cell, i: int) -> Half:
    a, b, c, d = (_port(cell, f"{port}{i}") for port in _INPUTS)
    return Half((a, b, c, d), int(cell["parameters"][f"INIT{i}"], 2), _port(cell, f"S{i}"))


def _port(cell: Cell, port: str) -> Bit:
    bits: list[Bit] = cell["connections"].get(port, [_OPEN])
    return bits[0]


__all__ = ["Half", "Relief", "relieve_carries"]
