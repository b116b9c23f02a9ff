"""Family select with weights from outside: one word of them per issue, no weight memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from sephw.ir import HlsInstance, Integers, Memory, MemoryPart, RtlInstance, Schedule, Structure
from sephw.ops.families.conv_core import streamed_wrapper
from sephw.ops.families.select_engine import SelectEngine
from sephw.ops.parts import rom

_KIND = "streamed_conv"


@dataclass(frozen=True)
class StreamedSelectEngine(SelectEngine):
    """The same engine at the same pace; a register takes the word where the memory was read.

    Input 1 has pe · simd lanes. What accumulators of patterns start from stays in a memory.
    With tiles the buffers before it bring each window beat as often as it is needed, so the engine
    keeps none, and counts word fold and pixel of the tile together.
    """

    constant_operands: ClassVar[bool] = False

    @property
    def _neuron_folds(self) -> int:
        return 1 if self.options.tile_pixels > 1 else super()._neuron_folds

    @property
    def _correction_period(self) -> int:
        return self._sums * self._repeats

    @property
    def _repeats(self) -> int:
        """The number of consecutive copies of the weights of ``operator`` in its tiles."""
        return self.options.tile_pixels // self.operator.pixels_per_word

    @property
    def stream_values(self) -> Integers:
        """Weights in the order of the words, int64 (weights,); of patterns 1 stands for −1."""
        words = self.words.ravel()
        return (words < 0).astype(np.int64) if self.operator.weight_bits == 1 else words

    @property
    def word_bits(self) -> int:
        """Bits of a word of weights."""
        return self.folding.pe * self.folding.simd * self.operator.weight_bits

    def schedule(self) -> Schedule:
        """The schedule of the engine with weights in memory, where every issue also reads a
        word.
        """
        plan = super().schedule()
        return replace(plan, reads=(*plan.reads, np.ones(plan.issues, np.uint8)))

    def memory(self) -> Memory:
        """Window beats alone."""
        return replace(super().memory(), weight_bits=0)

    def structure(self, fifo_depths: Sequence[int], *, solve: bool = True) -> Structure:
        """Registers of three stages hold the word: issue, window memory, operands."""
        parts = super().structure(fifo_depths, solve=solve)
        words = self._sums * self._synapse_folds
        # Before multipliers in DSP blocks, which take registers in, none is left to be a chain.
        chains = not parts.multipliers
        counters = list(parts.counters)
        counters.remove(words)
        return replace(
            parts,
            counters=tuple(counters),
            multipliers=tuple(
                replace(part, b_registers=self.word_bits) for part in parts.multipliers
            ),
            register_bits=parts.register_bits + 3 * self.word_bits,
            delay_bits=parts.delay_bits + chains * 3 * self.word_bits,
            delay_chains=parts.delay_chains + chains * self.word_bits,
        )

    def _constant_memories(self) -> tuple[MemoryPart, ...]:
        _, *others = self.operator.rtl_constants(self.words)[1]
        return tuple(
            rom(replace(memory, words=np.repeat(memory.words, self._repeats, axis=0)))
            for memory in others
        )

    def hls(self) -> HlsInstance:
        instance = super().hls()
        pattern = int(self.operator.weight_bits == 1)
        return replace(
            instance,
            header=f"sephw_{_KIND}.h",
            function=_KIND,
            # Of a StreamedConv some are fields as well.
            parameters=tuple({**dict(instance.parameters), "pattern": pattern}.items()),
            tables=(),
        )

    def rtl(self) -> RtlInstance:
        """Words of input 1 in the order of the memory's rows."""
        instance = super().rtl()
        pattern = int(self.operator.weight_bits == 1)
        return replace(
            instance,
            module=f"sephw_{_KIND}",
            parameters=(("PATTERN", pattern), *instance.parameters),
            memories=instance.memories[1:],
            generated=(streamed_wrapper(f"sephw_{_KIND}").source,),
        )
