"""Invert: the largest value less x, of unsigned integers."""

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
from sephw.ops.parts import output_parts


@dataclass(frozen=True, eq=False, kw_only=True)
class Invert(LaneOperator):
    """(H, W, C) → (H, W, C)."""

    kind: ClassVar[str] = "invert"

    height: int
    width: int
    channels: int
    bits: int

    def __post_init__(self) -> None:
        require_positive(self, "height", "width", "channels", "bits")

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.channels),)

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        return self.input_shapes

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return (IntType(self.bits, signed=False),)

    @property
    def output_types(self) -> tuple[IntType, ...]:
        return self.input_types

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        (x,) = inputs
        return (self.input_types[0].max - x,)

    def frame_cycles(self, folding: Folding) -> int:
        return prod(self.input_shapes[0]) // folding.simd

    def schedule(self, folding: Folding) -> Schedule:
        """A beat in, a beat out; 2 cycles of the output's FIFO."""
        every = np.ones(self.frame_cycles(folding), np.uint8)
        return Schedule(reads=(every,), writes=(every,), latency_cycles=2)

    def memory(self, folding: Folding) -> Memory:
        return Memory()

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        streams = self.output_streams(folding)
        return Structure(
            outputs=output_parts(streams, fifo_depths, 0), mux_bits=streams[0].width_bits
        )

    def hls(self, folding: Folding) -> HlsInstance:
        return HlsInstance("sephw_invert.h", self.kind, self.hls_parameters(folding))

    def rtl(self, folding: Folding) -> RtlInstance:
        return RtlInstance("sephw_invert", (("SIMD", folding.simd), ("IN_BITS", self.bits)))

    @classmethod
    def cases(cls) -> Iterator[Case]:
        for seed, (label, shape, bits, lanes) in enumerate(
            (("all lanes", (2, 3, 4), 8, 4), ("a lane of 3 bits", (3, 2, 5), 3, 1))
        ):
            operator = cls(height=shape[0], width=shape[1], channels=shape[2], bits=bits)
            frames = random_tensor(seed, shape, operator.input_types[0])
            yield Case(label, operator, Folding(pe=lanes, simd=lanes), (frames,))
