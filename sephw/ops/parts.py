"""Parts of engines that several operators have, counted for `Operator.structure`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sephw.ir import MemoryKind, MemoryPart, OutputPart, RtlMemory, Stream

# Columns of so few rows are often equal; only then is it worth while to look for that.
_SHALLOW_WORDS = 16


@dataclass(frozen=True)
class AdderTree:
    """Sizes of an adder tree of rtl/sephw_adder_tree.sv; a register behind every level."""

    adders: int
    adder_bits: int
    register_bits: int

    @classmethod
    def of(cls, terms: int, bits: int) -> AdderTree:
        """The sum of ``terms`` signed terms of ``bits`` bits."""
        adders = adder_bits = register_bits = 0
        while terms > 1:
            bits += 1
            adders += terms // 2
            adder_bits += terms // 2 * bits
            terms = (terms + 1) // 2
            register_bits += terms * bits
        return cls(adders, adder_bits, register_bits)


def counter_bits(period: int) -> int:
    """Bits of the address or counter of ``period`` values; at least 1."""
    return max(1, (period - 1).bit_length())


def ram(width: int, depth: int) -> MemoryPart:
    """A RAM of rtl/sephw_ram.sv."""
    return MemoryPart(MemoryKind.RAM, width, depth, width)


def rom(memory: RtlMemory) -> MemoryPart:
    """A ROM of rtl/sephw_rom.sv with the columns of ``memory`` that are no constants."""
    depth, lanes = memory.words.shape
    width = lanes * memory.lane_bits
    if depth <= _SHALLOW_WORDS:
        # Each bit of a word as the number that its rows make.
        place = np.int64(1) << np.arange(depth, dtype=np.int64)[:, None]
        codes = {0, (1 << depth) - 1}
        found: set[int] = set()
        for bit in range(memory.lane_bits):
            rows = (memory.words >> bit & 1) * place
            found.update(rows.sum(axis=0).tolist())
        return MemoryPart(MemoryKind.ROM, width, depth, len(found - codes))
    mask = (1 << memory.lane_bits) - 1
    ones = np.bitwise_or.reduce(memory.words, axis=0)
    zeros = np.bitwise_and.reduce(memory.words, axis=0)
    columns = sum(((one ^ zero) & mask).bit_count() for one, zero in
                  zip(ones.tolist(), zeros.tolist(), strict=True))  # fmt: skip
    return MemoryPart(MemoryKind.ROM, width, depth, columns)


def output_parts(
    streams: Sequence[Stream], fifo_depths: Sequence[int], stages: int
) -> tuple[OutputPart, ...]:
    """The outputs of an engine whose pipeline has ``stages`` registers before them."""
    return tuple(
        OutputPart(stream.width_bits, depth, stages)
        for stream, depth in zip(streams, fifo_depths, strict=True)
    )
