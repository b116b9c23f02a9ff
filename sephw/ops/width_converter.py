"""WidthConverter: the same integers, more or fewer of them a beat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from sephw.ir import (
    Case,
    ChoicePart,
    Folding,
    HlsInstance,
    Integers,
    IntType,
    Memory,
    RtlInstance,
    Schedule,
    Shape,
    Stream,
    Structure,
)
from sephw.ir.operator import Operator
from sephw.ops.common import (
    integer_parameters,
    random_tensor,
    require,
    require_positive,
    stream_of,
)
from sephw.ops.parts import counter_bits, output_parts


@dataclass(frozen=True, eq=False, kw_only=True)
class WidthConverter(Operator):
    """(H, W, C) → (H, W, C); ``lanes_in`` → ``lanes_out`` a beat, one dividing the other."""

    kind: ClassVar[str] = "width_converter"

    height: int
    width: int
    channels: int
    dtype: IntType
    lanes_in: int
    lanes_out: int

    def __post_init__(self) -> None:
        require_positive(self, "height", "width", "channels", "lanes_in", "lanes_out")
        require(
            max(self.lanes_in, self.lanes_out) % min(self.lanes_in, self.lanes_out) == 0,
            self,
            f"neither of lanes_in={self.lanes_in} and lanes_out={self.lanes_out} divides the "
            "other; convert by way of their greatest common divisor",
        )
        elements = prod(self.input_shapes[0])
        for name in ("lanes_in", "lanes_out"):
            lanes = getattr(self, name)
            require(
                elements % lanes == 0, self, f"{name}={lanes} does not divide {elements} elements"
            )

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.channels),)

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return (self.dtype,)

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        return self.input_shapes

    @property
    def output_types(self) -> tuple[IntType, ...]:
        return (self.dtype,)

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        return inputs

    @property
    def folding(self) -> Folding:
        """The only legal folding."""
        return Folding(pe=self.lanes_out, simd=self.lanes_in)

    def legal_foldings(self) -> tuple[Folding, ...]:
        return (self.folding,)

    def input_streams(self, folding: Folding) -> tuple[Stream, ...]:
        return (stream_of(self.input_shapes[0], self.dtype, folding.simd),)

    def output_streams(self, folding: Folding) -> tuple[Stream, ...]:
        return (stream_of(self.input_shapes[0], self.dtype, folding.pe),)

    def frame_cycles(self, folding: Folding) -> int:
        return prod(self.input_shapes[0]) // min(self.lanes_in, self.lanes_out)

    def schedule(self, folding: Folding) -> Schedule:
        """The narrow side moves at every issue; a wide beat is read first or written last.

        Latency 3 cycles: the register of the wide beat, then the FIFO.
        """
        ratio = max(self.lanes_in, self.lanes_out) // min(self.lanes_in, self.lanes_out)
        issues = self.frame_cycles(folding)
        narrow = np.ones(issues, np.uint8)
        wide = np.zeros((issues // ratio, ratio), np.uint8)
        if self.lanes_in > self.lanes_out:
            wide[:, 0] = 1
            return Schedule(reads=(wide.ravel(),), writes=(narrow,), latency_cycles=3)
        wide[:, -1] = 1
        return Schedule(reads=(narrow,), writes=(wide.ravel(),), latency_cycles=3)

    def memory(self, folding: Folding) -> Memory:
        return Memory(buffer_bits=max(self.lanes_in, self.lanes_out) * self.dtype.bits)

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        narrow, wide = sorted((self.lanes_in * self.dtype.bits, self.lanes_out * self.dtype.bits))
        # Widening shifts beats in; narrowing chooses among the parts of the beat.
        parts = wide // narrow if self.lanes_in > self.lanes_out else 1
        return Structure(
            outputs=output_parts(self.output_streams(folding), fifo_depths, 1),
            counters=(wide // narrow,),
            choices=(ChoicePart(narrow, parts),) if parts > 1 else (),
            register_bits=wide + (1 + counter_bits(parts) if parts > 1 else 0),
            fanout=wide,
        )

    def hls(self, folding: Folding) -> HlsInstance:
        return HlsInstance(
            header="sephw_width_converter.h",
            function=self.kind,
            parameters=(
                *integer_parameters(self),
                ("pe", folding.pe),
                ("simd", folding.simd),
                ("issues", self.frame_cycles(folding)),
            ),
        )

    def rtl(self, folding: Folding) -> RtlInstance:
        return RtlInstance(
            module="sephw_width_converter",
            parameters=(
                ("LANES_IN", self.lanes_in),
                ("LANES_OUT", self.lanes_out),
                ("IN_BITS", self.dtype.bits),
            ),
        )

    @classmethod
    def cases(cls) -> Iterator[Case]:
        # label, (H, W, C), type, lanes in, lanes out
        rows = (
            ("widen", (3, 2, 8), IntType(8, False), 2, 8),
            ("narrow", (2, 2, 6), IntType(8, False), 6, 2),
            ("narrow, many parts", (2, 2, 44), IntType(5, True), 44, 2),
            ("equal, signed", (2, 2, 4), IntType(13, True), 2, 2),
            ("widen by three", (2, 3, 6), IntType(4, False), 1, 3),
            ("beats across pixels", (2, 4, 2), IntType(8, False), 2, 4),
        )
        for seed, (label, shape, dtype, lanes_in, lanes_out) in enumerate(rows):
            operator = cls(
                height=shape[0],
                width=shape[1],
                channels=shape[2],
                dtype=dtype,
                lanes_in=lanes_in,
                lanes_out=lanes_out,
            )
            yield Case(label, operator, operator.folding, (random_tensor(seed, shape, dtype),))
