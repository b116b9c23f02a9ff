"""StreamedConv: Conv8 or PatternConv whose weights come through a second input, word by word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from sephw.ir import (
    Case,
    Folding,
    HlsTable,
    Integers,
    IntType,
    RtlMemory,
    Shape,
    Stream,
    Work,
)
from sephw.ops.common import constant, every_pixel_equals, random_tensor, require, stream_of
from sephw.ops.convolution import ADDER_LEVELS, FoldedConvolution, pattern_corrections
from sephw.ops.families import ConvolutionVariant, Multipliers, Select, SelectChoices, WeightPlace


@dataclass(frozen=True, eq=False, kw_only=True)
class StreamedConv(FoldedConvolution):
    """Σ w·x with the weights at input 1: per output pixel all of them, in words of pe · simd.

    ``weights`` int64 (out_channels, kh·kw·in_channels/groups), of ``bits_per_weight`` 8
    (−128..127) or 1 (−1 and +1; the stream has 1 for −1). Input 1 is (H, W, all weights), in the
    order of the words (group · neuron folds + nf) · synapse folds + sf, then pe, simd innermost; it
    must bring these weights. They are sent again for every pixel: H · W · weights · bits a frame.

    ``tile_pixels`` above 1: the pixels of this operator are tiles of so many of the network's, and
    its groups are, for each group and neuron fold of the network's layer in turn, these pixels. So
    the weights of a neuron fold stand ``tile_pixels`` times one after the other. TileBuffers in
    front and behind change the order.
    """

    kind: ClassVar[str] = "streamed_conv"

    bits_per_weight: int
    pe: int
    simd: int
    weights: Integers
    tile_pixels: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", constant(self.weights))
        self._check("weights")
        bits = self.bits_per_weight
        require(bits in (1, 8), self, f"bits_per_weight={bits}; it must be 1 or 8")
        held = self.weights
        legal = np.abs(held) == 1 if bits == 1 else (held >= -128) & (held <= 127)
        if not legal.all():
            require(False, self, f"weights hold {held[~legal][0]}; {bits} bits cannot say that")
        for name, whole in (("pe", self.group_outputs), ("simd", self.group_inputs)):
            lanes = getattr(self, name)
            require(
                lanes >= 1 and whole % lanes == 0, self, f"{name}={lanes} does not divide {whole}"
            )
        if self.tile_pixels > 1:
            require(
                self.groups % self.tile_pixels == 0 and self.group_outputs == self.pe,
                self,
                f"groups={self.groups} of {self.group_outputs} outputs are not tiles of "
                f"{self.tile_pixels} pixels with pe={self.pe}",
            )

    @classmethod
    def from_convolution(cls, operator: FoldedConvolution, folding: Folding) -> StreamedConv:
        """``operator`` with its weights as input 1, in the order of ``folding``."""
        height, width, groups = operator.height, operator.width, operator.groups
        in_channels, out_channels = operator.in_channels, operator.out_channels
        weights, tile = operator.matrix, operator.variant(folding).tile
        if tile > 1:
            words = operator.out_channels // folding.pe
            height, width, groups = height * width // tile, 1, words * tile
            in_channels, out_channels = operator.group_inputs * groups, out_channels * tile
            weights = np.repeat(weights.reshape(words, 1, folding.pe, -1), tile, axis=1)
            weights = weights.reshape(out_channels, -1)
        return cls(
            height=height,
            width=width,
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_height=operator.kernel_height,
            kernel_width=operator.kernel_width,
            groups=groups,
            input_dtype=operator.input_dtype,
            bits_per_weight=operator.weight_bits,
            pe=folding.pe,
            simd=folding.simd,
            weights=weights,
            tile_pixels=tile,
        )

    @property
    def adder_levels(self) -> tuple[int, ...]:  # type: ignore[override]
        return ADDER_LEVELS if self.bits_per_weight == 1 else (1,)

    @property
    def variants(self) -> Sequence[type[ConvolutionVariant]]:
        return (Select,)

    @property
    def select_choices(self) -> SelectChoices:
        return replace(super().select_choices, weights=(WeightPlace.STREAM,))

    def streamed(self, folding: Folding) -> StreamedConv:
        """Itself."""
        return self

    @property
    def matrix(self) -> Integers:
        return self.weights

    @property
    def weight_bits(self) -> int:
        return self.bits_per_weight

    @property
    def pipeline_registers(self) -> int:  # type: ignore[override]
        """Products of 8-bit weights have a register."""
        return 4 if self.bits_per_weight == 1 else 5

    def cost_kind(self, folding: Folding) -> str:
        """The kind of the engine with the same weights in memory."""
        stored = "pattern_conv" if self.bits_per_weight == 1 else "conv8"
        return f"{stored}:{self.variant(folding).family}"

    @property
    def tile_sizes(self) -> tuple[int, ...]:
        return (self.tile_pixels,)

    @property
    def pixels_per_word(self) -> int:
        return self.tile_pixels

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return (*super().input_shapes, (self.height, self.width, self.weights.size))

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return (self.input_dtype, self.weight_type)

    @cached_property
    def streamed_words(self) -> Integers:
        """The values of input 1 at every pixel: int64 (weights,)."""
        (folding,) = self.legal_foldings()
        return constant(self.engine(folding).stream_values)

    @property
    def constant_inputs(self) -> tuple[Integers | None, ...]:
        return (None, self.streamed_words)

    def demand_bits(self, folding: Folding) -> int:
        return self.traffic_bits

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        x, words = inputs
        same = every_pixel_equals(words, self.streamed_words)
        require(same, self, "input 1 brings other weights than the operator has")
        return super().reference(x)

    def legal_foldings(self) -> tuple[Folding, ...]:
        """The one that the stream's order is for."""
        streamed = Select(weights=WeightPlace.STREAM, tile_pixels=self.tile_pixels)
        return (Folding(self.pe, self.simd, streamed),)

    def further_foldings(self) -> tuple[Folding, ...]:
        return ()

    def input_streams(self, folding: Folding) -> tuple[Stream, ...]:
        words = stream_of(self.input_shapes[1], self.weight_type, self.pe * self.simd)
        return (stream_of(self.input_shapes[0], self.input_dtype, self.simd), words)

    def weight_table(self, words: Integers) -> HlsTable:
        return HlsTable("weights", words, self.weight_type)

    def rtl_constants(
        self, words: Integers
    ) -> tuple[tuple[tuple[str, int], ...], tuple[RtlMemory, ...]]:
        """The streamed words, and of patterns what sums start from."""
        rows = self.streamed_words.reshape(-1, words.shape[2] * words.shape[3])
        memory = RtlMemory("weights", rows, self.bits_per_weight)
        if self.bits_per_weight > 1:
            return (), (memory,)
        corrections = pattern_corrections(words)
        return (("CORRECTION_BITS", corrections.lane_bits),), (memory, corrections)

    @property
    def work(self) -> Work:
        weights = self.weights.size // self.tile_pixels
        if self.bits_per_weight == 1:
            return Work(macs_1bit=self.macs, weights_1bit=weights)
        return Work(macs_8bit=self.macs, weights_8bit=weights)

    @classmethod
    def cases(cls) -> Iterator[Case]:
        # label, bits, (H, W), Cin, Cout, (kh, kw), groups, input bits, signed, (pe, simd)
        rows = (
            ("1x1", 8, (3, 4), 8, 6, (1, 1), 1, 8, False, (2, 4)),
            ("3x3 groups 2", 8, (3, 3), 4, 8, (3, 3), 2, 8, False, (2, 1)),
            ("one neuron fold", 8, (2, 3), 3, 4, (2, 2), 1, 8, False, (4, 3)),
            ("linear", 8, (1, 1), 24, 10, (1, 1), 1, 12, False, (1, 6)),
            ("signed input", 8, (2, 2), 4, 4, (1, 1), 1, 6, True, (1, 1)),
            ("weights at both ends", 8, (2, 2), 4, 2, (3, 3), 1, 8, False, (1, 4)),
            ("patterns 3x3", 1, (3, 4), 4, 6, (3, 3), 1, 8, False, (3, 2)),
            ("patterns 3x3 groups 4", 1, (4, 3), 8, 16, (3, 3), 4, 8, False, (2, 2)),
            ("patterns, one neuron fold", 1, (2, 2), 3, 2, (5, 5), 1, 8, False, (2, 3)),
            ("patterns depthwise", 1, (3, 3), 4, 4, (3, 3), 4, 2, False, (1, 1)),
            ("patterns, signed input", 1, (3, 2), 4, 4, (2, 3), 2, 6, True, (1, 2)),
        )
        for seed, row in enumerate(rows):
            label, stored, (h, w), cin, cout, (kh, kw), groups, bits, signed, (pe, simd) = row
            rng = np.random.default_rng(700 + seed)
            shape = (cout, kh * kw * cin // groups)
            weights = rng.integers(-128, 128, shape, np.int64)
            if label == "weights at both ends":
                weights[0], weights[1] = -128, 127
            if stored == 1:
                weights = np.where(weights < 0, -1, 1)
            operator = cls(
                height=h,
                width=w,
                in_channels=cin,
                out_channels=cout,
                kernel_height=kh,
                kernel_width=kw,
                groups=groups,
                input_dtype=IntType(bits, signed),
                bits_per_weight=stored,
                pe=pe,
                simd=simd,
                weights=weights,
            )
            frames = random_tensor(seed, operator.input_shapes[0], operator.input_dtype)
            words = np.broadcast_to(
                operator.streamed_words, (len(frames), *operator.input_shapes[1])
            ).copy()
            streams = Select(weights=WeightPlace.STREAM)
            folding = Folding(pe, simd, streams)
            yield Case(label, operator, folding, (frames, words))
            if stored > 1 and seed < 2:
                logic = Folding(pe, simd, replace(streams, multipliers=Multipliers.LUT))
                yield Case(f"{label}, products in logic", operator, logic, (frames, words))
            tile = h * w if seed % 2 else h
            whole = Folding(pe, simd, replace(streams, tile_pixels=tile))
            if tile > 1 and label.startswith(("1x1", "3x3", "patterns 3x3")):
                tiled = cls.from_convolution(operator, whole)
                frames = random_tensor(seed, tiled.input_shapes[0], tiled.input_dtype)
                words = np.broadcast_to(
                    tiled.streamed_words, (len(frames), *tiled.input_shapes[1])
                ).copy()
                yield Case(f"{label}, tiles of {tile}", tiled, whole, (frames, words))
