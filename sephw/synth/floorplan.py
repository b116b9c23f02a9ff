"""Placement of a large design's block RAMs and multipliers before nextpnr places the rest.

nextpnr's analytic placer lets blocks overlap until its end and moves them to free sites then, far
away: that doubles the length of a design's wires (docs/synthesis.md). Here they get their sites
first, along the data path: engines, in the order of the network, follow a path through the lower
half of the chip and back through the upper one, each with a share of the path that equals its share
of the logic, and every block is placed near its engine. nextpnr keeps these sites and places the
logic around them.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sephw.ir import Resources
from sephw.technologies.routing import Floorplan, Site

# A far site costs more than several near ones that are as far together.
_POWER = 1.5


def place_blocks(
    netlist: Path, engines: Mapping[str, Resources], instances: Mapping[str, str], chip: Floorplan
) -> int:
    """Assign sites to the blocks of a flat Yosys JSON file; returns how many got one.

    ``engines``: the resources of each node, in the order of the network; ``instances``: by node,
    the component of the names of its cells. Blocks outside of engines are left to nextpnr, and so
    are all of a kind that the chip has too few of. The same arguments give the same bytes.
    """
    content = json.loads(netlist.read_text("utf-8"))
    nodes = {instance: node for node, instance in instances.items()}
    blocks: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    cells: dict[str, Any] = {}
    for module in content["modules"].values():
        for name, cell in module["cells"].items():
            if cell["type"] in chip.sites:
                owner = next((nodes[part] for part in name.split(".") if part in nodes), None)
                if owner is not None:
                    blocks[cell["type"]][owner].append(name)
                    cells[name] = cell
    middles = _path_centres(engines, chip)
    placed = 0
    for kind, sites in chip.sites.items():
        found = _assign(blocks[kind], middles, sites)
        for name, site in found.items():
            cells[name].setdefault("attributes", {})["BEL"] = site.name
        placed += len(found)
    if placed:
        netlist.write_text(json.dumps(content), encoding="utf-8")
    return placed


def _path_centres(
    engines: Mapping[str, Resources], chip: Floorplan
) -> dict[str, tuple[float, float]]:
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
    """A site for every block, by engine, with the least sum of distances; lanes side by side."""
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


__all__ = ["place_blocks"]
