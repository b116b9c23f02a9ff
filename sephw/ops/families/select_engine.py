"""The engine of family select: one memory word per issue, pe × simd lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sephw.ir import (
    AdderPart,
    HlsInstance,
    Integers,
    Memory,
    MemoryPart,
    MultiplierPart,
    PairPart,
    RtlInstance,
    Schedule,
    Structure,
)
from sephw.ops.common import clog2, integer_parameters
from sephw.ops.families.base import ConvolutionEngine
from sephw.ops.families.conv_core import pattern_wrapper, product_wrapper
from sephw.ops.families.sizes import SHORTEST_CHAIN
from sephw.ops.parts import AdderTree, counter_bits, output_parts, ram, rom

if TYPE_CHECKING:
    from sephw.ops.families.select import Select


@dataclass(frozen=True)
class SelectEngine(ConvolutionEngine):
    """Per group: nf = outputs / pe neuron folds, sf = window / simd synapse folds."""

    options: Select
    # True where a multiplier's operand comes from a ROM.
    constant_operands: ClassVar[bool] = True

    @property
    def _neuron_folds(self) -> int:
        return self.operator.group_outputs // self.folding.pe

    @property
    def _synapse_folds(self) -> int:
        return self.operator.matrix.shape[1] // self.folding.simd

    @property
    def _sums(self) -> int:
        """Sums of a pixel, ``pe`` at a time: each takes all synapse folds."""
        return self.operator.out_channels // self.folding.pe

    @property
    def _correction_period(self) -> int:
        """After how many sums those of patterns start from the same counts again."""
        return self._sums

    @property
    def _stages(self) -> int:
        """Pipeline registers from an issue to its sum."""
        # Products in logic are adders of gated values, in 2 stages more than a multiplier.
        further = 2 if self.options.multiplies_in_logic else 0
        tree = -(-clog2(self.folding.simd) // self.options.adder_levels)
        return self.operator.pipeline_registers + further + tree

    @property
    def frame_cycles(self) -> int:
        operator = self.operator
        return operator.height * operator.width * self._sums * self._synapse_folds

    def schedule(self) -> Schedule:
        """Per pixel: group, neuron fold, synapse fold. Reads in the first neuron fold only.

        Latency: beat, memories, operands, accumulator (and for 8-bit weights the product) are a
        pipeline register each, ⌈log2 simd⌉ levels of adders over ``adder_levels``, 2 cycles of the
        output FIFO. Products in LUTs take 2 registers more.
        """
        operator = self.operator
        groups = operator.height * operator.width * self._sums // self._neuron_folds
        reads = np.zeros((groups, self._neuron_folds, self._synapse_folds), np.uint8)
        writes = np.zeros_like(reads)
        reads[:, 0, :] = 1
        writes[:, :, -1] = 1
        return Schedule(
            reads=(reads.ravel(),),
            writes=(writes.ravel(),),
            latency_cycles=self._stages + 2,
        )

    def memory(self) -> Memory:
        """Weights, and window beats that are kept for the later neuron folds of a group."""
        operator = self.operator
        window_bits = operator.matrix.shape[1] * operator.input_dtype.bits
        return Memory(
            weight_bits=operator.matrix.size * operator.weight_bits,
            buffer_bits=window_bits if self._neuron_folds > 1 else 0,
        )

    def structure(self, fifo_depths: Sequence[int], *, solve: bool = True) -> Structure:
        operator, folding = self.operator, self.folding
        pe, simd = folding.pe, folding.simd
        in_bits, out_bits = operator.input_dtype.bits, operator.output_type.bits
        value_bits = in_bits + (not operator.input_dtype.signed)
        multiplies = operator.weight_bits > 1
        product_bits = in_bits + operator.weight_bits if multiplies else value_bits
        # Up to the sum before the accumulator.
        stages = self._stages - 1
        words = self._sums * self._synapse_folds
        reuses, sums = self._neuron_folds > 1, self._synapse_folds > 1
        beat = simd * in_bits
        memories = self._constant_memories()
        window = ram(beat, self._synapse_folds, one_address=True)
        in_dsp = multiplies and not self.options.multiplies_in_logic
        if self.options.multiplies_in_logic:
            tree = AdderTree.bit_planes(simd, in_bits, out_bits)
        else:
            tree = AdderTree.sum_of_terms(
                simd, product_bits, out_bits, gated=not multiplies, levels=self.options.adder_levels
            )
        adders = tree.times(pe)
        pairs: tuple[PairPart, ...] = ()
        # Values that wait in a row of registers as they are, up to the adders.
        waiting = beat
        if not multiplies and simd > 1:
            pairs = (PairPart(pe, simd // 2, in_bits, adders[0].bits),)
            adders = adders[1:]
            waiting = simd % 2 * in_bits
        # Beats, sums, accumulators; which beats are valid, first, last.
        registers = 3 * beat + pe * (tree.register_bits + out_bits)
        registers += stages * (1 + sums) + (sums and not multiplies) * (stages - 1)
        registers += 3 if reuses else 1
        if reuses:
            registers += counter_bits(self._synapse_folds) if sums else 0
        if in_dsp:
            registers += pe * simd * product_bits
        flags = (sums * stages, (sums and not multiplies) * (stages - 1))
        chains = [length for length in flags if length >= SHORTEST_CHAIN]
        sums_of_two = AdderTree.sum_of_terms(2, product_bits, out_bits).adders[0].bits
        product = MultiplierPart(
            pe * simd,
            value_bits,
            8,
            product_bits,
            beat,
            operator.input_dtype.signed,
            constants=self.constant_operands,
            sums=AdderPart(pe * (simd // 2), sums_of_two) if simd > 1 else None,
            # Of one product the accumulator; of an odd number the last waits for the sums.
            unpaired_register_bits=pe * (out_bits if simd == 1 else simd % 2 * product_bits),
        )
        return Structure(
            memories=(*memories, window) if reuses else memories,
            outputs=output_parts(operator.output_streams(folding), fifo_depths, stages + 1),
            counters=(
                self._synapse_folds,
                self._neuron_folds,
                words,
                *(() if multiplies else (self._correction_period,)),
            ),
            multipliers=(product,) if in_dsp else (),
            # A sum that is whole at once is not chosen; of 8-bit weights it has no start either.
            adders=(*adders, AdderPart(pe, out_bits, int(sums), removable=multiplies and not sums)),
            pairs=pairs,
            xor_bits=pe * tree.gate_bits,
            mux_bits=beat if reuses else 0,
            register_bits=registers,
            # Beats, and the flags of first and last.
            delay_bits=(0 if reuses else 3 * waiting) + sum(chains),
            delay_chains=(0 if reuses else waiting) + len(chains),
            fanout=pe * out_bits,
            logic_depth=out_bits,
            chained_bits=pe * tree.chained_bits,
        )

    def _constant_memories(self) -> tuple[MemoryPart, ...]:
        """Weights first, then what accumulators start from."""
        weights, *others = self.operator.rtl_constants(self.words)[1]
        return (rom(weights, output_registers=1), *map(rom, others))

    @property
    def words(self) -> Integers:
        """Weights in the order of the engines' memories: (groups · nf, sf, pe, simd)."""
        operator, folding = self.operator, self.folding
        rows = operator.matrix.reshape(self._sums, folding.pe, self._synapse_folds, folding.simd)
        return rows.transpose(0, 2, 1, 3)

    @property
    def _rows(self) -> Integers:
        """Weights, a row of pe · simd for each word (group · nf + nf) · sf + sf."""
        return self.words.reshape(-1, self.folding.pe * self.folding.simd)

    def hls(self) -> HlsInstance:
        """Weights by word and pe lane · simd + simd lane."""
        operator = self.operator
        return HlsInstance(
            header=f"sephw_{operator.kind}.h",
            function=operator.kind,
            parameters=(
                *integer_parameters(operator),
                ("pe", self.folding.pe),
                ("simd", self.folding.simd),
                ("neuron_folds", self._neuron_folds),
                ("synapse_folds", self._synapse_folds),
                ("acc_bits", operator.output_type.bits),
                ("issues", self.frame_cycles),
            ),
            tables=(operator.weight_table(self._rows),),
        )

    def rtl(self) -> RtlInstance:
        """Weight words in issue order, one row each; pe · simd lanes, simd innermost."""
        operator, levels = self.operator, self.options.adder_levels
        parameters, memories = operator.rtl_constants(self.words)
        module = f"sephw_{operator.kind}"
        wrapper = (pattern_wrapper if operator.weight_bits == 1 else product_wrapper)(module)
        return RtlInstance(
            module=module,
            parameters=(
                ("GROUPS", operator.groups),
                ("NEURON_FOLDS", self._neuron_folds),
                ("SYNAPSE_FOLDS", self._synapse_folds),
                ("PE", self.folding.pe),
                ("SIMD", self.folding.simd),
                ("IN_BITS", operator.input_dtype.bits),
                ("IN_SIGNED", int(operator.input_dtype.signed)),
                ("OUT_BITS", operator.output_type.bits),
                *((("LUT_MULTIPLIERS", 1),) if self.options.multiplies_in_logic else ()),
                *((("ADDER_LEVELS", levels),) if levels > 1 else ()),
                *parameters,
            ),
            memories=memories,
            generated=(wrapper.source,),
            multiplies_in_dsp=not self.options.multiplies_in_logic,
        )
