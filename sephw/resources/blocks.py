"""Block RAMs and DSP blocks of an engine: counted by the rules of the synthesis, not fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from sephw.ir import (
    AdderPart,
    MemoryPart,
    MultiplierPart,
    Structure,
)
from sephw.resources.memories import Mapped, map_fifo, map_part
from sephw.targets import Technology


@dataclass(frozen=True)
class Dsp:
    """What a DSP block multiplies: at most ``widest`` bits (the wider operand, the other one).

    A wider operand is cut into parts of ``part`` bits, of which ``headroom`` is a sign. What has
    an operand below ``least`` bits or a product below ``product`` bits goes to ``smaller`` blocks,
    or is made of LUTs where there are none. ``units``: of `Resources.dsp`, of one block.
    """

    widest: tuple[int, int]
    part: int
    product: int = 0
    headroom: int = 0
    least: tuple[int, int] = (2, 2)
    units: int = 1
    smaller: Dsp | None = None


_DSP: Mapping[Technology, Dsp] = {
    Technology.ECP5: Dsp((18, 18), 18),
    Technology.ICE40: Dsp((16, 16), 16, product=11),
    Technology.XC7: Dsp((25, 18), 18, product=9, headroom=1),
    Technology.GOWIN: Dsp(
        (18, 18), 18, least=(10, 4), units=2, smaller=Dsp((9, 9), 9, least=(4, 4))
    ),
}


def mapped_memories(parts: Structure, technology: Technology) -> tuple[Mapped, ...]:
    """The mapping of each of ``parts.memories``."""
    return tuple(map_part(technology, memory) for memory in parts.memories)


def bram(parts: Structure, technology: Technology) -> int:
    """Block RAMs, those of output FIFOs included."""
    fifos = sum(map_fifo(technology, out).blocks for out in parts.outputs)
    return fifos + sum(mapped.blocks for mapped in mapped_memories(parts, technology))


def dsp(parts: Structure, technology: Technology) -> int:
    """DSP blocks."""
    return sum(part.count * dsp_per_product(part, technology) for part in parts.multipliers)


@dataclass(frozen=True)
class Cut:
    """What one product is made of: ``blocks`` units of DSP blocks, and logic.

    ``logic``: the products that LUTs make, as (bits, bits, bits of the result); ``sums``: bits of
    the adders that put the parts together.
    """

    blocks: int
    logic: tuple[tuple[int, int, int], ...] = ()
    sums: tuple[int, ...] = ()


def cut(part: MultiplierPart, technology: Technology) -> Cut:
    """How synthesis cuts one product where DSP blocks may be used."""
    return _cut(part.a_bits, part.b_bits, part.product_bits, _DSP[technology])


def dsp_per_product(part: MultiplierPart, technology: Technology) -> int:
    """DSP blocks of one product; 0 where it is made of LUTs."""
    return 0 if part.in_logic else cut(part, technology).blocks


@cache
def _cut(a: int, b: int, product: int, block: Dsp) -> Cut:
    a, b = max(a, b), min(a, b)
    if a < block.least[0] or b < block.least[1] or product < block.product:
        if block.smaller is not None:
            return _cut(a, b, product, block.smaller)
        return Cut(0, ((a, b, product),))
    if a <= block.widest[0]:
        return Cut(block.units)
    step = block.part - block.headroom
    whole = (a - block.widest[0] + step - 1) // step
    rest = a - whole * step
    each = _cut(block.part, b, min(product, b + block.part), block)
    last = _cut(rest, b, b + rest, block)
    # Below its part the sum so far passes.
    added = tuple(max(1, product - place * step) for place in range(1, whole + 1))
    return Cut(
        whole * each.blocks + last.blocks,
        whole * each.logic + last.logic,
        whole * each.sums + last.sums + added,
    )


@dataclass(frozen=True)
class InDsp:
    """What DSP blocks hold beside multipliers: bits of registers, and adders."""

    registers: int = 0
    adders: tuple[AdderPart, ...] = ()


def in_dsp(parts: Structure, technology: Technology) -> InDsp:
    """What goes into the DSP blocks of an engine.

    Gowin's hold nothing else. ECP5's hold the registers of the products that name them
    (rtl/sephw_product.sv). iCE40's and
    xc7's take in what is around a product, xc7's operands without a sign as well, and what follows
    a product that is in no sum of two.
    """
    if technology not in _HELD:
        return InDsp()
    found = [
        _HELD[technology](part, parts)
        for part in parts.multipliers
        if dsp_per_product(part, technology)
    ]
    return InDsp(
        sum(held.registers for held in found),
        tuple(adder for held in found for adder in held.adders),
    )


def _held_ecp5(part: MultiplierPart, parts: Structure) -> InDsp:
    block = _DSP[Technology.ECP5]
    most, least = block.widest[0], block.least[0]
    named = max(part.a_bits, part.b_bits) <= most and min(part.a_bits, part.b_bits) >= least
    return InDsp(part.count * part.product_bits if named else 0)


def _held_ice40(part: MultiplierPart, parts: Structure) -> InDsp:
    # Of an operand that is cut, the low part.
    widest = _DSP[Technology.ICE40].widest[0]
    whole = part.a_bits <= widest
    registers = part.count * (part.product_bits if whole else min(widest, part.product_bits))
    if part.a_signed:
        registers += part.a_registers * min(part.a_bits, widest) // part.a_bits
    registers += part.b_registers + _constants(part, parts, Technology.ICE40)
    if part.sums is None or not whole:
        return InDsp(registers)
    return InDsp(registers + part.sums.count * part.sums.bits, (part.sums,))


def _held_xc7(part: MultiplierPart, parts: Structure) -> InDsp:
    registers = part.count * part.product_bits + part.a_registers + part.alone
    # An operand b has two registers there.
    registers += 2 * part.b_registers + _constants(part, parts, Technology.XC7)
    if part.sums is None:
        return InDsp(registers)
    return InDsp(registers + part.sums.count * part.sums.bits, (part.sums,))


_HELD: Mapping[Technology, Callable[[MultiplierPart, Structure], InDsp]] = {
    Technology.ECP5: _held_ecp5,
    Technology.ICE40: _held_ice40,
    Technology.XC7: _held_xc7,
}


def _constants(part: MultiplierPart, parts: Structure, technology: Technology) -> int:
    """Bits of the registers between a ROM's word and the operands."""
    if not part.constants:
        return 0
    mapped = mapped_memories(parts, technology)
    return sum(behind_word(memory, m) for memory, m in zip(parts.memories, mapped, strict=True))


def behind_word(memory: MemoryPart, mapped: Mapped) -> int:
    """Bits of registers that follow the read register of a memory."""
    return memory.followed * (memory.columns if mapped.in_block else memory.distinct)


__all__ = [
    "Cut",
    "Dsp",
    "InDsp",
    "behind_word",
    "bram",
    "cut",
    "dsp",
    "dsp_per_product",
    "in_dsp",
    "mapped_memories",
]
