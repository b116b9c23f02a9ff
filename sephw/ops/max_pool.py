"""MaxPool: the largest value of every window, per channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sephw.ir import Case, Folding, Integers, IntType, Memory, RtlInstance, Structure
from sephw.ops.parts import counter_bits, output_parts, ram
from sephw.ops.window_pool import WindowPool


@dataclass(frozen=True, eq=False, kw_only=True)
class MaxPool(WindowPool):
    """(H, W, kh·kw·C) window tensor → (H, W, C); H, W are the output's.

    Padding is zero in windows, which no maximum of unsigned values notices.
    """

    kind: ClassVar[str] = "max_pool"

    @property
    def output_types(self) -> tuple[IntType, ...]:
        return (self.dtype,)

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        (x,) = inputs
        return (self.windows(x).max(axis=4).reshape(len(x), *self.output_shapes[0]),)

    def memory(self, folding: Folding) -> Memory:
        return Memory(buffer_bits=self.lane_limit * self.dtype.bits)

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        words = self.lane_limit // folding.simd
        beat = folding.simd * self.dtype.bits
        return Structure(
            memories=(ram(beat, words),) if words > 1 else (),
            outputs=output_parts(self.output_streams(folding), fifo_depths, 2),
            counters=(words, self.taps),
            mux_bits=beat,
            compare_bits=beat,
            register_bits=2 * beat + 3 + (counter_bits(words) if words > 1 else beat),
            fanout=beat,
            logic_depth=self.dtype.bits,
        )

    def rtl(self, folding: Folding) -> RtlInstance:
        return self.window_rtl(folding)

    @classmethod
    def cases(cls) -> Iterator[Case]:
        return cls.window_cases(
            ("2x2", (3, 4, 4), (2, 2), 1, IntType(8, False), 2),
            ("3x3 groups = channels", (2, 3, 3), (3, 3), 3, IntType(8, False), 1),
        )
