"""A flat Yosys netlist (JSON) as functions, registers and blocks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from sephw.errors import SephwError
from sephw.synth.netlist.model import Netlist
from sephw.technologies import CELL_MODELS, Technology
from sephw.technologies.cell_models import Bit, Cell, Part


def read_netlist(path: Path, technology: Technology) -> Netlist:
    """The one module of a netlist of ``technology``.

    Raises SephwError where the file is no flat netlist, where the technology has no cell models,
    and where a cell is of a kind without a model, naming it.
    """
    meanings = technology.require(CELL_MODELS)
    name, module = _module(path)
    nets = module["netnames"]
    fresh = count(
        1 + max((b for n in nets.values() for b in n["bits"] if isinstance(b, int)), default=0)
    )
    parts: list[Part] = []
    kinds: Counter[str] = Counter()
    for cell_name, content in module["cells"].items():
        cell = _cell(cell_name, content, fresh)
        meaning = meanings.get(cell.kind)
        if meaning is None:
            raise SephwError(
                f"netlist '{path.name}': no model of cell type '{cell.kind}' ('{cell_name}') among "
                f"those of {technology.name}; add one to sephw/technologies"
            )
        kinds[cell.kind] += 1
        parts += meaning(cell)
    ports = tuple(
        (port["direction"], port_name, _bits(port["bits"]))
        for port_name, port in module["ports"].items()
    )
    named = {net_name: _bits(net["bits"]) for net_name, net in nets.items()}
    return Netlist(name, ports, named, tuple(parts), dict(sorted(kinds.items())))


def _module(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        modules = json.loads(path.read_text(encoding="utf-8"))["modules"]
        ((name, module),) = modules.items()
        return name, {key: module[key] for key in ("ports", "cells", "netnames")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise SephwError(
            f"'{path}' is no netlist of one module as Yosys writes it; synthesize again"
        ) from None


def _cell(name: str, content: Mapping[str, Any], fresh: count[int]) -> Cell:
    directions = content["port_directions"]
    return Cell(
        name=name,
        kind=content["type"],
        parameters=content["parameters"],
        ports={port: _bits(bits) for port, bits in content["connections"].items()},
        outputs=frozenset(port for port, way in directions.items() if way == "output"),
        fresh=fresh,
    )


def _bits(bits: list[Bit]) -> tuple[Bit, ...]:
    return tuple(bits)
