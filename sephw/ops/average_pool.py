"""AveragePool: the sum over every window, per channel; a power of two follows in the Join."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from sephw.ir import (
    AdderPart,
    Case,
    Folding,
    HlsInstance,
    Integers,
    IntType,
    Memory,
    RtlInstance,
    Schedule,
    Shape,
    Structure,
)
from sephw.ops.common import LaneOperator, random_tensor, require, require_positive
from sephw.ops.parts import counter_bits, output_parts, ram
from sephw.ops.rtl_sources import RTL_OUTPUT, RTL_TURNS


@dataclass(frozen=True, eq=False, kw_only=True)
class AveragePool(LaneOperator):
    """(H, W, kh·kw·C) window tensor → (H, W, C) exact sums; H, W are the output's.

    ``groups`` is the SlidingWindow's: windows come as (group, ky, kx, channel in group). Padding
    is zero there, and counts: every sum stands for kh·kw values.
    """

    kind: ClassVar[str] = "average_pool"

    height: int
    width: int
    channels: int
    kernel_height: int
    kernel_width: int
    groups: int = 1
    dtype: IntType

    def __post_init__(self) -> None:
        require_positive(
            self, "height", "width", "channels", "kernel_height", "kernel_width", "groups"
        )
        require(
            self.channels % self.groups == 0, self,
            f"groups={self.groups} does not divide channels={self.channels}",
        )  # fmt: skip

    @property
    def _taps(self) -> int:
        return self.kernel_height * self.kernel_width

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self._taps * self.channels),)

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return (self.dtype,)

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.channels),)

    @property
    def output_types(self) -> tuple[IntType, ...]:
        return (IntType.covering(self._taps * self.dtype.min, self._taps * self.dtype.max),)

    @property
    def lane_limit(self) -> int:
        return self.channels // self.groups

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        (x,) = inputs
        windows = x.reshape(*x.shape[:3], self.groups, self._taps, self.lane_limit)
        return (windows.sum(axis=4, dtype=np.int64).reshape(len(x), *self.output_shapes[0]),)

    def frame_cycles(self, folding: Folding) -> int:
        return prod(self.input_shapes[0]) // folding.simd

    def schedule(self, folding: Folding) -> Schedule:
        """One issue per window beat; the beats of the last tap write.

        Latency 4 cycles: read the sums so far, add, then the FIFO.
        """
        steps = self.lane_limit // folding.simd
        pixels = self.height * self.width * self.groups
        writes = np.zeros((pixels, self._taps, steps), np.uint8)
        writes[:, -1] = 1
        return Schedule(
            reads=(np.ones(writes.size, np.uint8),), writes=(writes.ravel(),), latency_cycles=4
        )

    def memory(self, folding: Folding) -> Memory:
        return Memory(buffer_bits=self.lane_limit * self.output_types[0].bits)

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        words = self.lane_limit // folding.simd
        out_bits = self.output_types[0].bits
        sums = folding.simd * out_bits
        beat = folding.simd * self.dtype.bits
        return Structure(
            memories=(ram(sums, words),) if words > 1 else (),
            outputs=output_parts(self.output_streams(folding), fifo_depths, 2),
            counters=(words, self._taps),
            adders=(AdderPart(folding.simd, out_bits),),
            mux_bits=sums,
            register_bits=beat + sums + 3 + (counter_bits(words) if words > 1 else sums),
            fanout=sums,
            logic_depth=out_bits,
        )

    def hls(self, folding: Folding) -> HlsInstance:
        return HlsInstance(
            header="sephw_average_pool.h",
            function=self.kind,
            parameters=self.hls_parameters(folding),
        )

    def rtl(self, folding: Folding) -> RtlInstance:
        return RtlInstance(
            module="sephw_average_pool",
            sources=("sephw_average_pool.sv", *RTL_TURNS, *RTL_OUTPUT),
            parameters=(
                ("CHANNELS", self.channels),
                ("KERNEL_HEIGHT", self.kernel_height),
                ("KERNEL_WIDTH", self.kernel_width),
                ("GROUPS", self.groups),
                ("SIMD", folding.simd),
                ("IN_BITS", self.dtype.bits),
                ("IN_SIGNED", int(self.dtype.signed)),
                ("OUT_BITS", self.output_types[0].bits),
            ),
        )

    @classmethod
    def cases(cls) -> Iterator[Case]:
        # label, (H, W, C), (kh, kw), groups, type, lanes
        rows = (
            ("3x3", (3, 4, 4), (3, 3), 1, IntType(8, False), 2),
            ("5x5, one lane", (2, 2, 3), (5, 5), 1, IntType(8, False), 1),
            ("groups = channels", (2, 3, 3), (3, 3), 3, IntType(8, False), 1),
            ("groups 2, all lanes", (2, 2, 8), (2, 3), 2, IntType(4, False), 4),
            ("signed", (3, 2, 6), (2, 2), 1, IntType(7, True), 3),
            ("one tap", (2, 2, 2), (1, 1), 1, IntType(8, False), 1),
        )
        for seed, (label, shape, kernel, groups, dtype, lanes) in enumerate(rows):
            operator = cls(
                height=shape[0], width=shape[1], channels=shape[2], kernel_height=kernel[0],
                kernel_width=kernel[1], groups=groups, dtype=dtype,
            )  # fmt: skip
            frames = random_tensor(seed, operator.input_shapes[0], dtype)
            yield Case(label, operator, Folding(pe=lanes, simd=lanes), (frames,))
