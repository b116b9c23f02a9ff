"""What an engine consists of, as far as a resource model must know; counted, not synthesized."""

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

    ``columns``: bits of a word that synthesis keeps, for a ROM those that are no constant (and,
    where it is shallow, no copy of another); for a RAM it is ``width``.
    """

    kind: MemoryKind
    width: int
    depth: int
    columns: int


@dataclass(frozen=True)
class OutputPart:
    """Credits, valid bits and FIFO of one output: ``bits`` a beat, ``depth`` beats.

    ``stages`` registers of the pipeline lie before it.
    """

    bits: int
    depth: int
    stages: int


@dataclass(frozen=True)
class MultiplierPart:
    """``count`` signed products of ``a_bits`` × ``b_bits``."""

    count: int
    a_bits: int
    b_bits: int


@dataclass(frozen=True)
class Structure:
    """The parts of one engine.

    ``counters``: period of each modulo counter (1: none). ``adder_bits``: sum of the widths of
    two-operand adders, and ``adders`` how many they are; ``xor_bits``, ``mux_bits``,
    ``compare_bits`` likewise, bits that are exclusive-ored, chosen between two, compared.
    ``shift_bits``: bits that a variable shifter moves, times its stages. ``clip_bits``: bits of
    sums that are clipped. ``register_bits``: flip-flops of the datapath and its control, without
    those of ``memories``, ``outputs`` and ``counters``; ``delay_bits``: those of them in chains
    without reset that a shift register could hold. ``address_bits``: bits of addresses that are
    computed. ``serial_adders``, ``serial_shifts``: digits of serial adders and shift registers.
    ``fanout``: most readers of one control signal; ``logic_depth``: bits of the widest adder.
    """

    memories: tuple[MemoryPart, ...] = ()
    outputs: tuple[OutputPart, ...] = ()
    counters: tuple[int, ...] = ()
    multipliers: tuple[MultiplierPart, ...] = ()
    adders: int = 0
    adder_bits: int = 0
    xor_bits: int = 0
    mux_bits: int = 0
    compare_bits: int = 0
    shift_bits: int = 0
    clip_bits: int = 0
    register_bits: int = 0
    delay_bits: int = 0
    address_bits: int = 0
    serial_adders: int = 0
    serial_shifts: int = 0
    fanout: int = 0
    logic_depth: int = 0


__all__ = ["MemoryKind", "MemoryPart", "MultiplierPart", "OutputPart", "Structure"]
