"""Concat: the channels of 2 to 8 feature maps side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import gcd
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

MAX_INPUTS = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class Concat(LaneOperator):
    """(H, W, C_0), (H, W, C_1), … → (H, W, C_0 + C_1 + …), values unchanged.

    ``channels`` of each input. Lanes divide all of them, so a beat has values of one input only.
    """

    kind: ClassVar[str] = "concat"

    height: int
    width: int
    channels: tuple[int, ...]
    dtype: IntType

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))
        require_positive(self, "height", "width")
        require(
            2 <= len(self.channels) <= MAX_INPUTS,
            self,
            f"{len(self.channels)} inputs; it takes 2 to {MAX_INPUTS}: concatenate some before",
        )
        require(
            min(self.channels) >= 1,
            self,
            f"channels={self.channels}; each input must have at least 1",
        )

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return tuple((self.height, self.width, count) for count in self.channels)

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return (self.dtype,) * len(self.channels)

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, sum(self.channels)),)

    @property
    def output_types(self) -> tuple[IntType, ...]:
        return (self.dtype,)

    @property
    def lane_limit(self) -> int:
        return gcd(*self.channels)

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        return (np.concatenate(inputs, axis=3),)

    def frame_cycles(self, folding: Folding) -> int:
        return self.height * self.width * sum(self.channels) // folding.simd

    def schedule(self, folding: Folding) -> Schedule:
        """One issue a beat: per pixel all beats of input 0, then those of input 1, and so on.

        Latency 3 cycles: the register of the chosen beat, then the FIFO.
        """
        words = [count // folding.simd for count in self.channels]
        pixels = self.height * self.width
        turns = np.repeat(np.arange(len(words)), words)
        return Schedule(
            reads=tuple(np.tile((turns == j).astype(np.uint8), pixels) for j in range(len(words))),
            writes=(np.ones(pixels * len(turns), np.uint8),),
            latency_cycles=3,
        )

    def memory(self, folding: Folding) -> Memory:
        return Memory()

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        beat = folding.simd * self.dtype.bits
        inputs = len(self.channels)
        return Structure(
            outputs=output_parts(self.output_streams(folding), fifo_depths, 1),
            counters=tuple(count // folding.simd for count in self.channels),
            mux_bits=(inputs - 1) * beat,
            register_bits=beat + inputs,
            fanout=beat,
        )

    def hls(self, folding: Folding) -> HlsInstance:
        ends = accumulate(count // folding.simd for count in self.channels)
        return HlsInstance(
            header="sephw_concat.h",
            function=self.kind,
            parameters=self.hls_parameters(folding),
            lists=(("ends", tuple(ends)),),
            inputs_last=True,
        )

    def rtl(self, folding: Folding) -> RtlInstance:
        inputs = len(self.channels)
        module = f"sephw_concat_{inputs}"
        parameters = (
            ("INPUTS", inputs),
            *((f"CHANNELS_{j}", count) for j, count in enumerate(self.channels)),
            ("SIMD", folding.simd),
            ("IN_BITS", self.dtype.bits),
        )
        width = "SIMD*IN_BITS"
        wrapper = numbered_ports(
            module,
            "sephw_concat",
            parameters=[name for name, _ in parameters],
            inputs=(width,) * inputs,
            outputs=(width,),
        )
        return RtlInstance(
            module=module,
            parameters=parameters,
            generated=(wrapper.source,),
        )

    @classmethod
    def cases(cls) -> Iterator[Case]:
        # label, (H, W), channels, type, lanes
        rows = (
            ("two inputs", (3, 2), (4, 6), IntType(8, False), 2),
            ("three inputs, one beat each", (2, 3), (3, 3, 3), IntType(4, False), 3),
            ("four inputs, as in an Inception block", (3, 3), (8, 12, 4, 4), IntType(8, False), 4),
            ("eight inputs, one lane", (2, 2), (1, 2, 1, 3, 1, 1, 2, 1), IntType(2, False), 1),
            ("five inputs, signed", (1, 3), (2, 4, 2, 6, 2), IntType(11, True), 2),
            ("six inputs", (2, 1), (2, 2, 2, 2, 4, 2), IntType(1, False), 2),
            ("seven inputs", (1, 1), (1, 1, 1, 1, 1, 1, 1), IntType(8, False), 1),
        )
        for seed, (label, size, channels, dtype, lanes) in enumerate(rows):
            operator = cls(height=size[0], width=size[1], channels=channels, dtype=dtype)
            inputs = tuple(
                random_tensor(10 * seed + j, shape, dtype)
                for j, shape in enumerate(operator.input_shapes)
            )
            yield Case(label, operator, Folding(pe=lanes, simd=lanes), inputs)
