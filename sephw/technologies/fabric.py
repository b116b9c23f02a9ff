"""Sections of a profile that say what a chip is made of, and what synthesis and estimates know."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sephw.errors import UsageError
from sephw.ir.resources import RESOURCE_KINDS, Resources
from sephw.ir.structure import AdderPart, MultiplierPart


@dataclass(frozen=True)
class Cells:
    """The count of a synthesized netlist's cells in `Resources`, by the cell's type.

    ``lut``: cells that place-and-route counts as logic; ``ff``: a pattern at the start of the types
    of flip-flops; ``carry``: the type of a carry cell. ``units``: sentences for a person, that say
    what one LUT, one block RAM and one DSP block is.
    """

    lut: Mapping[str, int]
    ff: re.Pattern[str]
    bram: Mapping[str, int]
    dsp: Mapping[str, int]
    carry: str
    units: str


@dataclass(frozen=True)
class Logic:
    """The resource model's data of the family's logic.

    ``lut_inputs``: of the widest function that LUTs and the multiplexers behind them make without
    more LUTs. ``small_sum_bits``: sums of so few bits are made of LUTs, without carry cells.
    ``choice_luts``: how many LUTs choose one of a number of bits. ``carry_cell_bits``: bits that
    one carry cell adds; it takes as many LUTs. ``carry_gates``: carry cells have gates at their
    inputs, which the engines use. ``shift_registers``: LUTs can be shift registers.
    """

    lut_inputs: int
    small_sum_bits: int
    choice_luts: Callable[[int], int]
    carry_cell_bits: int = 1
    carry_gates: bool = False
    shift_registers: bool = False


@dataclass(frozen=True)
class Ram:
    """One kind of RAM. ``widths`` in bits, narrowest first; 2^``address_bits`` words of that one.

    ``byte``: bits under one write enable, 0 for a whole word. ``write``, ``read``: indices into
    ``widths`` of the narrowest and widest word that the port has. ``blocks``: `Resources.bram`,
    ``luts`` `Resources.lut` of each. ``cost_width``: the part of ``cost`` that grows with the bits
    used. ``rom``: it can hold constants. ``one_address``: it is read where it is written.
    ``narrower``: widths of RAMs that take the place of the last one of a row, a LUT a bit.
    """

    name: str
    address_bits: int
    widths: tuple[int, ...]
    cost: int
    byte: int = 0
    write: tuple[int, int] = (0, 99)
    read: tuple[int, int] = (0, 99)
    blocks: int = 0
    luts: int = 0
    cost_width: int = 0
    rom: bool = True
    one_address: bool = False
    narrower: tuple[int, ...] = ()


@dataclass(frozen=True)
class Rams:
    """Kinds of RAM as Yosys' description of the family has them, in its order.

    ``block_bits``: bits of what `Resources.bram` counts. ``rom_bit_cost``: what Yosys counts for a
    constant bit in logic. ``engines_place_fifos``: rtl/sephw_fifo.sv chooses between block RAM and
    LUTs; else the synthesis does.
    """

    kinds: tuple[Ram, ...]
    block_bits: int
    rom_bit_cost: float
    engines_place_fifos: bool = False


@dataclass(frozen=True)
class InDsp:
    """The logic in DSP blocks beside multipliers: bits of registers, and adders."""

    registers: int = 0
    adders: tuple[AdderPart, ...] = ()


@dataclass(frozen=True)
class Dsp:
    """The multiplier of a DSP block: at most ``widest`` bits (the wider operand, the other one).

    A wider operand is cut into parts of ``part`` bits, of which ``headroom`` is a sign. What has
    an operand below ``least`` bits or a product below ``product`` bits goes to ``smaller`` blocks,
    or is made of LUTs where there are none. ``units``: of `Resources.dsp`, of one block.
    ``holds``: what blocks take in beside the products of a part, of which ``constants`` bits of
    registers lie between a ROM and the operands; None: nothing.
    """

    widest: tuple[int, int]
    part: int
    product: int = 0
    headroom: int = 0
    least: tuple[int, int] = (2, 2)
    units: int = 1
    smaller: Dsp | None = None
    holds: Callable[[MultiplierPart, int], InDsp] | None = None


@dataclass(frozen=True)
class Recipe:
    """The synthesis command of a technology and its options.

    ``second``: the label of the command behind the one that reads the technology's cells.
    ``define``: the macro under which sources in rtl/ instantiate cells of the technology, and
    ``dsp_define``: the one under which they instantiate its multipliers.
    ``pads``: the option that leaves I/O buffers out, where the command inserts them; ``dsp`` and
    ``logic``: the option that maps multiplications to DSP blocks or to logic. ``top``: what the
    packer wants the netlist's module to be called; "": any name will do.
    """

    command: str
    second: str
    define: str = ""
    dsp_define: str = ""
    pads: str = ""
    dsp: str = ""
    logic: str = ""
    top: str = ""

    def synthesis(self, top: str, *, dsp: bool, pads: bool) -> str:
        """The command for ``top``; ``pads``: with I/O buffers if the technology wants them."""
        words = (
            self.command,
            "-top",
            top,
            self.dsp if dsp else self.logic,
            "" if pads else self.pads,
        )
        return " ".join(word for word in words if word)


@dataclass(frozen=True)
class Margins:
    """The part of a device that a design may take, each 0..1.

    Logic that is filled further rarely routes, or only at a low clock.
    """

    lut: float = 0.8
    ff: float = 0.9
    bram: float = 1.0
    dsp: float = 1.0

    def __post_init__(self) -> None:
        for name in RESOURCE_KINDS:
            part = getattr(self, name)
            if not 0 <= part <= 1:
                raise UsageError(f"margin of {name}: {part}; it must be between 0 and 1")

    def limits_of(self, available: Resources) -> Resources:
        """The limits on a device with ``available``: each count times its margin, rounded down."""
        return Resources(
            int(available.lut * self.lut),
            int(available.ff * self.ff),
            int(available.bram * self.bram),
            int(available.dsp * self.dsp),
        )


@dataclass(frozen=True)
class ClockFit:
    """The fit of the clock's coefficients: on engines routed on the size ``device``.

    ``requested_mhz``: what is asked of nextpnr then. ``prior``: ns by term of the clock period, to
    which coefficients are drawn.
    """

    device: str
    requested_mhz: float
    prior: Mapping[str, float]


@dataclass(frozen=True)
class Characterization:
    """Where the resource model's coefficients come from (benchmarks/characterize.py).

    ``folder``: that of the family's data files, whose names start with the family's. ``board``: the
    one of the family's boards that whole networks are measured for. ``clock`` None: clocks are not
    estimated.
    """

    folder: Path
    board: str
    clock: ClockFit | None = None


__all__ = [
    "Cells",
    "Characterization",
    "ClockFit",
    "Dsp",
    "InDsp",
    "Logic",
    "Margins",
    "Ram",
    "Rams",
    "Recipe",
]
