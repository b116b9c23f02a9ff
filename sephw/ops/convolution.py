"""The folded convolution that PatternConv and Conv8 share: pe × simd lanes over window beats."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

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
    Schedule,
    Shape,
    Stream,
)
from sephw.ir.operator import divisors
from sephw.ops.common import clog2, integer_parameters, require, require_positive, stream_of


@dataclass(frozen=True, eq=False, kw_only=True)
class FoldedConvolution(Operator):
    """(H, W, kh·kw·Cin) window tensor → (H, W, Cout) exact sums; H, W are the output's.

    Weights have shape (Cout, kh·kw·Cin/groups), columns in the order (ky, kx, channel in group).
    """

    # Pipeline registers besides the adder tree: beat, memories, operands, accumulator; and any
    # product register.
    pipeline_registers: ClassVar[int] = 4

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

    @abstractmethod
    def _table(self, words: Integers) -> HlsTable:
        """The weight table of the kernel from flat, ordered weights."""

    def _rtl_constants(
        self, words: Integers
    ) -> tuple[tuple[tuple[str, int], ...], tuple[RtlMemory, ...]]:
        """(further parameters, memories) of the engine from ordered weights.

        ``words`` int64 (groups · nf, sf, pe, simd).
        """
        table = self._table(words.reshape(-1))
        rows = table.values.reshape(-1, words.shape[2] * words.shape[3])
        return (), (RtlMemory(table.name, rows, table.dtype.bits),)

    def _check(self, name: str) -> None:
        require_positive(
            self, "height", "width", "in_channels", "out_channels", "kernel_height",
            "kernel_width", "groups",
        )  # fmt: skip
        for what in ("in_channels", "out_channels"):
            value = getattr(self, what)
            require(
                value % self.groups == 0,
                self,
                f"groups={self.groups} does not divide {what}={value}",
            )
        shape = (self.out_channels, self.kernel_height * self.kernel_width * self._group_inputs)
        require(
            self.matrix.shape == shape, self, f"{name} have shape {self.matrix.shape}, not {shape}"
        )

    @property
    def _group_inputs(self) -> int:
        return self.in_channels // self.groups

    @property
    def _group_outputs(self) -> int:
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
    def output_type(self) -> IntType:
        """Exact interval over all inputs; it starts at 0, so partial sums fit as well."""
        ends = np.stack([self.matrix * self.input_dtype.min, self.matrix * self.input_dtype.max])
        low = np.minimum(ends.min(0), 0).sum(1).min()
        high = np.maximum(ends.max(0), 0).sum(1).max()
        return IntType.covering(int(low), int(high))

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
        weights = self.matrix.reshape(self.groups, self._group_outputs, columns).astype(dtype)
        sums = np.matmul(windows, weights.transpose(0, 2, 1))
        result = sums.transpose(1, 0, 2).astype(np.int64)
        return (np.ascontiguousarray(result).reshape(len(x), *self.output_shapes[0]),)

    def legal_foldings(self) -> tuple[Folding, ...]:
        """pe | out_channels/groups, simd | in_channels/groups; of equal ones the wider simd first.

        Wider simd means fewer accumulators and a wider, so less often read, window stream.
        """
        pairs = (
            Folding(pe=pe, simd=simd)
            for pe in divisors(self._group_outputs)
            for simd in divisors(self._group_inputs)
        )
        return tuple(sorted(pairs, key=lambda f: (f.pe * f.simd, f.pe)))

    def input_streams(self, folding: Folding) -> tuple[Stream, ...]:
        return (stream_of(self.input_shapes[0], self.input_dtype, folding.simd),)

    def output_streams(self, folding: Folding) -> tuple[Stream, ...]:
        return (stream_of(self.output_shapes[0], self.output_type, folding.pe),)

    def _folds(self, folding: Folding) -> tuple[int, int]:
        """(neuron folds nf, synapse folds sf) per group."""
        return self._group_outputs // folding.pe, self.matrix.shape[1] // folding.simd

    def frame_cycles(self, folding: Folding) -> int:
        nf, sf = self._folds(folding)
        return self.height * self.width * self.groups * nf * sf

    def schedule(self, folding: Folding) -> Schedule:
        """Per pixel: group, neuron fold, synapse fold. Reads in the first neuron fold only.

        Latency: beat, memories, operands, accumulator (and for 8-bit weights the product) are a
        pipeline register each, ⌈log2 simd⌉ levels of adders, 2 cycles of the output FIFO.
        """
        nf, sf = self._folds(folding)
        reads = np.zeros((self.height * self.width * self.groups, nf, sf), np.uint8)
        writes = np.zeros_like(reads)
        reads[:, 0, :] = 1
        writes[:, :, -1] = 1
        return Schedule(
            reads=(reads.ravel(),),
            writes=(writes.ravel(),),
            latency_cycles=self.pipeline_registers + clog2(folding.simd) + 2,
        )

    def memory(self, folding: Folding) -> Memory:
        nf, _ = self._folds(folding)
        # Window beats are kept for the later neuron folds of the same group.
        window_bits = self.matrix.shape[1] * self.input_dtype.bits if nf > 1 else 0
        return Memory(weight_bits=self.matrix.size * self.weight_bits, buffer_bits=window_bits)

    def _words(self, folding: Folding) -> Integers:
        """Weights in the order of the engines' memories: (groups · nf, sf, pe, simd)."""
        nf, sf = self._folds(folding)
        rows = self.matrix.reshape(self.groups * nf, folding.pe, sf, folding.simd)
        return rows.transpose(0, 2, 1, 3)

    def hls(self, folding: Folding) -> HlsInstance:
        """Weight index ((word·pe + pe lane)·simd + simd lane), word = (group·nf + nf)·sf + sf."""
        nf, sf = self._folds(folding)
        return HlsInstance(
            header=f"sephw_{self.kind}.h",
            function=self.kind,
            parameters=(
                *integer_parameters(self),
                ("pe", folding.pe),
                ("simd", folding.simd),
                ("neuron_folds", nf),
                ("synapse_folds", sf),
                ("acc_bits", self.output_type.bits),
                ("issues", self.frame_cycles(folding)),
            ),
            tables=(self._table(self._words(folding).ravel()),),
        )

    def rtl(self, folding: Folding) -> RtlInstance:
        """Weight words in issue order, one row each; pe · simd lanes, simd innermost."""
        nf, sf = self._folds(folding)
        parameters, memories = self._rtl_constants(self._words(folding))
        return RtlInstance(
            module=f"sephw_{self.kind}",
            sources=(
                f"sephw_{self.kind}.sv",
                "sephw_conv_engine.sv",
                "sephw_adder_tree.sv",
                "sephw_modulo_counter.sv",
                "sephw_ram.sv",
                "sephw_rom.sv",
                "sephw_output.sv",
                "sephw_credit.sv",
                "sephw_fifo.sv",
            ),
            parameters=(
                ("GROUPS", self.groups),
                ("NEURON_FOLDS", nf),
                ("SYNAPSE_FOLDS", sf),
                ("PE", folding.pe),
                ("SIMD", folding.simd),
                ("IN_BITS", self.input_dtype.bits),
                ("IN_SIGNED", int(self.input_dtype.signed)),
                ("OUT_BITS", self.output_type.bits),
                *parameters,
            ),
            memories=memories,
        )

    @property
    def macs(self) -> int:
        """Multiply-accumulates per frame."""
        return self.height * self.width * self.matrix.size
