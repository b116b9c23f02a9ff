"""Sections of a profile that lead to a board: place and route, PLL, pins, the board's top."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import TypeAlias

from sephw.ir.resources import Resources

MHz: TypeAlias = Fraction


@dataclass(frozen=True)
class Units:
    """Names in nextpnr's utilization, each with what one of it counts, by `Resources` field.

    The first name of a field is that of the places there are; others take such places as well.
    ``cells_hold_both``: one place holds a LUT and a flip-flop, so that places used do not say how
    many flip-flops there are.
    """

    lut: Mapping[str, int]
    ff: Mapping[str, int]
    bram: Mapping[str, int]
    dsp: Mapping[str, int]
    cells_hold_both: bool = False

    def resources(self, counts: Mapping[str, int]) -> Resources:
        """Counts by nextpnr's names in the units of `Resources`."""
        lut, ff, bram, dsp = (
            sum(weight * counts.get(name, 0) for name, weight in names.items())
            for names in (self.lut, self.ff, self.bram, self.dsp)
        )
        return Resources(lut, ff, bram, dsp)

    def available(self, counts: Mapping[str, int]) -> Resources:
        """The available resources, from the counts of sites by nextpnr's names."""
        lut, ff, bram, dsp = (
            weight * counts.get(name, 0)
            for name, weight in (
                next(iter(names.items())) for names in (self.lut, self.ff, self.bram, self.dsp)
            )
        )
        return Resources(lut, ff, bram, dsp)


@dataclass(frozen=True)
class Packer:
    """The program that makes a bitstream of a routed design.

    Python's ``module.function`` of the package ``wheel``, or ``program`` on the PATH. In
    ``arguments`` {device} is the size's part, {routed} and {bitstream} are files.
    ``plain``: the function reads the command line itself.
    """

    program: str
    wheel: str
    module: str
    function: str
    arguments: tuple[str, ...]
    plain: bool = False


@dataclass(frozen=True)
class CellParameters:
    """A PLL's settings are parameters of its cell, of type ``cell``, in nextpnr's own design.

    ``file``: that design. ``rewrite``: options with which nextpnr makes of it what is packed; none
    where it is packed itself.
    """

    file: str
    cell: str
    rewrite: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConfigurationWords:
    """A PLL's settings are binary words in a tile of a text configuration, ``file``.

    ``tile``: a pattern of a tile of a PLL, which holds the text ``in_use`` if the design uses it.
    ``words``: by setting those that follow it, each one less than it, of ``bits`` bits.
    """

    file: str
    tile: re.Pattern[str]
    in_use: str
    words: Mapping[str, tuple[str, ...]]
    bits: int


@dataclass(frozen=True)
class Site:
    """A place for a block; ``name`` as nextpnr has it, ``x`` and ``y`` in tiles."""

    name: str
    x: int
    y: int


@dataclass(frozen=True)
class Floorplan:
    """Where the blocks of a size are: ``sites`` by type of the cell that fits; in tiles."""

    width: int
    height: int
    sites: Mapping[str, tuple[Site, ...]]


