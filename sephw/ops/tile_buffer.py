"""TileBuffer: blocks of a stream, sent in another order, parts of them several times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
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
    Stream,
    Structure,
)
from sephw.ir.operator import Operator
from sephw.ops.common import (
    constant,
    every_pixel_equals,
    integer_parameters,
    random_tensor,
    require,
    require_positive,
    stream_of,
)
from sephw.ops.parts import counter_bits, output_parts, ram


@dataclass(frozen=True, eq=False, kw_only=True)
class TileBuffer(Operator):
    """(H, W, C) → (output_height, output_width, output_channels), beats of ``lanes`` throughout.

    A block is ``rows`` × ``columns`` runs of ``run`` beats, row by row. It comes out column by
    column, each column ``repeats`` times one after the other, runs as they are.

    What a layer needs whose streamed weights serve a tile of pixels. Of the tile's windows it sends
    group by group those of all pixels, for each neuron fold once; of the words those of a neuron
    fold, for each pixel once; the sums it brings back into the order of the pixels.

    ``paced`` 1: the first block is read as slowly as all others, a beat of ``repeats`` issues,
    for a source of an even pace; 0: a beat an issue. ``values`` int64 (C,): what every pixel of the
    input brings, where that is known; empty elsewhere.
    """

    kind: ClassVar[str] = "tile_buffer"

    height: int
    width: int
    channels: int
    dtype: IntType
    lanes: int
    rows: int
    columns: int
    run: int
    repeats: int
    paced: int
    output_height: int
    output_width: int
    output_channels: int
    values: Integers

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", constant(self.values))
        require_positive(
            self,
            "height",
            "width",
            "channels",
            "lanes",
            "rows",
            "columns",
            "run",
            "repeats",
            "output_height",
            "output_width",
            "output_channels",
        )
        require(self.paced in (0, 1), self, f"paced={self.paced}; it must be 0 or 1")
        elements, block = prod(self.input_shapes[0]), self.lanes * self.block_beats
        require(
            elements % block == 0,
            self,
            f"blocks of {block} elements do not divide the {elements} of the input",
        )
        made = prod(self.output_shapes[0])
        require(
            made == elements * self.repeats,
            self,
            f"the output has {made} elements; {self.repeats} times the input are "
            f"{elements * self.repeats}",
        )
        require(
            self.values.size == 0 or self.values.shape == (self.channels,),
            self,
            f"values have shape {self.values.shape}, not ({self.channels},)",
        )

    @property
    def block_beats(self) -> int:
        """Beats of a block."""
        return self.rows * self.columns * self.run

    @property
    def blocks(self) -> int:
        """Blocks of a frame."""
        return prod(self.input_shapes[0]) // (self.lanes * self.block_beats)

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.channels),)

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return (self.dtype,)

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        return ((self.output_height, self.output_width, self.output_channels),)

    @property
    def output_types(self) -> tuple[IntType, ...]:
        return (self.dtype,)

    @property
    def constant_inputs(self) -> tuple[Integers | None, ...]:
        return (self.values if self.values.size else None,)

    def demand_bits(self, folding: Folding) -> int:
        """Bits per frame interval that the memory must be able to deliver.

        No beat is read while the last block is sent, which takes as long as any block.
        """
        block_bits = self.block_beats * self.lanes * self.dtype.bits
        return (self.blocks + 1) * block_bits

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        (x,) = inputs
        if self.values.size:
            require(
                every_pixel_equals(x, self.values),
                self,
                "input 0 brings other values than the operator has",
            )
            if self._output_constants.size:
                shape = (len(x), *self.output_shapes[0])
                # Not in memory pixel by pixel: a frame of it may be large.
                return (np.broadcast_to(self._output_constants, shape),)
        return (self._reordered(x.reshape(len(x), -1)).reshape(len(x), *self.output_shapes[0]),)

    def _reordered(self, x: Integers) -> Integers:
        """The elements in the output's order: (n, elements) → (n, repeats · elements)."""
        blocks = x.reshape(len(x), -1, self.rows, self.columns, 1, self.run * self.lanes)
        turned = blocks.transpose(0, 1, 3, 4, 2, 5)
        shape = (*turned.shape[:3], self.repeats, *turned.shape[4:])
        return np.ascontiguousarray(np.broadcast_to(turned, shape)).reshape(len(x), -1)

    @cached_property
    def _output_constants(self) -> Integers:
        """The constant output values at every pixel; empty where pixels differ."""
        pixels = self.height * self.width
        whole = self.values.size % (self.lanes * self.block_beats) == 0
        if not whole or self.output_height * self.output_width != pixels:
            return constant(np.zeros(0, np.int64))
        return constant(self._reordered(self.values[None])[0])

    @property
    def folding(self) -> Folding:
        """The only legal folding."""
        return Folding(pe=self.lanes, simd=self.lanes)

    def legal_foldings(self) -> tuple[Folding, ...]:
        return (self.folding,)

    def input_streams(self, folding: Folding) -> tuple[Stream, ...]:
        return (stream_of(self.input_shapes[0], self.dtype, self.lanes),)

    def output_streams(self, folding: Folding) -> tuple[Stream, ...]:
        return (stream_of(self.output_shapes[0], self.dtype, self.lanes),)

    @property
    def _fill_issues(self) -> int:
        return self.block_beats * (self.repeats if self.paced else 1)

    def frame_cycles(self, folding: Folding) -> int:
        return self._fill_issues + self.blocks * self.block_beats * self.repeats

    def schedule(self, folding: Folding) -> Schedule:
        """The first block is read; then each is sent while the next one is read.

        Of every ``repeats`` issues the last one reads, so beats are read at an even pace. Latency
        4 cycles: beat and address, memory, then the FIFO.
        """
        turns = np.zeros((self.blocks, self.block_beats, self.repeats), np.uint8)
        turns[:-1, :, -1] = 1
        fill = np.zeros((self.block_beats, self._fill_issues // self.block_beats), np.uint8)
        fill[:, -1] = 1
        return Schedule(
            reads=(np.concatenate([fill.ravel(), turns.ravel()]),),
            writes=(np.concatenate([np.zeros(fill.size), np.ones(turns.size)]).astype(np.uint8),),
            latency_cycles=4,
        )

    def memory(self, folding: Folding) -> Memory:
        """Two blocks: one is sent, one is read."""
        return Memory(buffer_bits=2 * self.block_beats * self.lanes * self.dtype.bits)

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        beat = self.lanes * self.dtype.bits
        address = counter_bits(2 * self.block_beats)
        offset = counter_bits(self.block_beats)
        # The beat, its row and its column begin; some of these are always the same.
        several = self.rows > 1 or self.repeats > 1
        places = 1 + (self.rows > 1 and self.run > 1) + (self.columns > 1 and several)
        return Structure(
            memories=(ram(beat, 2 * self.block_beats),),
            outputs=output_parts(self.output_streams(folding), fifo_depths, 2),
            counters=(
                self.run,
                self.rows,
                self.columns,
                self.repeats,
                self.repeats,
                self.blocks,
                self.block_beats,
                2 * self.block_beats,
            ),
            control_bits=address + places * offset,
            # The beat, where it goes and what is sent; places within a block.
            register_bits=beat + 2 * address + places * offset + 3,
            fanout=beat,
            logic_depth=address,
        )

    def hls(self, folding: Folding) -> HlsInstance:
        return HlsInstance(
            header="sephw_tile_buffer.h",
            function=self.kind,
            parameters=(
                *integer_parameters(self),
                ("pe", self.lanes),
                ("simd", self.lanes),
                ("blocks", self.blocks),
                ("issues", self.frame_cycles(folding)),
            ),
        )

    def rtl(self, folding: Folding) -> RtlInstance:
        return RtlInstance(
            module=f"sephw_{self.kind}",
            parameters=(
                ("BLOCKS", self.blocks),
                ("ROWS", self.rows),
                ("COLUMNS", self.columns),
                ("RUN", self.run),
                ("REPEATS", self.repeats),
                ("PACED", self.paced),
                ("LANES", self.lanes),
                ("IN_BITS", self.dtype.bits),
            ),
        )

    @classmethod
    def cases(cls) -> Iterator[Case]:
        # label, (H, W, C), type, lanes, (rows, columns, run), repeats, paced, output, known
        rows = (
            ("repeat", (2, 2, 6), IntType(8, False), 2, (1, 1, 3), 3, 0, (2, 1, 36), False),
            (
                "windows of two pixels",
                (2, 3, 4),
                IntType(5, True),
                2,
                (2, 1, 2),
                2,
                0,
                (3, 2, 8),
                False,
            ),
            (
                "windows of groups",
                (2, 2, 12),
                IntType(6, False),
                2,
                (2, 3, 2),
                2,
                0,
                (2, 1, 48),
                False,
            ),
            (
                "windows of groups, one beat each",
                (1, 4, 3),
                IntType(8, True),
                1,
                (4, 3, 1),
                1,
                0,
                (1, 1, 12),
                False,
            ),
            ("sums", (2, 1, 12), IntType(9, True), 2, (3, 2, 1), 1, 0, (2, 2, 6), False),
            ("all together", (3, 1, 24), IntType(4, False), 1, (4, 3, 2), 3, 0, (3, 1, 72), False),
            (
                "one block, paced",
                (1, 1, 8),
                IntType(8, True),
                4,
                (1, 1, 2),
                5,
                1,
                (1, 1, 40),
                False,
            ),
            ("one beat", (2, 2, 3), IntType(8, False), 3, (1, 1, 1), 1, 0, (4, 1, 3), False),
            (
                "one beat, repeated",
                (1, 3, 2),
                IntType(3, False),
                2,
                (1, 1, 1),
                4,
                1,
                (1, 3, 8),
                False,
            ),
            (
                "known words, paced",
                (2, 1, 12),
                IntType(8, True),
                2,
                (1, 1, 3),
                2,
                1,
                (2, 1, 24),
                True,
            ),
            ("known bits", (3, 1, 8), IntType(1, False), 4, (1, 1, 2), 3, 1, (3, 1, 24), True),
        )
        for seed, row in enumerate(rows):
            label, shape, dtype, lanes, block, repeats, paced, made, known = row
            frames = random_tensor(seed, shape, dtype)
            values = np.zeros(0, np.int64)
            if known:
                values = frames[0, 0, 0]
                frames = np.broadcast_to(values, frames.shape).copy()
            operator = cls(
                height=shape[0],
                width=shape[1],
                channels=shape[2],
                dtype=dtype,
                lanes=lanes,
                rows=block[0],
                columns=block[1],
                run=block[2],
                repeats=repeats,
                paced=paced,
                output_height=made[0],
                output_width=made[1],
                output_channels=made[2],
                values=values,
            )
            yield Case(label, operator, operator.folding, (frames,))
