"""Block RAMs and DSP blocks of an engine: counted by the rules of the synthesis, not fitted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sephw.ir import (
    MemoryPart,
    MultiplierPart,
    Structure,
)
from sephw.resources.memories import MemoryMapping, map_fifo, map_part
from sephw.technologies import Technology
from sephw.technologies.fabric import Dsp, InDsp


def mapped_memories(parts: Structure, technology: Technology) -> tuple[MemoryMapping, ...]:
    """The memory mapping of each of ``parts.memories``."""
    return tuple(map_part(technology, memory) for memory in parts.memories)


def bram(parts: Structure, technology: Technology) -> int:
    """Block RAMs, those of output FIFOs included."""
    fifos = sum(map_fifo(technology, out).blocks for out in parts.outputs)
    return fifos + sum(mapped.blocks for mapped in mapped_memories(parts, technology))


def dsp(parts: Structure, technology: Technology) -> int:
    """DSP blocks."""
    return sum(part.count * dsp_per_product(part, technology) for part in parts.multipliers)


@dataclass(frozen=True)
class ProductMapping:
    """The mapping of one product: ``blocks`` units of DSP blocks, and logic.

    ``logic``: the products made of LUTs, as (bits, bits, bits of the result); ``sums``: bits of the
    adders that combine the partial products.
    """

    blocks: int
    logic: tuple[tuple[int, int, int], ...] = ()
    sums: tuple[int, ...] = ()


def map_product(part: MultiplierPart, technology: Technology) -> ProductMapping:
    """The mapping of one product where DSP blocks may be used."""
    block = technology.dsp
    if block is None:
        return ProductMapping(
            0, ((max(part.a_bits, part.b_bits), min(part.a_bits, part.b_bits), part.product_bits),)
        )
    return _map_product(part.a_bits, part.b_bits, part.product_bits, block)


def dsp_per_product(part: MultiplierPart, technology: Technology) -> int:
    """The DSP blocks of one product; 0 where it is made of LUTs."""
    return 0 if part.in_logic else map_product(part, technology).blocks


@cache
def _map_product(a: int, b: int, product: int, block: Dsp) -> ProductMapping:
    a, b = max(a, b), min(a, b)
    if a < block.least[0] or b < block.least[1] or product < block.product:
        if block.smaller is not None:
            return _map_product(a, b, product, block.smaller)
        return ProductMapping(0, ((a, b, product),))
    if a <= block.widest[0]:
        return ProductMapping(block.units)
    step = block.part - block.headroom
    whole = (a - block.widest[0] + step - 1) // step
    rest = a - whole * step
    each = _map_product(block.part, b, min(product, b + block.part), block)
    last = _map_product(rest, b, b + rest, block)
    # Below its part the sum so far passes.
    added = tuple(max(1, product - place * step) for place in range(1, whole + 1))
    return ProductMapping(
        whole * each.blocks + last.blocks,
        whole * each.logic + last.logic,
        whole * each.sums + last.sums + added,
    )


def in_dsp(parts: Structure, technology: Technology) -> InDsp:
    """The logic that the DSP blocks of an engine absorb."""
    block = technology.dsp
    if block is None or block.holds is None:
        return InDsp()
    found = [
        block.holds(part, _constants(part, parts, technology))
        for part in parts.multipliers
        if dsp_per_product(part, technology)
    ]
    return InDsp(
        sum(held.registers for held in found),
        tuple(adder for held in found for adder in held.adders),
    )


def _constants(part: MultiplierPart, parts: Structure, technology: Technology) -> int:
    """Bits of the registers between a ROM's word and the operands."""
    if not part.constants:
        return 0
    mapped = mapped_memories(parts, technology)
    return sum(
        word_register_bits(memory, m) for memory, m in zip(parts.memories, mapped, strict=True)
    )


def word_register_bits(memory: MemoryPart, mapped: MemoryMapping) -> int:
    """Bits of the registers that follow the read register of a memory."""
    return memory.output_registers * (memory.columns if mapped.in_block else memory.distinct)


__all__ = [
    "ProductMapping",
    "word_register_bits",
    "bram",
    "map_product",
    "dsp",
    "dsp_per_product",
    "in_dsp",
    "mapped_memories",
]
