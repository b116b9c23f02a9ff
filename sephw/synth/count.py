"""Cells of a synthesized netlist in the units of `Resources`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sephw.ir import Resources
from sephw.targets import Technology

Cell = Mapping[str, Any]

# What one cell takes. LUT: of the cells that place-and-route counts as logic; flip-flops and
# hard blocks by the start of their names.
_LUT = {
    Technology.ECP5: {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4},
    Technology.ICE40: {"SB_LUT4": 1},
    Technology.GOWIN: {
        "LUT1": 1,
        "LUT2": 1,
        "LUT3": 1,
        "LUT4": 1,
        "ALU": 1,
        "RAM16SDP1": 1,
        "RAM16SDP2": 2,
        "RAM16SDP4": 4,
        "INV": 1,
    },
    Technology.XC7: {
        "LUT1": 1,
        "LUT2": 1,
        "LUT3": 1,
        "LUT4": 1,
        "LUT5": 1,
        "LUT6": 1,
        "INV": 1,
        "SRL16E": 1,
        "SRLC32E": 1,
        "RAM32X1S": 1,
        "RAM64X1S": 1,
        "RAM128X1S": 2,
        "RAM256X1S": 4,
        "RAM512X1S": 8,
        "RAM32X1D": 2,
        "RAM64X1D": 2,
        "RAM128X1D": 4,
        "RAM32M": 4,
        "RAM64M": 4,
        "RAM32X16DR8": 8,
        "RAM32M16": 8,
        "RAM64M8": 8,
    },
}
_FF = {
    Technology.ECP5: re.compile(r"TRELLIS_FF$"),
    Technology.ICE40: re.compile(r"SB_DFF"),
    Technology.GOWIN: re.compile(r"DFF"),
    Technology.XC7: re.compile(r"FD[RSCP]E"),
}
_BRAM = {
    Technology.ECP5: {"DP16KD": 1, "PDPW16KD": 1},
    Technology.ICE40: {f"SB_RAM40_4K{kind}": 1 for kind in ("", "NR", "NW", "NRNW")},
    Technology.GOWIN: {
        name: 1
        for kind in ("SDPB", "SDPX9B", "DPB", "DPX9B", "SPX9", "SP", "pROM", "pROMX9")
        for name in (kind,)
    },
    Technology.XC7: {"RAMB18E1": 1, "RAMB36E1": 2},
}
_DSP = {
    Technology.ECP5: {"MULT18X18D": 1},
    Technology.ICE40: {"SB_MAC16": 1},
    # Halves of a multiplier of 18 bits.
    Technology.GOWIN: {"MULT9X9": 1, "MULT18X18": 2, "MULT36X36": 8, "MULTALU18X18": 4},
    Technology.XC7: {"DSP48E1": 1},
}


def count(technology: Technology, cells: Iterable[Cell]) -> Resources:
    """Resources of ``cells`` (of a Yosys JSON netlist, mapped to ``technology``)."""
    kinds: Counter[str] = Counter()
    for cell in cells:
        kinds[str(cell["type"])] += 1
    return Resources(
        lut=_sum(_LUT[technology], kinds),
        ff=sum(n for kind, n in kinds.items() if _FF[technology].match(kind)),
        bram=_sum(_BRAM[technology], kinds),
        dsp=_sum(_DSP[technology], kinds),
    )


def count_engines(
    technology: Technology, cells: Mapping[str, Cell], instances: Iterable[str]
) -> tuple[dict[str, Resources], Resources]:
    """Resources by instance of a flattened netlist, and those of all other cells.

    An instance's cells are those whose hierarchical name has it as a component.
    """
    wanted = set(instances)
    parts: dict[str | None, list[Cell]] = {name: [] for name in wanted}
    parts[None] = []
    for name, cell in cells.items():
        parts[owner(name, wanted)].append(cell)
    return (
        {name: count(technology, parts[name]) for name in wanted},
        count(technology, parts[None]),
    )


def owner(name: str, instances: Iterable[str]) -> str | None:
    """The instance in whose engine a cell or net of this hierarchical name lies, if any."""
    wanted = instances if isinstance(instances, set | frozenset) else set(instances)
    for part in re.split(r"[.\\]", name):
        if part in wanted:
            return part
    return None


def _sum(weights: Mapping[str, int], kinds: Mapping[str, int]) -> int:
    return sum(weight * kinds.get(kind, 0) for kind, weight in weights.items())
