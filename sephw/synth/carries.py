"""Carry chains of ECP5 netlists: what nextpnr must not take for a used carry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def open_unused_carries(netlist: Path) -> int:
    """Leave the carry outputs open that nobody reads, in a Yosys JSON file; how many there were.

    At the end of a chain nextpnr leads every carry output that is connected, read or not, out of
    the chain through a cell of its own, two LUTs. Raises OSError or ValueError where the file is
    no netlist.
    """
    content = json.loads(netlist.read_text("utf-8"))
    found = sum(_open(module) for module in content["modules"].values())
    netlist.write_text(json.dumps(content), "utf-8")
    return found


def _open(module: dict[str, Any]) -> int:
    cells = [cell for cell in module["cells"].values() if "port_directions" in cell]
    read = {bit for port in module["ports"].values() for bit in port["bits"]}
    for cell in cells:
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) != "output":
                read.update(bits)
    ends = [
        cell["connections"]
        for cell in cells
        if cell["type"] == "CCU2C" and not read.issuperset(cell["connections"].get("COUT", ()))
    ]
    for connections in ends:
        connections["COUT"] = ["x"]
    return len(ends)


__all__ = ["open_unused_carries"]
