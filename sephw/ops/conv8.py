"""Conv8: convolution with 8-bit weights: stem, 1×1, transition; a linear layer is a 1×1 map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sephw.ir import Case, Folding, HlsTable, Integers, IntType, Work
from sephw.ops.common import constant, random_tensor, require
from sephw.ops.convolution import FoldedConvolution
from sephw.ops.families import Multipliers, Select
from sephw.ops.streamed_conv import StreamedConv

_WEIGHT = IntType(8, signed=True)


@dataclass(frozen=True, eq=False, kw_only=True)
class Conv8(FoldedConvolution):
    """Σ w·x. ``weights`` int64 −128..127 (out_channels, kh·kw·in_channels/groups).

    A 1×1 convolution of stride 1 reads the feature map itself: no SlidingWindow before it, and a
    pixel is the whole window of the adder families.
    """

    kind: ClassVar[str] = "conv8"
    pipeline_registers: ClassVar[int] = 5
    # Eight signed digits a weight take the solver long, and other tie breaks saved 0 to 2 % of
    # the adders of 8×8 to 64×128 normally distributed weights.
    solver_restarts: ClassVar[int | None] = 0

    weights: Integers

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", constant(self.weights))
        self._check("weights")
        outside = self.weights[(self.weights < _WEIGHT.min) | (self.weights > _WEIGHT.max)]
        if outside.size:
            require(False, self, f"weights hold {outside[0]}; the range is −128..127")

    @property
    def matrix(self) -> Integers:
        return self.weights

    @property
    def weight_bits(self) -> int:
        return _WEIGHT.bits

    def streamed(self, folding: Folding) -> StreamedConv:
        return StreamedConv.from_convolution(self, folding)

    @property
    def work(self) -> Work:
        return Work(macs_8bit=self.macs, weights_8bit=self.weights.size)

    def weight_table(self, words: Integers) -> HlsTable:
        return HlsTable("weights", words, _WEIGHT)

    @classmethod
    def cases(cls) -> Iterator[Case]:
        # label, (H, W), Cin, Cout, (kh, kw), groups, bits, signed, (pe, simd)
        rows = (
            ("1x1", (3, 4), 8, 6, (1, 1), 1, 8, False, (2, 4)),
            ("3x3 groups 2", (3, 3), 4, 8, (3, 3), 2, 8, False, (2, 1)),
            ("5x5 stem, not folded", (2, 3), 3, 4, (5, 5), 1, 8, False, (4, 3)),
            ("linear", (1, 1), 24, 10, (1, 1), 1, 12, False, (1, 6)),
            ("signed input", (2, 2), 4, 4, (1, 1), 1, 6, True, (1, 1)),
            ("weights at both ends", (2, 2), 4, 2, (3, 3), 1, 8, False, (1, 4)),
            ("weights without sums", (2, 3), 4, 6, (1, 1), 1, 8, False, (2, 2)),
            ("weights all zero", (2, 2), 3, 2, (1, 1), 1, 8, False, (2, 1)),
        )
        for seed, row in enumerate(rows):
            label, (h, w), cin, cout, (kh, kw), groups, bits, signed, (pe, simd) = row
            rng = np.random.default_rng(200 + seed)
            weights = rng.integers(-128, 128, (cout, kh * kw * cin // groups), np.int64)
            if label == "weights at both ends":
                weights[0], weights[1] = -128, 127
            if label == "weights without sums":
                # Adder graphs of no adders: copies, shifts, signs, a zero, inputs nobody reads.
                weights[:] = 0
                weights[[0, 1, 2, 3, 5], [0, 2, 2, 2, 0]] = 1, -128, 64, -1, -4
            if label == "weights all zero":
                weights[:] = 0
            operator = cls(
                height=h,
                width=w,
                in_channels=cin,
                out_channels=cout,
                kernel_height=kh,
                kernel_width=kw,
                groups=groups,
                input_dtype=IntType(bits, signed),
                weights=weights,
            )
            frames = random_tensor(seed, operator.input_shapes[0], operator.input_dtype)
            yield Case(label, operator, Folding(pe=pe, simd=simd), (frames,))
            logic = Folding(pe=pe, simd=simd, engine=Select(multipliers=Multipliers.LUT))
            yield Case(f"{label}, products in logic", operator, logic, (frames,))
            # One further folding each, two where the graph has no adders.
            further = operator.further_foldings()
            chosen = [further[0], further[4]] if "without" in label else [further[seed % 5]]
            for folding in chosen:
                yield Case(f"{label}, {folding}", operator, folding, (frames,))
