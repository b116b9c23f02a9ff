"""Join: 1 to 4 branches meet before rounding: multiply, shift, add, then one shift and clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import ClassVar

import numpy as np

from sephw.ir import (
    Case,
    EngineVariant,
    Folding,
    HlsInstance,
    HlsTable,
    Integers,
    IntType,
    Memory,
    MultiplierPart,
    RtlInstance,
    RtlMemory,
    Saving,
    Schedule,
    Shape,
    Structure,
    Work,
)
from sephw.ops.common import (
    LaneOperator,
    clog2,
    constant,
    covering_values,
    random_tensor,
    require,
    require_positive,
)
from sephw.ops.families import Multipliers, Select, SelectChoices
from sephw.ops.parts import AdderTree, counter_bits, output_parts, rom
from sephw.ops.port_wrapper import numbered_ports

MAX_BRANCHES = 4
# Of the sum before its shift, partial sums included.
MOST_SUM_BITS = 63


def sum_interval(
    mantissas: Integers, shifts: Integers, bias: Integers, dtypes: Sequence[IntType]
) -> tuple[int, int]:
    """Exact bounds of every partial sum over all inputs and channels, in Python integers.

    Arguments as the fields of `Join`.
    """
    low = high = 0
    for c, constant_part in enumerate(bias.tolist()):
        least, most = min(0, constant_part), max(0, constant_part)
        for j, dtype in enumerate(dtypes):
            factor = int(mantissas[j, c]) << int(shifts[j, c])
            least += min(0, factor * dtype.min, factor * dtype.max)
            most += max(0, factor * dtype.min, factor * dtype.max)
        low, high = min(low, least), max(high, most)
    return low, high


@dataclass(frozen=True, eq=False, kw_only=True)
class Join(LaneOperator):
    """y = clip(floor((Σ_j (mantissas[j, c]·x_j << shifts[j, c]) + bias[c]) / 2^shift)).

    The clip is to ``output_dtype``: ReLU is its 0. ``mantissas`` and ``shifts`` int64
    (branches, C), ``bias`` int64 (C,). Logits: shift 0 and an output type that holds every sum.
    """

    kind: ClassVar[str] = "join"

    height: int
    width: int
    channels: int
    input_dtypes: tuple[IntType, ...]
    mantissas: Integers
    shifts: Integers
    bias: Integers
    shift: int = 0
    output_dtype: IntType

    def __post_init__(self) -> None:
        for name in ("mantissas", "shifts", "bias"):
            object.__setattr__(self, name, constant(getattr(self, name)))
        object.__setattr__(self, "input_dtypes", tuple(self.input_dtypes))
        require_positive(self, "height", "width", "channels")
        require(
            1 <= self.branches <= MAX_BRANCHES,
            self,
            f"{self.branches} branches; it takes 1 to {MAX_BRANCHES}: quantize a sum of some of "
            "them before",
        )
        for name, shape in (
            ("mantissas", (self.branches, self.channels)),
            ("shifts", (self.branches, self.channels)),
            ("bias", (self.channels,)),
        ):
            found = getattr(self, name).shape
            require(found == shape, self, f"{name} has shape {found}, not {shape}")
        require(
            self.shift >= 0 and int(self.shifts.min()) >= 0,
            self,
            "a shift is negative; scale mantissas and bias up instead",
        )
        low, high = self._interval
        bits = IntType.covering(low, high).bits
        require(
            bits <= MOST_SUM_BITS,
            self,
            f"its sum takes {bits} bits; at most {MOST_SUM_BITS} are computed exactly",
        )

    @property
    def variants(self) -> Sequence[type[EngineVariant]]:
        return (Select,)

    @property
    def select_choices(self) -> SelectChoices:
        """Products of DSP blocks or of logic."""
        return SelectChoices(multipliers=tuple(Multipliers))

    @property
    def branches(self) -> int:
        """Number of inputs."""
        return len(self.input_dtypes)

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.channels),) * self.branches

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return self.input_dtypes

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.channels),)

    @property
    def output_types(self) -> tuple[IntType, ...]:
        return (self.output_dtype,)

    @cached_property
    def _interval(self) -> tuple[int, int]:
        """See `sum_interval`."""
        return sum_interval(self.mantissas, self.shifts, self.bias, self.input_dtypes)

    @property
    def acc_type(self) -> IntType:
        """Signed type of the sum before the final shift, partial sums included."""
        low, high = self._interval
        return IntType.covering(min(low, -1), high)

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        total = np.broadcast_to(self.bias, inputs[0].shape).copy()
        for x, mantissa, shift in zip(inputs, self.mantissas, self.shifts, strict=True):
            total += (mantissa * x) << shift
        # numpy's >> of a signed integer is arithmetic, that is floor.
        return (np.clip(total >> self.shift, self.output_dtype.min, self.output_dtype.max),)

    def frame_cycles(self, folding: Folding) -> int:
        return prod(self.output_shapes[0]) // folding.pe

    def schedule(self, folding: Folding) -> Schedule:
        """One issue a beat: reads one of every input, writes one.

        Latency: tables, multiply and shift take a cycle each, then the levels of two-operand
        adders for the branches and the bias, the clip, and 2 cycles of the FIFO.
        """
        every = np.ones(self.frame_cycles(folding), np.uint8)
        latency = 3 + clog2(self.branches + 1) + 1 + 2
        return Schedule(reads=(every,) * self.branches, writes=(every,), latency_cycles=latency)

    def _tables(self, lanes: int) -> tuple[HlsTable, ...]:
        """A row per beat of a pixel: mantissas and shifts at lane · branches + branch, bias."""
        words = self.channels // lanes
        return tuple(
            HlsTable(name, values.T.reshape(words, -1), covering_values(values))
            for name, values in (
                ("mantissas", self.mantissas),
                ("shifts", self.shifts),
                ("bias", self.bias),
            )
        )

    @property
    def work(self) -> Work:
        return Work(constant_bits=sum(t.values.size * t.dtype.bits for t in self._tables(1)))

    def memory(self, folding: Folding) -> Memory:
        return Memory(weight_bits=self.work.constant_bits)

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        memories = self._rtl_memories(folding)
        mantissa_bits, _, acc_bits = (memory.lane_bits for memory in memories)
        roms = tuple(rom(memory) for memory in memories)
        lanes, words = folding.simd, self.channels // folding.simd
        products = [min(dtype.bits + 1 + mantissa_bits, acc_bits) for dtype in self.input_dtypes]
        tree = AdderTree.sum_of_terms(self.branches + 1, acc_bits, acc_bits)
        beats = lanes * sum(dtype.bits for dtype in self.input_dtypes)
        out_bits = lanes * self.output_dtype.bits
        # Of each lane, over its channels: bits of the shifts that are ever up, that always are.
        amounts = self.shifts.reshape(self.branches, words, lanes)
        ever = np.bitwise_or.reduce(amounts, axis=1)
        always = np.bitwise_and.reduce(amounts, axis=1)
        # Above a product and the largest shift are copies of its sign, below a fixed shift zeros.
        lengths = np.minimum(np.array(products)[:, None] + ever, acc_bits)
        terms = int((lengths - always).sum())
        shifted = int((lengths * np.bitwise_count(ever ^ always)).sum())
        # The bias passes levels that have no partner for it; the last sum loses its low bits.
        passing = 0 if self.branches % 2 else acc_bits * lanes - roms[2].distinct
        registers = beats + terms + lanes * (sum(products) + tree.register_bits) - passing
        # The sign of the last sum makes the clip, and is not kept beside it.
        registers += (
            out_bits - lanes * (self.shift + 1) + (2 * counter_bits(words) if words > 1 else 0)
        )
        return Structure(
            memories=roms,
            outputs=output_parts(
                self.output_streams(folding), fifo_depths, 4 + clog2(self.branches + 1)
            ),
            counters=(words,),
            multipliers=tuple(
                MultiplierPart(
                    lanes,
                    dtype.bits + (not dtype.signed),
                    mantissa_bits,
                    product,
                    lanes * dtype.bits,
                    dtype.signed,
                    in_logic=self._multiplies_in_logic(folding),
                )
                for dtype, product in zip(self.input_dtypes, products, strict=True)
            ),
            adders=tree.times(lanes),
            shift_bits=shifted,
            clip_bits=lanes * max(0, acc_bits - self.shift - self.output_dtype.bits),
            clipped_bits=out_bits,
            register_bits=registers,
            fanout=lanes,
            logic_depth=acc_bits,
        )

    def hls(self, folding: Folding) -> HlsInstance:
        return HlsInstance(
            header="sephw_join.h",
            function=self.kind,
            parameters=self.hls_parameters(
                folding, [("branches", self.branches), ("acc_bits", self.acc_type.bits)]
            ),
            tables=self._tables(folding.simd),
            inputs_last=True,
        )

    def _multiplies_in_logic(self, folding: Folding) -> bool:
        return Saving.DSP_BLOCKS in self.variant(folding).saves

    def _rtl_memories(self, folding: Folding) -> tuple[RtlMemory, ...]:
        """One row a beat; factors of a lane's branches side by side."""
        rows = self.channels // folding.simd
        mantissas = covering_values(np.append(self.mantissas, -1))
        return (
            RtlMemory("mantissas", self.mantissas.T.reshape(rows, -1), mantissas.bits),
            RtlMemory("shifts", self.shifts.T.reshape(rows, -1), covering_values(self.shifts).bits),
            RtlMemory("bias", self.bias.reshape(rows, -1), self.acc_type.bits),
        )

    def rtl(self, folding: Folding) -> RtlInstance:
        module = f"sephw_join_{self.branches}"
        memories = self._rtl_memories(folding)
        mantissas, shifts, bias = memories
        types = tuple(enumerate(self.input_dtypes))
        parameters = (
            ("BRANCHES", self.branches),
            ("CHANNELS", self.channels),
            ("SIMD", folding.simd),
            *((f"IN_BITS_{j}", dtype.bits) for j, dtype in types),
            *((f"IN_SIGNED_{j}", int(dtype.signed)) for j, dtype in types),
            ("MANTISSA_BITS", mantissas.lane_bits),
            ("SHIFT_BITS", shifts.lane_bits),
            ("ACC_BITS", bias.lane_bits),
            ("SHIFT", self.shift),
            ("OUT_BITS", self.output_dtype.bits),
            ("OUT_SIGNED", int(self.output_dtype.signed)),
        )
        wrapper = numbered_ports(
            module,
            "sephw_join",
            parameters=[name for name, _ in parameters],
            files=[memory.parameter for memory in memories],
            inputs=[f"SIMD*IN_BITS_{j}" for j, _ in types],
            outputs=("SIMD*OUT_BITS",),
        )
        return RtlInstance(
            module=module,
            parameters=parameters,
            memories=memories,
            generated=(wrapper.source,),
            multiplies_in_dsp=not self._multiplies_in_logic(folding),
        )

    @classmethod
    def cases(cls) -> Iterator[Case]:
        signed, unsigned = (lambda b: IntType(b, True)), (lambda b: IntType(b, False))
        # label, (H, W, C), input types, shift, output type, lanes
        rows = (
            ("one branch", (3, 4, 6), (signed(13),), 7, unsigned(8), 2),
            ("two branches", (3, 2, 4), (signed(12), signed(17)), 9, unsigned(8), 4),
            (
                "residual: accumulator and feature map",
                (2, 3, 8),
                (signed(18), unsigned(8)),
                6,
                unsigned(4),
                1,
            ),
            ("three branches", (2, 2, 4), (signed(9), unsigned(8), signed(11)), 5, unsigned(8), 2),
            (
                "four branches",
                (2, 2, 4),
                (signed(9), unsigned(8), signed(11), unsigned(2)),
                5,
                unsigned(8),
                4,
            ),
            ("logits", (1, 1, 10), (signed(19),), 0, signed(28), 5),
            ("signed saturation", (2, 2, 3), (signed(16),), 3, signed(8), 3),
        )
        for seed, (label, shape, dtypes, shift, output, lanes) in enumerate(rows):
            rng = np.random.default_rng(300 + seed)
            size = (len(dtypes), shape[2])
            operator = cls(
                height=shape[0],
                width=shape[1],
                channels=shape[2],
                input_dtypes=dtypes,
                mantissas=rng.integers(-15, 16, size),
                shifts=rng.integers(0, 4, size),
                bias=rng.integers(-5000, 5000, shape[2]),
                shift=shift,
                output_dtype=output,
            )
            inputs = tuple(
                random_tensor(10 * seed + j, shape, dtype) for j, dtype in enumerate(dtypes)
            )
            yield Case(label, operator, Folding(pe=lanes, simd=lanes), inputs)
