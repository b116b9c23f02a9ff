"""Where the block RAMs and multipliers of a large ECP5 design go, before nextpnr places the rest.

nextpnr's analytic placer lets blocks overlap until its end and moves them to free sites then, far
away: that doubles the length of a design's wires (docs/synthesis.md). Here they get their sites
first, along the way that the data take: engines, in the order of the network, follow a path through
the lower half of the chip and back through the upper one, each as long a part of it as its logic
is of all, and every block goes near its engine. nextpnr keeps them there and places the logic
around.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sephw.ir import Resources

MULTIPLIER, BLOCK_RAM = "MULT18X18D", "DP16KD"
# Between two groups of four blocks; the clock's spine lies between the halves of a row.
_PITCH, _SPINE, _FIRST = 9, 2, 4
# A far site costs more than several near ones that are as far together.
_POWER = 1.5


@dataclass(frozen=True)
class Site:
    """A place for a block; ``name`` as nextpnr has it, ``x`` and ``y`` in tiles."""

    name: str
    x: int
    y: int


@dataclass(frozen=True)
class Chip:
    """Rows of blocks, by what they hold; ``groups`` of four in each, ``left`` of the spine."""

    groups: int
    left: int
    height: int
    multiplier_rows: tuple[int, ...]
    ram_rows: tuple[int, ...]

    @property
    def width(self) -> int:
        """In tiles."""
        return _FIRST + self.groups * _PITCH + _SPINE + 1

    def sites(self) -> dict[str, tuple[Site, ...]]:
        """By type of the cell that fits."""
        starts = [
            _FIRST + i * _PITCH + (_SPINE if i >= self.left else 0) for i in range(self.groups)
        ]
        multipliers = [
            Site(f"X{x + k}/Y{y}/MULT18_{k}", x + k, y)
            for y in self.multiplier_rows
            for x in starts
            for k in (0, 1, 4, 5)
        ]
        rams = [
            Site(f"X{x + 2 * k}/Y{y}/EBR{k}", x + 2 * k, y)
            for y in self.ram_rows
            for x in starts
            for k in range(4)
        ]
        return {MULTIPLIER: tuple(multipliers), BLOCK_RAM: tuple(rams)}


CHIPS: Mapping[str, Chip] = {
    "ecp5-25f": Chip(7, 3, 50, (13,), (25, 37)),
    "ecp5-45f": Chip(9, 4, 71, (22, 46), (10, 34, 58)),
    "ecp5-85f": Chip(13, 7, 95, (10, 34, 58), (22, 46, 70, 82)),
}


def place_blocks(
    netlist: Path, engines: Mapping[str, Resources], instances: Mapping[str, str], chip: Chip
) -> int:
    """Give blocks of a flat Yosys JSON file their sites; how many got one.

    ``engines``: what each takes, by node, in the order of the network; ``instances``: by node, the
    component of the names of its cells. Blocks outside of engines are left to nextpnr, and so are
    all of a kind that the chip has too few of. The same arguments give the same bytes.
    """
    content = json.loads(netlist.read_text("utf-8"))
    nodes = {instance: node for node, instance in instances.items()}
    blocks: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    cells: dict[str, Any] = {}
    for module in content["modules"].values():
        for name, cell in module["cells"].items():
            if cell["type"] in (MULTIPLIER, BLOCK_RAM):
                owner = next((nodes[part] for part in name.split(".") if part in nodes), None)
                if owner is not None:
                    blocks[cell["type"]][owner].append(name)
                    cells[name] = cell
    middles = _middles(engines, chip)
    placed = 0
    for kind, sites in chip.sites().items():
        found = _assign(blocks[kind], middles, sites)
        for name, site in found.items():
            cells[name].setdefault("attributes", {})["BEL"] = site.name
        placed += len(found)
    if placed:
        netlist.write_text(json.dumps(content), encoding="utf-8")
    return placed


def _middles(engines: Mapping[str, Resources], chip: Chip) -> dict[str, tuple[float, float]]:
    """The middle of each engine's part of the path."""
    areas = {name: used.lut + used.ff for name, used in engines.items()}
    total, before = max(1, sum(areas.values())), 0.0
    found = {}
    for name, area in areas.items():
        way = (before + area / 2) / total
        before += area
        there = way < 0.5
        along = 2 * way if there else 2 * (1 - way)
        found[name] = (along * chip.width, (0.25 if there else 0.75) * chip.height)
    return found


def _assign(
    blocks: Mapping[str, Sequence[str]],
    middles: Mapping[str, tuple[float, float]],
    sites: Sequence[Site],
) -> dict[str, Site]:
    """A site for every block, by engine: the least sum of distances; lanes side by side."""
    from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

    owners = [owner for owner, names in blocks.items() for _ in names]
    if not owners or len(owners) > len(sites):
        return {}
    away = np.array(
        [
            [abs(s.x - middles[owner][0]) + abs(s.y - middles[owner][1]) for s in sites]
            for owner in owners
        ]
    )
    _, chosen = linear_sum_assignment(away**_POWER)
    taken = defaultdict(list)
    for owner, place in zip(owners, chosen, strict=True):
        taken[owner].append(sites[place])
    return {
        name: site
        for owner, names in blocks.items()
        for name, site in zip(
            sorted(names, key=_natural), sorted(taken[owner], key=lambda s: (s.x, s.y)), strict=True
        )
    }


def _natural(name: str) -> list[tuple[int, str]]:
    """Numbers by their value: lane[2] before lane[10]."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


__all__ = ["BLOCK_RAM", "CHIPS", "MULTIPLIER", "Chip", "Site", "place_blocks"]
