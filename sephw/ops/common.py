"""Helpers of operators: checks, folding lists, parameters, and the lane-parallel operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import prod

import numpy as np

from sephw.errors import SephwError
from sephw.ir import Folding, Integers, IntType, Operator, Shape, Stream
from sephw.ir.operator import divisors


def require(condition: bool, operator: Operator, reason: str) -> None:
    """Raise SephwError ``<Operator>: <reason>`` unless ``condition``."""
    if not condition:
        raise SephwError(f"{type(operator).__name__}: {reason}")


def require_positive(operator: Operator, *names: str) -> None:
    """Raise SephwError unless each named integer field is at least 1."""
    for name in names:
        value = getattr(operator, name)
        require(value >= 1, operator, f"{name}={value}; it must be at least 1")


def constant(values: Integers) -> Integers:
    """A read-only int64 copy in C order: operators are immutable."""
    copy = np.array(values, dtype=np.int64, order="C")
    copy.flags.writeable = False
    return copy


def every_pixel_equals(x: Integers, values: Integers) -> bool:
    """Whether every pixel of ``x`` (N, h, w, c) equals ``values`` (c,); views are compared once."""
    once = tuple(slice(0, 1) if stride == 0 else slice(None) for stride in x.strides)
    return bool((x[once] == values).all())


def clog2(n: int) -> int:
    """Bits that count to n values: ceil(log2 n); 0 for n = 1."""
    return (n - 1).bit_length()


def stream_of(shape: Shape, dtype: IntType, lanes: int) -> Stream:
    """The stream of one feature map at ``lanes`` channels a beat."""
    return Stream(dtype, lanes, prod(shape) // lanes)


def integer_parameters(operator: Operator) -> tuple[tuple[str, int], ...]:
    """The operator's integer fields, in their order: the head of every HLS parameter list."""
    values = ((f.name, getattr(operator, f.name)) for f in fields(operator))
    return tuple((name, int(v)) for name, v in values if isinstance(v, int))


def covering_values(values: Integers) -> IntType:
    """The narrowest type for a table's values."""
    return IntType.covering(int(values.min()), int(values.max()))


def random_tensor(seed: int, shape: Shape, dtype: IntType, frames: int = 3) -> Integers:
    """Seeded frames for ``cases()``: random ones, then all-minimum and all-maximum ones."""
    rng = np.random.default_rng(seed)
    values = rng.integers(dtype.min, dtype.max + 1, (frames, *shape), np.int64)
    values[-1] = dtype.max
    if frames > 2:
        values[-2] = dtype.min
    return values


@dataclass(frozen=True, eq=False, kw_only=True)
class LaneOperator(Operator):
    """An operator without arithmetic between lanes: pe = simd = lanes on every stream."""

    @property
    def lane_limit(self) -> int:
        """The legal lane counts are the divisors of this."""
        return self.output_shapes[0][2]

    def legal_foldings(self) -> tuple[Folding, ...]:
        return tuple(Folding(pe=n, simd=n) for n in divisors(self.lane_limit))

    def input_streams(self, folding: Folding) -> tuple[Stream, ...]:
        pairs = zip(self.input_shapes, self.input_types, strict=True)
        return tuple(stream_of(shape, dtype, folding.simd) for shape, dtype in pairs)

    def output_streams(self, folding: Folding) -> tuple[Stream, ...]:
        pairs = zip(self.output_shapes, self.output_types, strict=True)
        return tuple(stream_of(shape, dtype, folding.pe) for shape, dtype in pairs)

    def hls_parameters(
        self, folding: Folding, derived: Sequence[tuple[str, int]] = ()
    ) -> tuple[tuple[str, int], ...]:
        """Integer fields, pe, simd, the derived ones, and the loop's iteration count."""
        return (
            *integer_parameters(self),
            ("pe", folding.pe),
            ("simd", folding.simd),
            *derived,
            ("issues", self.frame_cycles(folding)),
        )
