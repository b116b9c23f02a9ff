"""The common base of PatternConv and Conv8: exact sums over windows, by engines of all families."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from sephw.adder_graph import AdderGraph, Interval, MatrixProblem, SolverOptions, merge, solve_many
from sephw.ir import (
    Folding,
    HlsInstance,
    HlsTable,
    Integers,
    IntType,
    Memory,
    Operator,
    RtlInstance,
    RtlMemory,
    Saving,
    Schedule,
    Shape,
    Stream,
    Structure,
)
from sephw.ir.operator import divisors
from sephw.ops import families
from sephw.ops.common import covering_values, require, require_positive, stream_of
from sephw.ops.families import (
    ConvolutionEngine,
    ConvolutionVariant,
    Multipliers,
    SelectChoices,
    WeightPlace,
)
from sephw.ops.families.sizes import AdderSizes, measure, predict
from sephw.ops.tile_buffer import TileBuffer
from sephw.ops.tiles import tile_buffers

# Levels of the adders of patterns that may lie between two registers.
ADDER_LEVELS = (1, 2)
# Weights of all pixels of a tile, which a StreamedConv has in memory while it is designed.
_TILE_WEIGHTS = 1 << 24


def pattern_corrections(words: Integers) -> RtlMemory:
    """The number of pairs whose first weight is −1, by output (groups · nf, pe).

    ``words`` ±1 (groups · nf, sf, pe, simd); lanes 2i and 2i + 1 are a pair.

    −x = ~x + 1: the engine inverts where such a weight is −1, and each sum starts from their
    number. The second value of a pair is subtracted as it is.
    """
    counts = (words[..., ::2] < 0).astype(np.int64).sum(axis=(1, 3))
    return RtlMemory("corrections", counts, covering_values(counts).bits)


@dataclass(frozen=True, eq=False, kw_only=True)
class FoldedConvolution(Operator):
    """(H, W, kh·kw·Cin) window tensor → (H, W, Cout) exact sums; H, W are the output's.

    Weights have shape (Cout, kh·kw·Cin/groups), columns in the order (ky, kx, channel in group).
    """

    # Family select: pipeline registers besides the adder tree: beat, memories, operands,
    # accumulator; and any product register.
    pipeline_registers: ClassVar[int] = 4
    # Levels of the adders of patterns that may lie between two registers of family select.
    adder_levels: ClassVar[tuple[int, ...]] = (1,)
    # Further attempts of the adder graph's solver, None for a number by size.
    solver_restarts: ClassVar[int | None] = None

    height: int
    width: int
    in_channels: int
    out_channels: int
    kernel_height: int = 1
    kernel_width: int = 1
    groups: int = 1
    input_dtype: IntType

    @property
    @abstractmethod
    def matrix(self) -> Integers:
        """Weights, int64 (out_channels, kh·kw·in_channels/groups)."""

    @property
    @abstractmethod
    def weight_bits(self) -> int:
        """Bits that one stored weight takes."""

    @property
    def variants(self) -> Sequence[type[ConvolutionVariant]]:
        return families.VARIANTS

    def variant(self, folding: Folding) -> ConvolutionVariant:
        found = super().variant(folding)
        assert isinstance(found, ConvolutionVariant)
        return found

    @property
    def select_choices(self) -> SelectChoices:
        """The legal options of family select."""
        multiplies = self.weight_bits > 1
        return SelectChoices(
            multipliers=tuple(Multipliers) if multiplies else (Multipliers.DSP,),
            weights=tuple(WeightPlace),
            adder_levels=self.adder_levels,
            tile_pixels=self.tile_sizes,
        )

    @property
    def weight_type(self) -> IntType:
        """Type of a weight in a stream; of a pattern 1 stands for −1."""
        return IntType(self.weight_bits, signed=self.weight_bits > 1)

    @abstractmethod
    def weight_table(self, words: Integers) -> HlsTable:
        """The weight table of the kernel from ordered weights (words, pe · simd)."""

    def rtl_constants(
        self, words: Integers
    ) -> tuple[tuple[tuple[str, int], ...], tuple[RtlMemory, ...]]:
        """(further parameters, memories) of the engine from ordered weights.

        ``words`` int64 (groups · nf, sf, pe, simd).
        """
        table = self.weight_table(words.reshape(-1, words.shape[2] * words.shape[3]))
        return (), (RtlMemory(table.name, table.values, table.dtype.bits),)

    @property
    def tile_sizes(self) -> tuple[int, ...]:
        """Pixels that a word of streamed weights may serve: divisors of all pixels."""
        pixels = divisors(self.height * self.width)
        return tuple(n for n in pixels if n == 1 or n * self.matrix.size <= _TILE_WEIGHTS)

    @abstractmethod
    def streamed(self, folding: Folding) -> FoldedConvolution:
        """The same operator with its weights as a further, last input in the order of ``folding``.

        Only where ``folding`` saves weight memory.
        """

    def tile_buffers(self, folding: Folding, *, known: bool = True) -> tuple[TileBuffer, ...]:
        """The buffers around ``streamed``; () where no tile of ``folding`` has several pixels.

        Else three, each of one input, one output and one legal folding: before input 0, before the
        weights, behind the output. ``known``: whether the second one is told the weights; costs do
        not depend on them.
        """
        tile = self.variant(folding).tile
        if tile == 1:
            return ()
        return tile_buffers(
            folding,
            tile,
            self.groups,
            (self.input_shapes[0], self.input_dtype),
            self.weight_type,
            (self.output_shapes[0], self.output_type),
            self.engine(folding).stream_values if known else None,
        )

    @property
    def traffic_bits(self) -> int:
        """Bits a frame of streamed weights, all of them for each output pixel (tiles of one)."""
        return self.height * self.width * (self.work.weights_1bit + 8 * self.work.weights_8bit)

    def demand_bits(self, folding: Folding) -> int:
        """Bits a frame interval that a memory must be able to give for streamed weights.

        The traffic, and what could be given while none are read.
        """
        buffers = self.tile_buffers(folding, known=False)
        return buffers[1].demand_bits(folding) if buffers else self.traffic_bits

    @property
    def pixels_per_word(self) -> int:
        """The number of a tile's pixels that the groups stand for: one, but in a StreamedConv."""
        return 1

    def _check(self, name: str) -> None:
        require_positive(
            self,
            "height",
            "width",
            "in_channels",
            "out_channels",
            "kernel_height",
            "kernel_width",
            "groups",
        )
        for what in ("in_channels", "out_channels"):
            value = getattr(self, what)
            require(
                value % self.groups == 0,
                self,
                f"groups={self.groups} does not divide {what}={value}",
            )
        shape = (self.out_channels, self.kernel_height * self.kernel_width * self.group_inputs)
        require(
            self.matrix.shape == shape, self, f"{name} have shape {self.matrix.shape}, not {shape}"
        )

    @property
    def group_inputs(self) -> int:
        """Input channels of a group."""
        return self.in_channels // self.groups

    @property
    def group_outputs(self) -> int:
        """Output channels of a group."""
        return self.out_channels // self.groups

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.matrix.shape[1] * self.groups),)

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return (self.input_dtype,)

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.out_channels),)

    @cached_property
    def channel_ranges(self) -> tuple[Integers, Integers]:
        """Exact intervals over all inputs, int64 (Cout,) each; they hold 0, so all partial sums."""
        ends = np.stack([self.matrix * self.input_dtype.min, self.matrix * self.input_dtype.max])
        return np.minimum(ends.min(0), 0).sum(1), np.maximum(ends.max(0), 0).sum(1)

    @cached_property
    def output_type(self) -> IntType:
        """Holds every sum, partial ones included."""
        low, high = self.channel_ranges
        return IntType.covering(int(low.min()), int(high.max()))

    @property
    def output_types(self) -> tuple[IntType, ...]:
        return (self.output_type,)

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        (x,) = inputs
        columns = self.matrix.shape[1]
        # Floating point is exact while every partial sum stays within the mantissa.
        largest = max(abs(self.input_dtype.min), self.input_dtype.max)
        bound = int(np.abs(self.matrix).sum(1).max()) * largest
        dtype = np.float32 if bound < 1 << 24 else np.float64 if bound < 1 << 53 else np.int64
        windows = x.reshape(-1, self.groups, columns).transpose(1, 0, 2).astype(dtype)
        weights = self.matrix.reshape(self.groups, self.group_outputs, columns).astype(dtype)
        sums = np.matmul(windows, weights.transpose(0, 2, 1))
        result = sums.transpose(1, 0, 2).astype(np.int64)
        return (np.ascontiguousarray(result).reshape(len(x), *self.output_shapes[0]),)

    def legal_foldings(self) -> tuple[Folding, ...]:
        """The foldings of the default engine."""
        usual, *_ = self.variants
        return usual.foldings(self)

    def further_foldings(self) -> tuple[Folding, ...]:
        """The foldings of the other engines."""
        _, *others = self.variants
        return tuple(folding for variant in others for folding in variant.foldings(self))

    @cached_property
    def adder_graph(self) -> AdderGraph:
        """The weights as adders, groups side by side; solved once per user, then cached."""
        ends = Interval(self.input_dtype.min, self.input_dtype.max)
        rows = self.matrix.reshape(self.groups, self.group_outputs, -1)
        # One process: this may run in a program that cannot be imported twice.
        options = SolverOptions(jobs=1, restarts=self.solver_restarts)
        problems = [
            MatrixProblem(f"{self.kind}, group {group}", matrix, (ends,) * matrix.shape[1])
            for group, matrix in enumerate(rows)
        ]
        return merge(solve_many(problems, options))

    @cached_property
    def adder_sizes(self) -> AdderSizes:
        """Sizes of the adder graph; solves it."""
        return measure(self.adder_graph)

    @cached_property
    def predicted_adder_sizes(self) -> AdderSizes:
        """Sizes of the adder graph as far as they can be told without solving it."""
        return predict(self.matrix, self.groups, self.input_dtype, self.output_type)

    def input_streams(self, folding: Folding) -> tuple[Stream, ...]:
        return (stream_of(self.input_shapes[0], self.input_dtype, folding.simd),)

    def output_streams(self, folding: Folding) -> tuple[Stream, ...]:
        return (stream_of(self.output_shapes[0], self.output_type, folding.pe),)

    def engine(self, folding: Folding) -> ConvolutionEngine:
        """The engine at a legal folding; where it streams weights, that of ``streamed``."""
        return self.variant(folding).build(self, folding)

    def frame_cycles(self, folding: Folding) -> int:
        return self.engine(folding).frame_cycles

    def schedule(self, folding: Folding) -> Schedule:
        return self.engine(folding).schedule()

    def memory(self, folding: Folding) -> Memory:
        return self.engine(folding).memory()

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        return self.engine(folding).structure(fifo_depths, solve=solve)

    def hls(self, folding: Folding) -> HlsInstance:
        return self.engine(folding).hls()

    def rtl(self, folding: Folding) -> RtlInstance:
        return self.engine(folding).rtl()

    def cost_kind(self, folding: Folding) -> str:
        return f"{self.kind}:{self.variant(folding).family}"

    @property
    def macs(self) -> int:
        """Multiply-accumulates per frame."""
        return self.height * self.width * self.matrix.size


def streaming(operator: Operator, folding: Folding) -> FoldedConvolution | None:
    """``operator`` where ``folding`` lets a stream bring its weights; None where it does not."""
    streams = Saving.WEIGHT_MEMORY in operator.variant(folding).saves
    return operator if streams and isinstance(operator, FoldedConvolution) else None
