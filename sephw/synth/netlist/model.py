"""The data model of a netlist whose cells are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sephw.technologies.cell_models import Bit, Part


@dataclass(frozen=True)
class Netlist:
    """A module: its ports as (direction, name, bits), its named nets and its parts."""

    name: str
    ports: tuple[tuple[str, str, tuple[Bit, ...]], ...]
    named: Mapping[str, tuple[Bit, ...]]
    parts: tuple[Part, ...]
    cells: Mapping[str, int] = field(default_factory=dict)
