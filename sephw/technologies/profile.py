"""The profile of a family of devices, its sizes, and the rule for what a family lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sephw.errors import SephwError
from sephw.ir.resources import Resources
from sephw.technologies.cell_models import Meaning
from sephw.technologies.fabric import (
    Cells,
    Characterization,
    Dsp,
    Logic,
    Margins,
    Rams,
    Recipe,
)
from sephw.technologies.routing import (
    BoardTop,
    Floorplan,
    Pins,
    Pll,
    PllLimits,
    Route,
    RoutedSize,
)

S = TypeVar("S")


@dataclass(frozen=True)
class Section(Generic[S]):
    """Names one section of a profile: ``field`` of `Technology`, and what to say where it is None.

    ``thing``: what cannot be done then; ``reason`` with {technology}; ``fix`` with {known}, the
    technologies that have the section.
    """

    field: str
    thing: str
    reason: str
    fix: str


@dataclass(frozen=True)
class Size:
    """One chip of a family. ``part`` as its place-and-route (or vendor's) tool spells it.

    ``available`` in the units of `Resources`. ``routed`` None: no open place-and-route from PyPI
    knows it. ``pll``: what its data sheet allows; ``pll_device``: what the PLL's cell wants the
    chip to be called; "": the part.
    """

    name: str
    part: str
    available: Resources
    routed: RoutedSize | None = None
    pll: PllLimits | None = None
    pll_device: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Technology:
    """A family of devices: what synthesis maps to and what the resource model is fitted for.

    One object a family; equal only to itself. A section that is None was not characterized, or
    there is no such thing: `require` refuses then.
    ``cell_models``: what each cell of a synthesized netlist means, by its type; modules of the
    blocks are in rtl/cells/{name}.v.
    """

    name: str
    sizes: tuple[Size, ...]
    cells: Cells | None = None
    logic: Logic | None = None
    rams: Rams | None = None
    dsp: Dsp | None = None
    recipe: Recipe | None = None
    margins: Margins = field(default_factory=Margins)
    characterization: Characterization | None = None
    route: Route | None = None
    pll: Pll | None = None
    pins: Pins | None = None
    board_top: BoardTop | None = None
    cell_models: Mapping[str, Meaning] | None = None

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<technology {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process has its own object of the family."""
        from sephw.technologies import find_technology

        return find_technology, (self.name,)

    def has(self, section: Section[Any]) -> bool:
        """True where the section is there."""
        return getattr(self, section.field) is not None

    def require(self, section: Section[S], purpose: str = "") -> S:
        """The section; SephwError, one line, where it is None.

        ``purpose``: what it is for, in place of the section's own ``thing``.
        """
        value: S | None = getattr(self, section.field)
        if value is None:
            from sephw.technologies import FAMILIES

            others = (t.name for t in FAMILIES if t.has(section) and t.name != self.name)
            known = ", ".join(others) or "none"
            reason = section.reason.format(technology=self.name)
            fix = section.fix.format(known=known)
            raise SephwError(f"{purpose or section.thing}: {reason}; {fix}")
        return value


_CHOOSE = "choose a device of {known}"
CELLS: Section[Cells] = Section(
    "cells", "synthesized counts", "what the cells of {technology} count is not known", _CHOOSE
)
LOGIC: Section[Logic] = Section(
    "logic", "resource model", "the logic of {technology} is not described", _CHOOSE
)
RAMS: Section[Rams] = Section(
    "rams", "resource model", "the RAMs of {technology} are not described", _CHOOSE
)
RECIPE: Section[Recipe] = Section(
    "recipe", "synthesis", "there is no recipe for {technology}", _CHOOSE
)
CHARACTERIZATION: Section[Characterization] = Section(
    "characterization",
    "resource model",
    "{technology} has not been characterized",
    "estimates exist for {known}; choose a device of these",
)
ROUTE: Section[Route] = Section(
    "route",
    "place and route",
    "no tool from PyPI places and routes {technology} devices (openXC7, elsewhere, does some "
    "7-series ones)",
    "use --no-route for the counts of Yosys, and the vendor's tools for a bitstream",
)
PLL: Section[Pll] = Section("pll", "board", "the PLL of {technology} is not described", _CHOOSE)
PINS: Section[Pins] = Section(
    "pins", "board", "constraint files of {technology} are not described", _CHOOSE
)
CELL_MODELS: Section[Mapping[str, Meaning]] = Section(
    "cell_models",
    "netlist simulation",
    "no cell models of {technology}",
    "there are some of {known}; choose a board of these",
)
SECTIONS: tuple[Section[Any], ...] = (
    CELLS,
    LOGIC,
    RAMS,
    RECIPE,
    CHARACTERIZATION,
    ROUTE,
    PLL,
    PINS,
    CELL_MODELS,
)


@dataclass(frozen=True)
class Device:
    """One chip: a size of a technology."""

    technology: Technology
    size: Size

    @property
    def name(self) -> str:
        """The device's name on the command line."""
        return self.size.name

    @property
    def part(self) -> str:
        """The part as its place-and-route (or vendor's) tool spells it."""
        return self.size.part

    @property
    def available(self) -> Resources:
        """The resources of the chip by the vendor's data sheet."""
        return self.size.available

    @property
    def routable(self) -> bool:
        """True where an open place-and-route from PyPI exists.

        Without one there are synthesized counts, but no clock and no bitstream.
        """
        return self.technology.route is not None and self.size.routed is not None

    @property
    def has_dsp(self) -> bool:
        """True where the chip has DSP blocks; multiplications take logic where it has none."""
        return self.available.dsp > 0

    @property
    def block_ram_bits(self) -> int:
        """Bits of all block RAMs. UltraRAM is not among them: it cannot start with constants."""
        rams = self.technology.rams
        return 0 if rams is None else self.available.bram * rams.block_bits

    @property
    def floorplan(self) -> Floorplan | None:
        """Where its blocks are; None: not known."""
        return None if self.size.routed is None else self.size.routed.floorplan

    def routing(self) -> tuple[Route, RoutedSize]:
        """The route to a placed design. Raises SephwError where no open tool has one."""
        purpose = f"place and route for {self.name}"
        route = self.technology.require(ROUTE, purpose)
        if self.size.routed is None:
            raise SephwError(f"{purpose}: no tool from PyPI knows it; {ROUTE.fix}")
        return route, self.size.routed

    def check_flow(self, *, routes: bool, board: bool) -> None:
        """SephwError, one line, for the first thing that a run of the open tools would miss.

        ``routes``: the design is placed and routed; ``board``: it has the top of a board.
        """
        for section in (RECIPE, CELLS, *((PINS,) if board else ())):
            self.technology.require(section)
        if board:
            self.pll()
        if routes:
            self.routing()

    def pll(self) -> tuple[Pll, PllLimits]:
        """The PLL of a board's clock, and its limits. Raises SephwError where it is not known."""
        pll = self.technology.require(PLL)
        if self.size.pll is None:
            raise SephwError(
                f"{PLL.thing}: the limits of the PLL of {self.name} are not known; choose another "
                "device"
            )
        return pll, self.size.pll


__all__ = [
    "CELLS",
    "CHARACTERIZATION",
    "LOGIC",
    "CELL_MODELS",
    "PINS",
    "PLL",
    "RAMS",
    "RECIPE",
    "ROUTE",
    "SECTIONS",
    "Device",
    "Section",
    "Size",
    "Technology",
]
