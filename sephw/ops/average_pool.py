"""AveragePool: the sum over every window, per channel; a power of two follows in the Join."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sephw.ir import Case, Folding, Integers, IntType, Memory, RtlInstance, Structure
from sephw.ops.parts import sum_pool
from sephw.ops.sum_pool import sum_pool_instance
from sephw.ops.window_pool import WindowPool


@dataclass(frozen=True, eq=False, kw_only=True)
class AveragePool(WindowPool):
    """(H, W, kh·kw·C) window tensor → (H, W, C) exact sums; H, W are the output's.

    Padding is zero in windows, and counts: every sum stands for kh·kw values.
    """

    kind: ClassVar[str] = "average_pool"

    @property
    def output_types(self) -> tuple[IntType, ...]:
        return (IntType.covering(self.taps * self.dtype.min, self.taps * self.dtype.max),)

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        (x,) = inputs
        sums = self.windows(x).sum(axis=4, dtype=np.int64)
        return (sums.reshape(len(x), *self.output_shapes[0]),)

    def memory(self, folding: Folding) -> Memory:
        return Memory(buffer_bits=self.lane_limit * self.output_types[0].bits)

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        words = self.lane_limit // folding.simd
        return sum_pool(words, self.taps, self.dtype, self.output_streams(folding), fifo_depths)

    def rtl(self, folding: Folding) -> RtlInstance:
        return sum_pool_instance(
            self.window_rtl(folding, ("OUT_BITS", self.output_types[0].bits)),
            "AveragePool: the sum of each channel over a window.",
            words="CHANNELS / GROUPS / SIMD",
            turns="KERNEL_HEIGHT * KERNEL_WIDTH",
        )

    @classmethod
    def cases(cls) -> Iterator[Case]:
        return cls.window_cases(
            ("3x3", (3, 4, 4), (3, 3), 1, IntType(8, False), 2),
            ("5x5, one lane", (2, 2, 3), (5, 5), 1, IntType(8, False), 1),
            ("groups = channels", (2, 3, 3), (3, 3), 3, IntType(8, False), 1),
        )
