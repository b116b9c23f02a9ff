"""Block RAMs and DSP blocks of an engine: counted by the rules of the synthesis, not fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sephw.ir import (
    AdderPart,
    Folding,
    MemoryKind,
    MemoryPart,
    MultiplierPart,
    Multipliers,
    Structure,
)
from sephw.resources.memories import Mapped, map_fifo, map_memory
from sephw.targets import Technology


@dataclass(frozen=True)
class Dsp:
    """What a DSP block multiplies: at most ``widest`` bits (the wider operand, the other one).

    A wider operand is cut into parts of ``part`` bits, of which ``headroom`` is a sign. An operand
    below 2 bits or a product below ``product`` bits is made of LUTs.
    """

    widest: tuple[int, int]
    part: int
    product: int = 0
    headroom: int = 0


_DSP: Mapping[Technology, Dsp] = {
    Technology.ECP5: Dsp((18, 18), 18),
    Technology.ICE40: Dsp((16, 16), 16, product=11),
    Technology.XC7: Dsp((25, 18), 18, product=9, headroom=1),
}
_LEAST_OPERAND = 2


def mapped_memories(parts: Structure, technology: Technology) -> tuple[Mapped, ...]:
    """The mapping of each of ``parts.memories``."""
    return tuple(
        map_memory(technology, memory.columns, memory.depth, memory.kind is MemoryKind.RAM)
        for memory in parts.memories
    )


def bram(parts: Structure, technology: Technology) -> int:
    """Block RAMs, those of output FIFOs included."""
    fifos = sum(
        map_fifo(technology, out.bits, out.words, out.in_block).blocks for out in parts.outputs
    )
    return fifos + sum(mapped.blocks for mapped in mapped_memories(parts, technology))


def dsp(parts: Structure, folding: Folding, technology: Technology) -> int:
    """DSP blocks."""
    if folding.multipliers is Multipliers.LUT:
        return 0
    return sum(part.count * dsp_per_product(part, technology) for part in parts.multipliers)


def dsp_per_product(part: MultiplierPart, technology: Technology) -> int:
    """DSP blocks of one product; 0 where it is made of LUTs."""
    return _pieces(part.a_bits, part.b_bits, part.product_bits, _DSP[technology])


def _pieces(a: int, b: int, product: int, block: Dsp) -> int:
    a, b = max(a, b), min(a, b)
    if b < _LEAST_OPERAND or product < block.product:
        return 0
    if a <= block.widest[0]:
        return 1
    step = block.part - block.headroom
    whole = (a - block.widest[0] + step - 1) // step
    rest = a - whole * step
    pieces = whole * _pieces(block.part, b, min(product, b + block.part), block)
    return pieces + _pieces(rest, b, b + rest, block)


@dataclass(frozen=True)
class InDsp:
    """What DSP blocks hold beside multipliers: bits of registers, and adders."""

    registers: int = 0
    adders: tuple[AdderPart, ...] = ()


def in_dsp(parts: Structure, folding: Folding, technology: Technology) -> InDsp:
    """What goes into the DSP blocks of an engine.

    ECP5's hold the registers of the products that name them (rtl/sephw_product.sv), xc7's
    nothing.
    """
    if folding.multipliers is Multipliers.LUT:
        return InDsp()
    if technology is Technology.ECP5:
        most, least = _DSP[technology].widest[0], _LEAST_OPERAND
        named = (
            part.count * part.product_bits
            for part in parts.multipliers
            if max(part.a_bits, part.b_bits) <= most and min(part.a_bits, part.b_bits) >= least
        )
        return InDsp(sum(named))
    if technology is not Technology.ICE40:
        return InDsp()
    widest = _DSP[technology].widest[0]
    registers = 0
    adders = []
    for part in parts.multipliers:
        if not dsp_per_product(part, technology):
            continue
        # Of an operand that is cut, the low part.
        whole = part.a_bits <= widest
        registers += part.count * (part.product_bits if whole else min(widest, part.product_bits))
        if part.a_signed:
            registers += part.a_registers * min(part.a_bits, widest) // part.a_bits
        if part.constants:
            registers += sum(
                behind_word(memory, mapped)
                for memory, mapped in zip(
                    parts.memories, mapped_memories(parts, technology), strict=True
                )
            )
        if part.sums is not None and whole:
            registers += part.sums.count * part.sums.bits
            adders.append(part.sums)
    return InDsp(registers, tuple(adders))


def behind_word(memory: MemoryPart, mapped: Mapped) -> int:
    """Bits of registers that follow the read register of a memory."""
    return memory.followed * (memory.columns if mapped.in_block else memory.distinct)


__all__ = [
    "Dsp",
    "InDsp",
    "behind_word",
    "bram",
    "dsp",
    "dsp_per_product",
    "in_dsp",
    "mapped_memories",
]
