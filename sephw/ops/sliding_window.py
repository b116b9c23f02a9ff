"""SlidingWindow: a line buffer that streams the k×k neighbourhood of every output pixel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

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
from sephw.ops.common import (
    LaneOperator,
    integer_parameters,
    random_tensor,
    require,
    require_positive,
)
from sephw.ops.parts import counter_bits, output_parts, ram


def _trailing(value: int) -> int:
    """Trailing zeros of a positive integer."""
    return (value & -value).bit_length() - 1


@dataclass(frozen=True, eq=False, kw_only=True)
class SlidingWindow(LaneOperator):
    """(H, W, C) → (OH, OW, kh·kw·C); per pixel in the order (group, ky, kx, channel in group).

    Zeros pad ``padding_top`` rows above, ``padding_left`` columns to the left, and whatever the
    output size needs below and to the right.

    Foldings: pe = simd = lanes of one window beat, or ``parallel_folding``: a pixel in and a
    whole window out per issue.
    """

    kind: ClassVar[str] = "sliding_window"
    follows_reader: ClassVar[bool] = True

    height: int
    width: int
    channels: int
    dtype: IntType
    kernel_height: int
    kernel_width: int
    stride: int = 1
    padding_top: int = 0
    padding_left: int = 0
    output_height: int
    output_width: int
    groups: int = 1

    def __post_init__(self) -> None:
        require_positive(
            self,
            "height",
            "width",
            "channels",
            "kernel_height",
            "kernel_width",
            "stride",
            "output_height",
            "output_width",
            "groups",
        )
        require(
            self.channels % self.groups == 0,
            self,
            f"groups={self.groups} does not divide channels={self.channels}",
        )
        ends = (
            ("rows", self.height, self.kernel_height, self.padding_top, self.output_height),
            ("columns", self.width, self.kernel_width, self.padding_left, self.output_width),
        )
        for what, size, kernel, padding, outputs in ends:
            last = (outputs - 1) * self.stride - padding
            require(
                0 <= padding < kernel and last < size,
                self,
                f"a window of {kernel} {what} with padding {padding} and stride {self.stride} "
                f"lies wholly outside the {size} input {what}",
            )

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.channels),)

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return (self.dtype,)

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        elements = self.kernel_height * self.kernel_width * self.channels
        return ((self.output_height, self.output_width, elements),)

    @property
    def output_types(self) -> tuple[IntType, ...]:
        return (self.dtype,)

    @property
    def lane_limit(self) -> int:
        return self.channels // self.groups

    @cached_property
    def parallel_folding(self) -> Folding | None:
        """All channels in, the whole window out; None where the engine cannot do that.

        It cannot for windows of one pixel (plain lanes do), outputs wider than the input, and
        columns of several rows in a map that is one pixel wide.
        """
        taps = self.kernel_height * self.kernel_width
        if taps == 1 or self.output_width > self.width:
            return None
        if self.width == 1 and self.kernel_height > 1:
            return None
        return Folding(pe=taps * self.channels, simd=self.channels)

    def cost_kind(self, folding: Folding) -> str:
        return f"{self.kind}:parallel" if folding == self.parallel_folding else self.kind

    def further_foldings(self) -> tuple[Folding, ...]:
        return () if self.parallel_folding is None else (self.parallel_folding,)

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        (x,) = inputs
        kh, kw, stride = self.kernel_height, self.kernel_width, self.stride
        rows = (self.output_height - 1) * stride + kh
        columns = (self.output_width - 1) * stride + kw
        padded = np.zeros((len(x), rows, columns, self.channels), np.int64)
        # Rows or columns that no window reaches (stride beyond the kernel) are cut off.
        part = x[:, : rows - self.padding_top, : columns - self.padding_left]
        top, left = self.padding_top, self.padding_left
        padded[:, top : top + part.shape[1], left : left + part.shape[2]] = part
        view = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(1, 2))
        view = view[:, ::stride, ::stride]
        grouped = view.reshape(*view.shape[:3], self.groups, self.lane_limit, kh, kw)
        ordered = grouped.transpose(0, 1, 2, 3, 5, 6, 4)
        return (np.ascontiguousarray(ordered).reshape(len(x), *self.output_shapes[0]),)

    @cached_property
    def _rows_present(self) -> tuple[int, ...]:
        """Input rows read before phase r's first window, and at the end: output_height + 1."""
        ends = np.arange(self.output_height) * self.stride - self.padding_top + self.kernel_height
        return (*np.clip(ends, 0, self.height).tolist(), self.height)

    @property
    def buffer_rows(self) -> int:
        """Rows of the circular line buffer: those a phase reads into while others are in use."""
        present = self._rows_present
        # The last phase only drains: rows read there are never stored for a window.
        ends = (*present[1:-1], present[-2])
        oldest = (max(0, r * self.stride - self.padding_top) for r in range(self.output_height))
        return max(1, *(end - first for end, first in zip(ends, oldest, strict=True)))

    def _phases(self, lanes: int) -> list[tuple[int, int]]:
        """(beats read, beats written) of the fill and of every output row."""
        row_in = self.width * self.channels // lanes
        row_out = self.output_width * self.output_shapes[0][2] // lanes
        present = self._rows_present
        fresh = np.diff(present).tolist()
        return [(present[0] * row_in, 0), *((rows * row_in, row_out) for rows in fresh)]

    def _parallel_writes(self) -> NDArray[np.uint8]:
        """Per issue of the parallel form: 1 where a window ends, uint8 (issues,).

        Issue n shifts pixel n in, rows without a gap; a window ends with its last pixel, be that
        beyond the row or the map.
        """
        below = self.kernel_height - 1 - self.padding_top
        right = self.kernel_width - 1 - self.padding_left
        rows = (np.arange(self.output_height) * self.stride + below) * self.width
        ends = rows[:, None] + np.arange(self.output_width) * self.stride + right
        writes = np.zeros(max(self.height * self.width, int(ends[-1, -1]) + 1), np.uint8)
        writes[ends] = 1
        return writes

    def frame_cycles(self, folding: Folding) -> int:
        if folding == self.parallel_folding:
            return len(self._parallel_writes())
        return sum(max(phase) for phase in self._phases(folding.simd))

    def schedule(self, folding: Folding) -> Schedule:
        """First the fill; then per output row the next rows' reads beside this row's writes.

        Latency 6 cycles: beat, address, memory, padding, and 2 of the output FIFO. The parallel
        form: all pixels, then what the last windows need beyond them; latency 6 as well (beat,
        memory, window, padding).
        """
        if folding == self.parallel_folding:
            made = self._parallel_writes()
            taken = (np.arange(len(made)) < self.height * self.width).astype(np.uint8)
            return Schedule(reads=(taken,), writes=(made,), latency_cycles=6)
        ends = [(phase, max(phase)) for phase in self._phases(folding.simd)]
        reads = [np.arange(issues) < phase[0] for phase, issues in ends]
        writes = [np.arange(issues) < phase[1] for phase, issues in ends]
        return Schedule(
            reads=(np.concatenate(reads).astype(np.uint8),),
            writes=(np.concatenate(writes).astype(np.uint8),),
            latency_cycles=6,
        )

    def memory(self, folding: Folding) -> Memory:
        row_bits = self.width * self.channels * self.dtype.bits
        if folding == self.parallel_folding:
            return Memory(buffer_bits=(self.kernel_height - 1) * row_bits)
        return Memory(buffer_bits=self.buffer_rows * row_bits)

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        out = output_parts(self.output_streams(folding), fifo_depths, 4)
        if folding == self.parallel_folding:
            return replace(self._parallel_structure(), outputs=out)
        words = self.channels // folding.simd
        beat = folding.simd * self.dtype.bits
        buffer = self.buffer_rows * self.width * words
        address = counter_bits(buffer)
        rows = self.height.bit_length()
        y_bits, x_bits = self._coordinate_bits
        # The bounds of the map are compared without their trailing zeros.
        compared = y_bits + x_bits - _trailing(self.height) - _trailing(self.width)
        taps = (words // self.groups, self.kernel_width, self.kernel_height, self.groups)
        flags = 9 + sum(period > 1 for period in (*taps, self.output_width))
        return Structure(
            memories=(ram(beat, buffer),),
            outputs=out,
            counters=(*taps, self.output_width, self.width * words, self.output_height + 1),
            compare_bits=compared,
            mux_bits=beat,
            control_bits=2 * rows + 6 * address + 2 * (y_bits + x_bits),
            # Beats; addresses, rows and columns of the buffer and the map; flags of the stages.
            register_bits=3 * beat
            + 2 * rows
            + 6 * address
            + 2 * (y_bits + x_bits)
            + compared
            + flags,
            fanout=beat,
            logic_depth=address,
        )

    @property
    def _coordinate_bits(self) -> tuple[int, int]:
        """Bits of the row and the column of a window's beat in the map, padding included."""
        rows = max((self.output_height - 1) * self.stride + self.kernel_height + 1, self.height + 1)
        columns = max((self.output_width - 1) * self.stride + self.kernel_width + 1, self.width + 1)
        return counter_bits(rows) + 1, counter_bits(columns) + 1

    def _parallel_structure(self) -> Structure:
        pixel = self.channels * self.dtype.bits
        taps = self.kernel_height * self.kernel_width
        lines = (self.kernel_height - 1) * pixel
        writes = len(self._parallel_writes())
        place = sum(self._coordinate_bits)
        gap = counter_bits(self.stride * (self.width - self.output_width + 1) + self.width)
        return Structure(
            memories=(ram(lines, self.width),) if lines else (),
            counters=(
                self.height * self.width,
                max(1, writes - self.height * self.width),
                self.output_width,
                self.output_height,
                *((self.width,) if lines else ()),
            ),
            compare_bits=(self.kernel_height + self.kernel_width) * place,
            register_bits=2 * pixel
            + 2 * taps * pixel
            + taps
            + place
            + gap
            + self.kernel_height
            + self.kernel_width
            + 7
            + counter_bits(self.width),
            fanout=taps * pixel,
            logic_depth=place,
        )

    def hls(self, folding: Folding) -> HlsInstance:
        if folding == self.parallel_folding:
            return HlsInstance(
                header="sephw_parallel_window.h",
                function="parallel_window",
                parameters=self.hls_parameters(folding),
            )
        return HlsInstance(
            header="sephw_sliding_window.h",
            function=self.kind,
            parameters=self.hls_parameters(folding, [("buffer_rows", self.buffer_rows)]),
        )

    def rtl(self, folding: Folding) -> RtlInstance:
        fields = tuple((name.upper(), value) for name, value in integer_parameters(self))
        if folding == self.parallel_folding:
            return RtlInstance(
                module="sephw_parallel_window",
                parameters=(*fields, ("IN_BITS", self.dtype.bits)),
            )
        return RtlInstance(
            module=f"sephw_{self.kind}",
            parameters=(
                *fields,
                ("LANES", folding.pe),
                ("IN_BITS", self.dtype.bits),
                ("BUFFER_ROWS", self.buffer_rows),
            ),
        )

    @classmethod
    def cases(cls) -> Iterator[Case]:
        # label, (H, W, C), bits, signed, (kh, kw), stride, padding, (OH, OW), groups, lanes
        rows = (
            ("3x3 same", (6, 5, 4), 8, False, (3, 3), 1, (1, 1), (6, 5), 1, 2),
            ("3x3 stride 2 groups", (7, 8, 8), 4, False, (3, 3), 2, (1, 1), (4, 4), 4, 2),
            ("5x5 stride 2, three channels", (9, 10, 3), 8, False, (5, 5), 2, (2, 2), (5, 5), 1, 3),
            ("1x1 stride 2", (6, 6, 4), 8, False, (1, 1), 2, (0, 0), (3, 3), 1, 4),
            (
                "2x2 stride 2, groups = channels",
                (5, 5, 3),
                8,
                False,
                (2, 2),
                2,
                (0, 0),
                (2, 2),
                3,
                1,
            ),
            ("3x2 valid, signed", (5, 4, 2), 5, True, (3, 2), 1, (0, 0), (3, 3), 1, 1),
            ("kernel larger than the map", (2, 2, 2), 8, False, (5, 5), 1, (2, 2), (2, 2), 1, 2),
            ("one pixel", (1, 1, 4), 8, False, (3, 3), 1, (1, 1), (1, 1), 2, 1),
        )
        for seed, row in enumerate(rows):
            label, (h, w, c), bits, signed, (kh, kw), stride, pad, (oh, ow), groups, lanes = row
            operator = cls(
                height=h,
                width=w,
                channels=c,
                dtype=IntType(bits, signed),
                kernel_height=kh,
                kernel_width=kw,
                stride=stride,
                padding_top=pad[0],
                padding_left=pad[1],
                output_height=oh,
                output_width=ow,
                groups=groups,
            )
            frames = random_tensor(seed, (h, w, c), operator.dtype)
            yield Case(label, operator, Folding(pe=lanes, simd=lanes), (frames,))
            for whole in operator.further_foldings():
                yield Case(f"{label}, whole windows", operator, whole, (frames,))
