"""The common base of MaxPool and AveragePool: one value per window and channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from sephw.ir import Case, Folding, HlsInstance, Integers, IntType, RtlInstance, Schedule, Shape
from sephw.ops.common import LaneOperator, random_tensor, require, require_positive

# Label, (H, W, C) of the output, (kh, kw), groups, type, lanes.
CaseRow = tuple[str, Shape, tuple[int, int], int, IntType, int]

# Of every pool of windows; each adds its own.
SHARED_CASES: tuple[CaseRow, ...] = (
    ("groups 2, all lanes", (2, 2, 8), (2, 3), 2, IntType(4, False), 4),
    ("signed", (3, 2, 6), (2, 2), 1, IntType(7, True), 3),
    ("one tap", (2, 2, 2), (1, 1), 1, IntType(8, False), 1),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class WindowPool(LaneOperator):
    """(H, W, kh·kw·C) window tensor → (H, W, C); H, W are the output's.

    ``groups`` is the SlidingWindow's: windows come as (group, ky, kx, channel in group).
    """

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
            self.channels % self.groups == 0,
            self,
            f"groups={self.groups} does not divide channels={self.channels}",
        )

    @property
    def taps(self) -> int:
        """Values of a window, per channel."""
        return self.kernel_height * self.kernel_width

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.taps * self.channels),)

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return (self.dtype,)

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.channels),)

    @property
    def lane_limit(self) -> int:
        return self.channels // self.groups

    def windows(self, x: Integers) -> Integers:
        """(N, H, W, kh·kw·C) → (N, H, W, group, tap, channel in group)."""
        return x.reshape(*x.shape[:3], self.groups, self.taps, self.lane_limit)

    def frame_cycles(self, folding: Folding) -> int:
        return prod(self.input_shapes[0]) // folding.simd

    def schedule(self, folding: Folding) -> Schedule:
        """One issue per window beat; the beats of the last tap write.

        Latency 4 cycles: read what the taps before gave, take the beat in, then the FIFO.
        """
        steps = self.lane_limit // folding.simd
        pixels = self.height * self.width * self.groups
        writes = np.zeros((pixels, self.taps, steps), np.uint8)
        writes[:, -1] = 1
        return Schedule(
            reads=(np.ones(writes.size, np.uint8),), writes=(writes.ravel(),), latency_cycles=4
        )

    def hls(self, folding: Folding) -> HlsInstance:
        return HlsInstance(
            header=f"sephw_{self.kind}.h",
            function=self.kind,
            parameters=self.hls_parameters(folding),
        )

    def window_rtl(self, folding: Folding, *more: tuple[str, int]) -> RtlInstance:
        """The engine with the parameters of a window and ``more``."""
        return RtlInstance(
            module=f"sephw_{self.kind}",
            parameters=(
                ("CHANNELS", self.channels),
                ("KERNEL_HEIGHT", self.kernel_height),
                ("KERNEL_WIDTH", self.kernel_width),
                ("GROUPS", self.groups),
                ("SIMD", folding.simd),
                ("IN_BITS", self.dtype.bits),
                ("IN_SIGNED", int(self.dtype.signed)),
                *more,
            ),
        )

    @classmethod
    def window_cases(cls, *rows: CaseRow) -> Iterator[Case]:
        """Cases of ``rows`` and of `SHARED_CASES`."""
        for seed, (label, shape, kernel, groups, dtype, lanes) in enumerate((*rows, *SHARED_CASES)):
            operator = cls(
                height=shape[0],
                width=shape[1],
                channels=shape[2],
                kernel_height=kernel[0],
                kernel_width=kernel[1],
                groups=groups,
                dtype=dtype,
            )
            frames = random_tensor(seed, operator.input_shapes[0], dtype)
            yield Case(label, operator, Folding(pe=lanes, simd=lanes), (frames,))
