"""The parts of an engine that a resource model needs to know; counted, not synthesized."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MemoryKind(StrEnum):
    """ROM: constants. RAM: one write and one read port."""

    ROM = "rom"
    RAM = "ram"


@dataclass(frozen=True)
class MemoryPart:
    """A memory with synchronous read: ``width`` bits per word, ``depth`` words.

    ``columns``: bits of a word that are no constant; ``distinct``: those that are no copy of
    another one either, which logic makes once. For a RAM both are ``width``. ``output_registers``:
    registers of a word behind the read register. ``one_address``: a RAM that is read where it is
    written.
    """

    kind: MemoryKind
    width: int
    depth: int
    columns: int
    distinct: int
    output_registers: int = 0
    one_address: bool = False


@dataclass(frozen=True)
class OutputPart:
    """Credits, valid bits and FIFO of one output: ``bits`` a beat, ``depth`` beats.

    ``stages`` registers of the pipeline lie before it. ``in_block``: the FIFO is in block RAM
    even where LUTs would hold it for less. ``constant_bits``: those of ``bits`` that never change
    and that synthesis sees to be so.
    """

    bits: int
    depth: int
    stages: int
    in_block: bool = False
    constant_bits: int = 0

    @property
    def columns(self) -> int:
        """Bits of a beat that the FIFO holds."""
        return self.bits - self.constant_bits

    @property
    def words(self) -> int:
        """Words of the FIFO's memory; one more beat is at its head."""
        return self.depth - 1


@dataclass(frozen=True)
class MultiplierPart:
    """``count`` signed products of ``a_bits`` × ``b_bits``, of which ``product_bits`` are used.

    Each product has a register. ``a_registers``: bits of registers right before the operands a,
    which have a sign only if ``a_signed``; ``constants``: true where operands b come from the
    register behind a ROM's word; ``b_registers``: bits of operands b that come through at least two
    registers otherwise. ``sums``: the registered adders of pairs of products;
    ``unpaired_register_bits``: registers behind products without a partner. A DSP block can hold
    all these. ``in_logic``: products must not take DSP blocks.
    """

    count: int
    a_bits: int
    b_bits: int
    product_bits: int
    a_registers: int = 0
    a_signed: bool = False
    constants: bool = False
    b_registers: int = 0
    sums: AdderPart | None = None
    unpaired_register_bits: int = 0
    in_logic: bool = False


@dataclass(frozen=True)
class AdderPart:
    """``count`` adders of two operands, ``bits`` each.

    ``gates``: operands of which each bit passes a gate or a choice that fits the carry cells of
    some technologies. ``removable``: one operand is 0; synthesis removes such adders unless they
    are named cells.
    """

    count: int
    bits: int
    gates: int = 0
    removable: bool = False


@dataclass(frozen=True)
class PairPart:
    """``lanes`` · ``pairs`` registered sums ±a ± b of ``bits`` bits, a and b of ``value_bits``.

    Adders with gates, where carry cells have some. Elsewhere sum and difference of each pair are
    registered in place of the pair, and every lane chooses.
    """

    lanes: int
    pairs: int
    value_bits: int
    bits: int


@dataclass(frozen=True)
class ChoicePart:
    """One of ``parts`` words of ``bits`` bits: rtl/sephw_part_select.sv."""

    bits: int
    parts: int


@dataclass(frozen=True)
class Structure:
    """The parts of one engine.

    ``counters``: period of each modulo counter (1: none). ``xor_bits``, ``mux_bits``,
    ``compare_bits``: bits that are exclusive-ored, chosen between two, compared; ``load_bits``:
    of shift registers, between a new value and the rest of the old one. ``shift_bits``: bits that
    variable shifters move, times their stages. ``clip_bits``: bits of sums that are
    clipped, ``clipped_bits`` of their results. ``register_bits``: flip-flops of the datapath and
    its control, without those of ``memories``, ``outputs`` and ``counters``; ``delay_bits``:
    those of them in chains of three and more without reset or enable, which a shift register
    could hold, and ``delay_chains`` how many chains. ``control_bits``: bits of small sums and
    comparisons that decide when an engine reads and writes. ``serial_adders``: digits of serial
    adders, ``digit_bits`` each; ``serial_shifts``: bits that serial shifts hold. ``fanout``: most
    readers of one control signal; ``logic_depth``: bits of the widest adder; ``chained_bits``: of
    adders before another without a register between.
    """

    memories: tuple[MemoryPart, ...] = ()
    outputs: tuple[OutputPart, ...] = ()
    counters: tuple[int, ...] = ()
    multipliers: tuple[MultiplierPart, ...] = ()
    adders: tuple[AdderPart, ...] = ()
    pairs: tuple[PairPart, ...] = ()
    choices: tuple[ChoicePart, ...] = ()
    xor_bits: int = 0
    mux_bits: int = 0
    load_bits: int = 0
    compare_bits: int = 0
    shift_bits: int = 0
    clip_bits: int = 0
    clipped_bits: int = 0
    register_bits: int = 0
    delay_bits: int = 0
    delay_chains: int = 0
    control_bits: int = 0
    serial_adders: int = 0
    serial_shifts: int = 0
    digit_bits: int = 0
    fanout: int = 0
    logic_depth: int = 0
    chained_bits: int = 0


__all__ = [
    "AdderPart",
    "ChoicePart",
    "MemoryKind",
    "MemoryPart",
    "MultiplierPart",
    "OutputPart",
    "PairPart",
    "Structure",
]
