"""Fork: one stream becomes several equal ones."""

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
from sephw.ops.common import LaneOperator, random_tensor, require, require_positive
from sephw.ops.parts import output_parts
from sephw.ops.port_wrapper import numbered_ports

MAX_COPIES = 4


@dataclass(frozen=True, eq=False, kw_only=True)
class Fork(LaneOperator):
    """(H, W, C) → ``copies`` times (H, W, C); a beat leaves when all copies have room."""

    kind: ClassVar[str] = "fork"

    height: int
    width: int
    channels: int
    dtype: IntType
    copies: int = 2

    def __post_init__(self) -> None:
        require_positive(self, "height", "width", "channels")
        require(
            2 <= self.copies <= MAX_COPIES,
            self,
            f"copies={self.copies}; it makes 2 to {MAX_COPIES}: fork a copy again for more",
        )

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.channels),)

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return (self.dtype,)

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        return self.input_shapes * self.copies

    @property
    def output_types(self) -> tuple[IntType, ...]:
        return (self.dtype,) * self.copies

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        (x,) = inputs
        return (x,) * self.copies

    def frame_cycles(self, folding: Folding) -> int:
        return prod(self.input_shapes[0]) // folding.simd

    def schedule(self, folding: Folding) -> Schedule:
        """One issue a beat. Latency 2 cycles: the FIFOs', nothing is registered before them."""
        every = np.ones(self.frame_cycles(folding), np.uint8)
        return Schedule(reads=(every,), writes=(every,) * self.copies, latency_cycles=2)

    def memory(self, folding: Folding) -> Memory:
        return Memory()

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        return Structure(
            outputs=output_parts(self.output_streams(folding), fifo_depths, 0),
            fanout=self.copies,
        )

    def hls(self, folding: Folding) -> HlsInstance:
        return HlsInstance(
            header="sephw_fork.h",
            function=self.kind,
            parameters=self.hls_parameters(folding),
        )

    def rtl(self, folding: Folding) -> RtlInstance:
        module = f"sephw_fork_{self.copies}"
        parameters = (
            ("COPIES", self.copies),
            ("SIMD", folding.simd),
            ("IN_BITS", self.dtype.bits),
        )
        width = "SIMD*IN_BITS"
        wrapper = numbered_ports(
            module,
            "sephw_fork",
            parameters=[name for name, _ in parameters],
            inputs=(width,),
            outputs=(width,) * self.copies,
        )
        return RtlInstance(
            module=module,
            parameters=parameters,
            generated=(wrapper.source,),
        )

    @classmethod
    def cases(cls) -> Iterator[Case]:
        # label, (H, W, C), type, copies, lanes
        rows = (
            ("2 copies", (3, 2, 4), IntType(8, False), 2, 2),
            ("3 copies, signed", (2, 2, 3), IntType(11, True), 3, 3),
            ("4 copies, one lane", (2, 3, 2), IntType(1, False), 4, 1),
        )
        for seed, (label, shape, dtype, copies, lanes) in enumerate(rows):
            operator = cls(
                height=shape[0], width=shape[1], channels=shape[2], dtype=dtype, copies=copies
            )
            frames = random_tensor(seed, shape, dtype)
            yield Case(label, operator, Folding(pe=lanes, simd=lanes), (frames,))
