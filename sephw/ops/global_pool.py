"""GlobalPool: the sum over all pixels of every channel; 1/N is in the weights that follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from sephw.ir import (
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
from sephw.ops.common import LaneOperator, random_tensor, require_positive
from sephw.ops.parts import sum_pool
from sephw.ops.sum_pool import sum_pool_instance


@dataclass(frozen=True, eq=False, kw_only=True)
class GlobalPool(LaneOperator):
    """(H, W, C) → (1, 1, C), exact sums."""

    kind: ClassVar[str] = "global_pool"

    height: int
    width: int
    channels: int
    dtype: IntType

    def __post_init__(self) -> None:
        require_positive(self, "height", "width", "channels")

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.channels),)

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return (self.dtype,)

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        return ((1, 1, self.channels),)

    @property
    def output_types(self) -> tuple[IntType, ...]:
        pixels = self.height * self.width
        return (IntType.covering(pixels * self.dtype.min, pixels * self.dtype.max),)

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        (x,) = inputs
        return (x.sum(axis=(1, 2), keepdims=True, dtype=np.int64),)

    def frame_cycles(self, folding: Folding) -> int:
        return prod(self.input_shapes[0]) // folding.simd

    def schedule(self, folding: Folding) -> Schedule:
        """One issue per input beat; those of the last pixel write.

        Latency 4 cycles: read the sums so far, add, then the FIFO.
        """
        writes = np.zeros((self.height * self.width, self.channels // folding.simd), np.uint8)
        writes[-1] = 1
        return Schedule(
            reads=(np.ones(writes.size, np.uint8),), writes=(writes.ravel(),), latency_cycles=4
        )

    def memory(self, folding: Folding) -> Memory:
        return Memory(buffer_bits=self.channels * self.output_types[0].bits)

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        words, pixels = self.channels // folding.simd, self.height * self.width
        return sum_pool(words, pixels, self.dtype, self.output_streams(folding), fifo_depths)

    def hls(self, folding: Folding) -> HlsInstance:
        return HlsInstance(
            header="sephw_global_pool.h",
            function=self.kind,
            parameters=self.hls_parameters(folding, [("acc_bits", self.output_types[0].bits)]),
        )

    def rtl(self, folding: Folding) -> RtlInstance:
        instance = RtlInstance(
            module="sephw_global_pool",
            parameters=(
                ("HEIGHT", self.height),
                ("WIDTH", self.width),
                ("CHANNELS", self.channels),
                ("SIMD", folding.simd),
                ("IN_BITS", self.dtype.bits),
                ("IN_SIGNED", int(self.dtype.signed)),
                ("OUT_BITS", self.output_types[0].bits),
            ),
        )
        return sum_pool_instance(
            instance,
            "GlobalPool: the sum of each channel over all pixels.",
            words="CHANNELS / SIMD",
            turns="HEIGHT * WIDTH",
        )

    @classmethod
    def cases(cls) -> Iterator[Case]:
        # label, (H, W, C), type, lanes
        rows = (
            ("lanes 2", (3, 4, 6), IntType(8, False), 2),
            ("all lanes", (2, 2, 4), IntType(4, False), 4),
            ("signed, one lane", (3, 3, 2), IntType(9, True), 1),
            ("one pixel", (1, 1, 4), IntType(8, False), 2),
        )
        for seed, (label, shape, dtype, lanes) in enumerate(rows):
            operator = cls(height=shape[0], width=shape[1], channels=shape[2], dtype=dtype)
            frames = random_tensor(seed, shape, dtype)
            yield Case(label, operator, Folding(pe=lanes, simd=lanes), (frames,))
