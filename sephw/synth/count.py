"""Cells of a synthesized netlist in the units of `Resources`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sephw.ir import Resources
from sephw.technologies import CELLS, Technology

Cell = Mapping[str, Any]


def count(technology: Technology, cells: Iterable[Cell]) -> Resources:
    """Resources of ``cells`` (of a Yosys JSON netlist, mapped to ``technology``)."""
    known = technology.require(CELLS)
    kinds: Counter[str] = Counter()
    for cell in cells:
        kinds[str(cell["type"])] += 1
    return Resources(
        lut=_sum(known.lut, kinds),
        ff=sum(n for kind, n in kinds.items() if known.ff.match(kind)),
        bram=_sum(known.bram, kinds),
        dsp=_sum(known.dsp, kinds),
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
    """The instance that contains a cell or net of this hierarchical name; None for none."""
    wanted = instances if isinstance(instances, set | frozenset) else set(instances)
    for part in re.split(r"[.\\]", name):
        if part in wanted:
            return part
    return None


def _sum(weights: Mapping[str, int], kinds: Mapping[str, int]) -> int:
    return sum(weight * kinds.get(kind, 0) for kind, weight in weights.items())
