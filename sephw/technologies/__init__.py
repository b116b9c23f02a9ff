"""Families of devices, one file each. Everything that differs between them is in their profiles.

A new family is its file, its data, and its name in `FAMILIES`; a new size is a row in its file.
"""

from sephw.errors import UsageError
from sephw.suggest import did_you_mean
from sephw.technologies.ecp5 import ECP5
from sephw.technologies.gowin import GOWIN
from sephw.technologies.ice40 import ICE40
from sephw.technologies.profile import (
    CELL_MODELS,
    CELLS,
    CHARACTERIZATION,
    LOGIC,
    PINS,
    PLL,
    RAMS,
    RECIPE,
    ROUTE,
    SECTIONS,
    Device,
    Section,
    Size,
    Technology,
)
from sephw.technologies.xc7 import XC7

FAMILIES: tuple[Technology, ...] = (ECP5, ICE40, GOWIN, XC7)


def find_technology(name: str) -> Technology:
    """The family called `name`; UsageError lists the names where there is none."""
    for technology in FAMILIES:
        if technology.name == name:
            return technology
    names = [technology.name for technology in FAMILIES]
    raise UsageError(
        f"technology '{name}' is unknown; {did_you_mean(name, names)}use one of {', '.join(names)}"
    )


__all__ = [
    "CELLS",
    "CHARACTERIZATION",
    "ECP5",
    "FAMILIES",
    "GOWIN",
    "ICE40",
    "LOGIC",
    "CELL_MODELS",
    "PINS",
    "PLL",
    "RAMS",
    "RECIPE",
    "ROUTE",
    "SECTIONS",
    "XC7",
    "Device",
    "Section",
    "Size",
    "Technology",
    "find_technology",
]
