"""Parts that several operators' engines share, counted for `Operator.structure`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sephw.ir import (
    AdderPart,
    IntType,
    MemoryKind,
    MemoryPart,
    OutputPart,
    RtlMemory,
    Stream,
    Structure,
)

# No ROM above so many bits becomes logic anywhere.
_LOGIC_BITS = 20_000


@dataclass(frozen=True)
class AdderTree:
    """Adders of a tree of rtl/sephw_adder_tree.sv, and the registers behind its levels.

    ``gate_bits``: bits of gates that no adder takes in; ``chained_bits``: of adders before another
    without a register between.
    """

    adders: tuple[AdderPart, ...]
    register_bits: int
    gate_bits: int = 0
    chained_bits: int = 0

    @classmethod
    def sum_of_terms(
        cls, terms: int, bits: int, limit: int, *, gated: bool = False, levels: int = 1
    ) -> AdderTree:
        """The tree that sums ``terms`` terms of ``bits`` bits, of which ``limit`` are used.

        ``gated``: each term passes a gate, as in rtl/sephw_gated_tree.sv. ``levels``: adder levels
        per register, which is behind the last of them.
        """
        adders: list[AdderPart] = []
        register_bits = chained_bits = 0
        # A term without a partner passes with the bits that it had; its sign is one register.
        odd = min(bits, limit)
        gate_bits = odd if gated and terms % 2 else 0
        while terms > 1:
            bits = min(bits + 1, limit)
            adders.append(AdderPart(terms // 2, bits, 2 * (gated and not adders)))
            held = ((terms - 1).bit_length() - 1) % levels == 0
            register_bits += held * (terms // 2 * bits + terms % 2 * odd)
            chained_bits += (not held) * (terms // 2 * bits)
            if terms % 2 == 0:
                odd = bits
            terms = (terms + 1) // 2
        return cls(tuple(adders), register_bits, gate_bits, chained_bits)

    def times(self, count: int) -> tuple[AdderPart, ...]:
        """The adders of ``count`` such trees."""
        return tuple(AdderPart(count * part.count, part.bits, part.gates) for part in self.adders)

    @classmethod
    def bit_planes(cls, terms: int, bits: int, limit: int) -> AdderTree:
        """The tree of ``terms`` products of ``bits`` × 8 bits in logic:
        rtl/sephw_weighted_sum.sv.
        """
        adders: list[AdderPart] = []
        plane = bits + (terms - 1).bit_length()
        sums = (plane + 2, plane + 4, min(plane + 8, limit))
        registers = 4 * sums[0] + 2 * sums[1] + sums[2]
        gate_bits = 0
        if terms == 1:
            adders.append(AdderPart(4, sums[0], 2))
        else:
            tree = cls.sum_of_terms(terms, bits, limit, gated=True)
            registers += 8 * tree.register_bits
            gate_bits = 8 * tree.gate_bits
            adders += [*tree.times(8), AdderPart(4, sums[0] - 1)]
        adders += [AdderPart(2, sums[1] - 2), AdderPart(1, max(1, sums[2] - 4))]
        return cls(tuple(adders), registers, gate_bits)


def counter_bits(period: int) -> int:
    """Bits of the address or counter of ``period`` values; at least 1."""
    return max(1, (period - 1).bit_length())


def ram(width: int, depth: int, *, one_address: bool = False) -> MemoryPart:
    """A RAM of rtl/sephw_ram.sv; ``one_address``: it is read where it is written."""
    return MemoryPart(MemoryKind.RAM, width, depth, width, width, one_address=one_address)


def rom(memory: RtlMemory, output_registers: int = 0) -> MemoryPart:
    """A ROM of rtl/sephw_rom.sv; which columns of ``memory`` are constant, and which are equal.

    ``output_registers``: registers of a word behind that of the memory.
    """
    depth, lanes = memory.words.shape
    width = lanes * memory.lane_bits
    mask = (1 << memory.lane_bits) - 1
    changing = np.bitwise_or.reduce(memory.words, axis=0) ^ np.bitwise_and.reduce(
        memory.words, axis=0
    )
    columns = int(np.bitwise_count(changing & mask).sum())
    distinct = columns
    if 0 < columns * depth <= _LOGIC_BITS:
        bits = memory.words[:, :, None] >> np.arange(memory.lane_bits) & 1
        packed = np.packbits(bits.reshape(depth, -1).astype(bool), axis=0)
        whole = np.packbits(np.ones((depth, 1), bool), axis=0)
        found = {packed[:, i].tobytes() for i in range(packed.shape[1])}
        distinct = len(found - {whole.tobytes(), bytes(len(whole))})
    return MemoryPart(MemoryKind.ROM, width, depth, columns, distinct, output_registers)


def output_parts(
    streams: Sequence[Stream], fifo_depths: Sequence[int], stages: int
) -> tuple[OutputPart, ...]:
    """The outputs of an engine whose pipeline has ``stages`` registers before them."""
    return tuple(
        OutputPart(stream.width_bits, depth, stages)
        for stream, depth in zip(streams, fifo_depths, strict=True)
    )


def sum_pool(
    words: int,
    turns: int,
    dtype: IntType,
    streams: Sequence[Stream],
    fifo_depths: Sequence[int],
) -> Structure:
    """rtl/sephw_sum_pool.sv: ``words`` beats of ``dtype`` summed over ``turns`` turns.

    ``streams``: the one output, whose type is that of the sums.
    """
    (stream,) = streams
    lanes, out_bits = stream.lanes, stream.dtype.bits
    sums = lanes * out_bits
    return Structure(
        memories=(ram(sums, words),) if words > 1 else (),
        outputs=output_parts(streams, fifo_depths, 2),
        counters=(words, turns),
        adders=(AdderPart(lanes, out_bits),),
        mux_bits=sums,
        register_bits=lanes * dtype.bits + sums + 3 + (counter_bits(words) if words > 1 else sums),
        fanout=sums,
        logic_depth=out_bits,
    )