@dataclass(frozen=True)
class RoutedSize:
    """The place-and-route data of one size.

    ``aim_mhz``: the clock to aim for where nobody asks for one: seldom reached, so that nextpnr
    tries. ``package``, ``speed``: the usual ones, as nextpnr spells them. ``harness_pins``: clock,
    reset, input and output of a design without a board, where nextpnr chooses none itself; any pins
    would do. ``floorplan``: where blocks are, as far as it is known.
    """

    aim_mhz: float
    package: str = ""
    speed: str = ""
    harness_pins: tuple[str, ...] = ()
    floorplan: Floorplan | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Route:
    """Place-and-route by a build of nextpnr.

    ``program``: nextpnr's name; its wheel is ``yowasp-`` and that. ``outputs``: options and names
    of the files that nextpnr writes, of which ``output`` is packed into a file that ends with
    ``bitstream_suffix``. ``arguments``: options of a part in a package of a speed grade, with a
    file of pins (None: free pins). ``part_name``: what a person calls that chip. ``packages``:
    those whose versions decide what the bitstream is, beside nextpnr's own. ``clock_decoration``:
    what buffers and global promotion add to the name of a clock's net. ``expected_mhz``: (LUTs,
    MHz) that designs up to that size reach. ``effort``: of what a design takes and the device has,
    the options tried first; where nextpnr fails with them, it runs again without. ``prepare``
    changes nextpnr's copy of the netlist where that helps it, and says what was done.
    ``chooses_pins``: nextpnr finds pins for a design without a file of them.
    """

    program: str
    outputs: tuple[str, ...]
    output: str
    bitstream_suffix: str
    units: Units
    packer: Packer
    arguments: Callable[[str, str, str, str | None], list[str]]
    part_name: Callable[[str, str, str], str]
    clock_decoration: re.Pattern[str]
    packages: tuple[str, ...] = ()
    expected_mhz: tuple[tuple[float, float], ...] = ((inf, inf),)
    effort: Callable[[Resources, Resources], tuple[str, ...]] = lambda used, available: ()
    prepare: Callable[[Path], str] = lambda netlist: ""
    chooses_pins: bool = True

    @property
    def wheel(self) -> str:
        """The package that brings nextpnr."""
        return f"yowasp-{self.program}"

    def likely(self, used: Resources) -> float:
        """A clock in MHz that a design of this size is likely to reach."""
        return next(mhz for most, mhz in self.expected_mhz if used.lut <= most)


@dataclass(frozen=True)
class Range:
    """A closed interval of frequencies in MHz."""

    low: MHz
    high: MHz

    @classmethod
    def from_decimals(cls, low: str, high: str) -> Range:
        """The range between two decimal numbers, exactly."""
        return cls(Fraction(low), Fraction(high))

    def __contains__(self, value: MHz) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True)
class PllLimits:
    """The data sheet's limits in MHz: input, phase detector, oscillator, output."""

    input: Range
    detector: Range
    oscillator: Range
    output: Range


@dataclass(frozen=True)
class PllChoice:
    """One setting of a PLL: its cell's parameters, and the frequencies in MHz that follow."""

    output: MHz
    oscillator: MHz
    detector: MHz
    settings: Mapping[str, int]


@dataclass(frozen=True)
class Pll:
    """The PLL that makes the clock of a board.

    ``choices``: all settings that make at most a wanted clock of an oscillator's, both in MHz;
    whoever asks checks the limits of the phase detector, the oscillator and the output. ``body``:
    SystemVerilog between the ports clk_in, uart_clk, clk and locked; {input} and {output} are MHz,
    {device} is the size's `Size.pll_device`, the other names in braces are settings. ``update``:
    how a design that is routed gets other settings.
    """

    choices: Callable[[MHz, MHz, PllLimits], Iterator[PllChoice]]
    body: str
    update: CellParameters | ConfigurationWords


@dataclass(frozen=True)
class Pin:
    """One port of the board top: ``site`` and ``attributes`` as the vendor's tools spell them.

    ``inverted``: the board's signal is active low.
    """

    port: str
    site: str
    is_output: bool
    inverted: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def listed(self) -> str:
        """The attributes, as ``KEY=value KEY=value``."""
        return " ".join(f"{key}={value}" for key, value in self.attributes.items())


@dataclass(frozen=True)
class Pins:
    """Pins and constraints. ``pull_up``: the attributes of a pin that rests at 1.

    ``ending``: that of a constraint file's name; ``lines``: its lines, of all pins and of the
    oscillator's with its MHz. ``location``: the line of one pin with {port} and {pin}.
    """

    pull_up: Mapping[str, str]
    ending: str
    lines: Callable[[Sequence[Pin], Pin, float], Iterable[str]]
    location: str


@dataclass(frozen=True)
class BoardTop:
    """The top of a board's design.

    ``resources``: what lies in no engine ("glue" in synth.json), the larger of two small networks,
    rounded up; block RAMs of an image of 28 × 28 bytes. ``reset_chain``: the engines' resets are a
    chain, as on large chips; else one net.
    """

    resources: Resources
    reset_chain: bool = False


__all__ = [
    "BoardTop",
    "CellParameters",
    "ConfigurationWords",
    "Floorplan",
    "MHz",
    "Packer",
    "Pin",
    "Pins",
    "Pll",
    "PllChoice",
    "PllLimits",
    "Range",
    "Route",
    "RoutedSize",
    "Site",
    "Units",
]
