"""PatternConv: 1-bit k×k convolution; every weight is −1 or +1, so only adds and subtracts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sephw.ir import Case, Folding, HlsTable, Integers, IntType, RtlMemory, Work
from sephw.ops.common import constant, random_tensor, require
from sephw.ops.convolution import ADDER_LEVELS, FoldedConvolution, pattern_corrections
from sephw.ops.families import Select
from sephw.ops.streamed_conv import StreamedConv


@dataclass(frozen=True, eq=False, kw_only=True)
class PatternConv(FoldedConvolution):
    """Pattern responses Σ ±x. ``patterns`` int64 ±1 (out_channels, kh·kw·in_channels/groups)."""

    kind: ClassVar[str] = "pattern_conv"
    adder_levels: ClassVar[tuple[int, ...]] = ADDER_LEVELS

    patterns: Integers

    def __post_init__(self) -> None:
        object.__setattr__(self, "patterns", constant(self.patterns))
        self._check("patterns")
        strange = self.patterns[np.abs(self.patterns) != 1]
        if strange.size:
            require(False, self, f"patterns hold {strange[0]}; a pattern is −1 or +1 everywhere")

    @property
    def matrix(self) -> Integers:
        return self.patterns

    @property
    def weight_bits(self) -> int:
        return 1

    def streamed(self, folding: Folding) -> StreamedConv:
        return StreamedConv.from_convolution(self, folding)

    @property
    def work(self) -> Work:
        return Work(macs_1bit=self.macs, weights_1bit=self.patterns.size)

    def weight_table(self, words: Integers) -> HlsTable:
        return HlsTable("patterns", (words > 0).astype(np.int64), IntType(1, signed=False))

    def rtl_constants(
        self, words: Integers
    ) -> tuple[tuple[tuple[str, int], ...], tuple[RtlMemory, ...]]:
        corrections = pattern_corrections(words)
        rows = (words < 0).astype(np.int64).reshape(-1, words.shape[2] * words.shape[3])
        return (
            (("CORRECTION_BITS", corrections.lane_bits),),
            (RtlMemory("patterns", rows, 1), corrections),
        )

    @classmethod
    def cases(cls) -> Iterator[Case]:
        # label, (H, W), Cin, Cout, (kh, kw), groups, bits, signed, (pe, simd)
        rows = (
            ("3x3, folded both ways", (3, 4), 4, 6, (3, 3), 1, 8, False, (3, 2)),
            ("3x3 groups 4", (4, 3), 8, 16, (3, 3), 4, 8, False, (2, 2)),
            ("5x5 not folded", (2, 2), 3, 2, (5, 5), 1, 8, False, (2, 3)),
            ("depthwise", (3, 3), 4, 4, (3, 3), 4, 2, False, (1, 1)),
            ("signed input", (3, 2), 4, 4, (2, 3), 2, 6, True, (1, 2)),
            ("1x1, one neuron", (2, 3), 6, 1, (1, 1), 1, 8, False, (1, 3)),
        )
        for seed, row in enumerate(rows):
            label, (h, w), cin, cout, (kh, kw), groups, bits, signed, (pe, simd) = row
            rng = np.random.default_rng(100 + seed)
            signs = rng.integers(0, 2, (cout, kh * kw * cin // groups), np.int64)
            operator = cls(
                height=h,
                width=w,
                in_channels=cin,
                out_channels=cout,
                kernel_height=kh,
                kernel_width=kw,
                groups=groups,
                input_dtype=IntType(bits, signed),
                patterns=2 * signs - 1,
            )
            frames = random_tensor(seed, operator.input_shapes[0], operator.input_dtype)
            yield Case(label, operator, Folding(pe=pe, simd=simd), (frames,))
            # One further folding each: bit-parallel, then digits of 1, 2, 4 and 8 bits.
            further = operator.further_foldings()[seed % 5]
            yield Case(f"{label}, {further}", operator, further, (frames,))
        # label, Cin, groups, simd: one to four levels of adders, odd terms on both levels.
        levels = (("two", 2, 1, 2), ("three", 6, 2, 3), ("six", 6, 1, 6), ("nine", 9, 1, 9))
        for seed, (label, cin, groups, simd) in enumerate(levels):
            rng = np.random.default_rng(200 + seed)
            operator = cls(
                height=2,
                width=3,
                in_channels=cin,
                out_channels=4,
                kernel_height=3,
                kernel_width=3,
                groups=groups,
                input_dtype=IntType(8, signed=seed == 1),
                patterns=2 * rng.integers(0, 2, (4, 9 * cin // groups), np.int64) - 1,
            )
            frames = random_tensor(seed, operator.input_shapes[0], operator.input_dtype)
            folding = Folding(pe=2, simd=simd, engine=Select(adder_levels=2))
            yield Case(f"{label} lanes, two levels a register", operator, folding, (frames,))
