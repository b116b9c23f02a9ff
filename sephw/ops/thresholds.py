"""Thresholds: per channel, how many of its thresholds a value reaches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import ClassVar

import numpy as np

from sephw.ir import (
    AdderPart,
    Case,
    Folding,
    HlsInstance,
    HlsTable,
    Integers,
    IntType,
    Memory,
    RtlInstance,
    RtlMemory,
    Schedule,
    Shape,
    Structure,
    Work,
)
from sephw.ops.common import (
    LaneOperator,
    constant,
    covering_values,
    random_tensor,
    require,
    require_positive,
)
from sephw.ops.parts import counter_bits, output_parts, rom

MOST_STAGES = 8
_MOST_INPUT_BITS = 62


@dataclass(frozen=True, eq=False, kw_only=True)
class Thresholds(LaneOperator):
    """y = offset + the number of i with thresholds[c, i] ≤ x; ≥ x where ``decreasing[c]`` is 1.

    ``thresholds`` int64 (C, n), ascending in each row, n from 1 to 255; they may lie beyond what
    ``input_dtype`` holds. ``decreasing`` int64 (C,), 0 or 1. ``output_dtype`` holds every
    offset + 0..n.
    """

    kind: ClassVar[str] = "thresholds"

    height: int
    width: int
    channels: int
    input_dtype: IntType
    thresholds: Integers
    decreasing: Integers
    offset: int = 0
    output_dtype: IntType

    def __post_init__(self) -> None:
        for name in ("thresholds", "decreasing"):
            object.__setattr__(self, name, constant(getattr(self, name)))
        require_positive(self, "height", "width", "channels")
        found, rows = self.thresholds.shape, self.channels
        require(
            len(found) == 2 and found[0] == rows,
            self,
            f"thresholds has shape {found}, not ({rows}, number of thresholds)",
        )
        most = (1 << MOST_STAGES) - 1
        require(
            1 <= self.count <= most,
            self,
            f"{self.count} thresholds; it takes 1 to {most}: quantize to at most "
            f"{MOST_STAGES} bits",
        )
        require(
            bool((np.diff(self.thresholds, axis=1) >= 0).all()),
            self,
            "thresholds of a channel descend; sort each row",
        )
        require(
            self.decreasing.shape == (rows,) and set(self.decreasing.tolist()) <= {0, 1},
            self,
            f"decreasing must be {rows} values of 0 or 1",
        )
        low, high = self.offset, self.offset + self.count
        require(
            self.output_dtype.min <= low and high <= self.output_dtype.max,
            self,
            f"{self.output_dtype} does not hold {low}..{high}; give it more bits",
        )
        require(
            self.input_dtype.bits <= _MOST_INPUT_BITS,
            self,
            f"its input has {self.input_dtype.bits} bits; at most {_MOST_INPUT_BITS} are compared",
        )

    @property
    def count(self) -> int:
        """Thresholds of each channel."""
        return self.thresholds.shape[1]

    @property
    def stages(self) -> int:
        """Steps of the search, and bits of a count."""
        return self.count.bit_length()

    @property
    def base(self) -> int:
        """The output where the engine counts 0.

        Rows are padded to 2^stages - 1 thresholds with ones that every value reaches, those of
        decreasing channels with ones that none reaches before the count is subtracted.
        """
        return self.offset - self._padding

    @property
    def _padding(self) -> int:
        return (1 << self.stages) - 1 - self.count

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.channels),)

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return (self.input_dtype,)

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        return ((self.height, self.width, self.channels),)

    @property
    def output_types(self) -> tuple[IntType, ...]:
        return (self.output_dtype,)

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        (x,) = inputs
        y = np.empty(x.shape, np.int64)
        for c, (row, falls) in enumerate(
            zip(self.thresholds, self.decreasing.tolist(), strict=True)
        ):
            values = x[..., c]
            if falls:
                y[..., c] = self.count - np.searchsorted(row, values, side="left")
            else:
                y[..., c] = np.searchsorted(row, values, side="right")
        return (y + self.offset,)

    def frame_cycles(self, folding: Folding) -> int:
        return prod(self.output_shapes[0]) // folding.pe

    def schedule(self, folding: Folding) -> Schedule:
        """One issue a beat: reads one, writes one.

        Latency: a stage looks a threshold up and compares, a cycle each; the FIFO takes 2.
        """
        every = np.ones(self.frame_cycles(folding), np.uint8)
        return Schedule(reads=(every,), writes=(every,), latency_cycles=2 * self.stages + 2)

    @cached_property
    def _sorted_keys(self) -> Integers:
        """(C, 2^stages - 1) ascending: least keys of the counts from 1 on, as the engine has them.

        A key is the value less the least value. Decreasing channels count the keys above each
        threshold, and the engine subtracts; 2^bits stands for a key that no value reaches.
        """
        least, never = self.input_dtype.min, 1 << self.input_dtype.bits
        falls = self.decreasing[:, None] == 1
        # In Python's integers a sum could not overflow; clipped first, these cannot either.
        low, high = least - 1, self.input_dtype.max + 1
        keys = np.clip(self.thresholds, low, high) + falls - least
        keys = np.clip(keys, 0, never)
        shape = (self.channels, self._padding)
        never_before = np.where(falls, never, 0)
        padded = np.hstack((np.broadcast_to(never_before, shape), keys))
        return np.sort(padded, axis=1)

    @property
    def threshold_bits(self) -> int:
        """The bits of a threshold: one more than a value's where no value reaches some of them."""
        return max(self.input_dtype.bits, covering_values(self._sorted_keys).bits)

    def _stage_rows(self, lanes: int) -> tuple[Integers, ...]:
        """By stage: (beats of a pixel · 2^stage, lanes), the threshold that decides its bit."""
        words = self.channels // lanes
        stages = []
        for stage in range(self.stages):
            half = 1 << (self.stages - 1 - stage)
            middles = half * (2 * np.arange(1 << stage) + 1) - 1
            # (words, lanes, 2^stage) → rows of lanes
            chosen = self._sorted_keys[:, middles].reshape(words, lanes, -1)
            stages.append(chosen.transpose(0, 2, 1).reshape(-1, lanes))
        return tuple(stages)

    @property
    def work(self) -> Work:
        entries = self._sorted_keys.size
        return Work(constant_bits=entries * self.threshold_bits + self.channels)

    def memory(self, folding: Folding) -> Memory:
        return Memory(weight_bits=self.work.constant_bits)

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        *searched, directions = self._rtl_memories(folding)
        lanes, words = folding.simd, self.channels // folding.simd
        stages, bits = self.stages, self.threshold_bits
        # Each lane reads rows of its own.
        roms = [
            rom(RtlMemory(memory.name, memory.words[:, lane : lane + 1], memory.lane_bits))
            for memory in searched
            for lane in range(lanes)
        ]
        flags = rom(directions)
        # Of a count: k bits before stage k and beside its threshold, k + 1 behind it.
        found = lanes * stages * stages
        keys = lanes * (2 * stages - 1) * self.input_dtype.bits
        places = (2 * stages - 1) * counter_bits(words) if words > 1 else 0
        out_bits = self.output_dtype.bits
        added = self.base % (1 << out_bits) != 0
        return Structure(
            memories=(*roms, flags),
            outputs=output_parts(self.output_streams(folding), fifo_depths, 2 * stages),
            counters=(words,),
            adders=(AdderPart(lanes, out_bits),) if added else (),
            compare_bits=lanes * stages * bits,
            xor_bits=stages * flags.columns,
            register_bits=found + keys + places,
            fanout=lanes,
            logic_depth=bits,
        )

    def hls(self, folding: Folding) -> HlsInstance:
        unsigned = IntType(self.threshold_bits, signed=False)
        return HlsInstance(
            header="sephw_thresholds.h",
            function=self.kind,
            parameters=self.hls_parameters(folding, [("stages", self.stages), ("base", self.base)]),
            tables=(
                HlsTable(
                    "directions", self.decreasing.reshape(-1, folding.simd), IntType(1, False)
                ),
                *(
                    HlsTable(f"thresholds_{stage}", rows, unsigned)
                    for stage, rows in enumerate(self._stage_rows(folding.simd))
                ),
            ),
        )

    def _rtl_memories(self, folding: Folding) -> tuple[RtlMemory, ...]:
        """The memories of each stage, and the directions."""
        searched = (
            RtlMemory(f"thresholds_{stage}", rows, self.threshold_bits)
            for stage, rows in enumerate(self._stage_rows(folding.simd))
        )
        directions = self.decreasing.reshape(-1, folding.simd)
        return (*searched, RtlMemory("directions", directions, 1))

    def rtl(self, folding: Folding) -> RtlInstance:
        return RtlInstance(
            module="sephw_thresholds",
            parameters=(
                ("CHANNELS", self.channels),
                ("SIMD", folding.simd),
                ("IN_BITS", self.input_dtype.bits),
                ("IN_SIGNED", int(self.input_dtype.signed)),
                ("THRESHOLD_BITS", self.threshold_bits),
                ("STAGES", self.stages),
                ("BASE", self.base),
                ("OUT_BITS", self.output_dtype.bits),
            ),
            memories=self._rtl_memories(folding),
        )

    @classmethod
    def cases(cls) -> Iterator[Case]:
        signed, unsigned = (lambda b: IntType(b, True)), (lambda b: IntType(b, False))
        # label, (H, W, C), input, thresholds, offset, output, lanes
        rows = (
            ("one bit", (2, 3, 6), signed(9), 1, 0, unsigned(1), 3),
            ("two bits", (2, 2, 5), signed(11), 3, 0, unsigned(2), 1),
            ("signed, not a power of two", (2, 3, 6), signed(12), 14, -7, signed(4), 2),
            ("eight bits", (2, 2, 4), signed(17), 255, 0, unsigned(8), 2),
            ("eight signed bits", (1, 3, 3), signed(13), 255, -128, signed(8), 3),
            ("unsigned sums, wide output", (2, 2, 6), unsigned(10), 5, 3, unsigned(6), 6),
        )
        for seed, (label, shape, dtype, count, offset, output, lanes) in enumerate(rows):
            rng = np.random.default_rng(400 + seed)
            channels = shape[2]
            thresholds = np.sort(rng.integers(dtype.min, dtype.max + 1, (channels, count)), axis=1)
            # All equal; ends of the range; beyond it, some and all.
            thresholds[0] = thresholds[0, count // 2]
            thresholds[1] = np.where(np.arange(count) < count // 2, dtype.min, dtype.max)
            thresholds[2] = np.sort(thresholds[2] * 3)
            if channels > 3:
                thresholds[3] = dtype.max + 1 if seed % 2 else dtype.min - 1
            operator = cls(
                height=shape[0],
                width=shape[1],
                channels=channels,
                input_dtype=dtype,
                thresholds=thresholds,
                decreasing=rng.integers(0, 2, channels) if seed else np.zeros(channels, np.int64),
                offset=offset,
                output_dtype=output,
            )
            inputs = random_tensor(40 + seed, shape, dtype, frames=5)
            # At each channel's thresholds and beside them.
            near = thresholds[np.arange(channels), rng.integers(0, count, (2, *shape))]
            inputs[:2] = np.clip(near - rng.integers(0, 2, near.shape), dtype.min, dtype.max)
            yield Case(label, operator, Folding(pe=lanes, simd=lanes), (inputs,))
