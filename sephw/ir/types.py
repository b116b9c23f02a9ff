"""Integer types, tensors and streams of the hardware graph. Nothing here knows of scales."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, order=True)
class IntType:
    """A two's-complement (signed) or plain binary (unsigned) integer of ``bits`` bits."""

    bits: int
    signed: bool

    def __post_init__(self) -> None:
        if self.bits < 1:
            raise ValueError(f"IntType needs at least 1 bit, not {self.bits}")

    @property
    def min(self) -> int:
        """Smallest value."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def max(self) -> int:
        """Largest value."""
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    @classmethod
    def covering(cls, low: int, high: int) -> IntType:
        """The narrowest type that holds every integer of low..high (unsigned if low ≥ 0)."""
        if low > high:
            raise ValueError(f"empty interval {low}..{high}")
        if low >= 0:
            return cls(max(1, high.bit_length()), signed=False)
        return cls(max((-low - 1).bit_length(), max(high, 0).bit_length()) + 1, signed=True)

    def __str__(self) -> str:
        return f"{'int' if self.signed else 'uint'}{self.bits}"


@dataclass(frozen=True)
class Tensor:
    """One frame's feature map between two nodes: NHWC with N = 1 left out.

    ``module`` is the PyTorch module whose output this is ("" where there is none, as for
    sliding-window beats). ``fifo_depth`` counts beats. ``source_beats``
    and ``source_cycles``, of graph inputs: so many beats may be offered, evenly spread, in so many
    cycles (more beats than a frame has where its reader pauses); 0: as they are taken.
    """

    name: str
    height: int
    width: int
    channels: int
    dtype: IntType
    module: str = ""
    fifo_depth: int = 2
    source_beats: int = 0
    source_cycles: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return (self.height, self.width, self.channels)

    @property
    def elements(self) -> int:
        """Integers per frame."""
        return self.height * self.width * self.channels


@dataclass(frozen=True)
class Stream:
    """How a tensor crosses an AXI-Stream: ``lanes`` integers a beat, ``words`` beats a frame."""

    dtype: IntType
    lanes: int
    words: int

    @property
    def width_bits(self) -> int:
        """Stream width = bits × lanes."""
        return self.dtype.bits * self.lanes


class Family(StrEnum):
    """How an engine computes with its constants.

    SELECT: constants in memory, PE × SIMD lanes. ADDER_GRAPH: constants compiled into a shared
    graph of adders, a whole window per cycle. DIGIT_SERIAL: that graph, ``digit_bits`` per cycle.
    """

    SELECT = "select"
    ADDER_GRAPH = "adder-graph"
    DIGIT_SERIAL = "digit-serial"


class Multipliers(StrEnum):
    """What an engine's multipliers are: hard blocks, or adders in logic."""

    DSP = "dsp"
    LUT = "lut"


class WeightPlace(StrEnum):
    """Where an engine's weights are: in on-chip memory, or streamed to it from outside."""

    CHIP = "chip"
    STREAM = "stream"


@dataclass(frozen=True, order=True)
class Folding:
    """How an operator is time-shared: ``pe`` output lanes, ``simd`` input lanes.

    Operators that move data without arithmetic between lanes use ``simd`` = ``pe`` = lanes. The
    adder families always take all lanes; as a wish, pe = simd = 0 stands for these.
    ``digit_bits`` is 0 except in the family digit-serial. ``multipliers`` changes no
    integers; in logic, 8-bit products take 2 cycles of latency more. ``weights`` changes neither
    integers nor schedule; streamed ones come through a port of their own. ``adder_levels``: levels
    of the pattern adders of the family select between two registers; more save flip-flops and
    latency, and lower the clock. ``tile_pixels``: output pixels that each word of streamed weights
    serves before the next one comes; buffers hold what the tile's pixels read and make.
    """

    pe: int = 0
    simd: int = 0
    family: Family = Family.SELECT
    digit_bits: int = 0
    multipliers: Multipliers = Multipliers.DSP
    weights: WeightPlace = WeightPlace.CHIP
    adder_levels: int = 1
    tile_pixels: int = 1

    def __str__(self) -> str:
        lanes = f"pe={self.pe} simd={self.simd}"
        if self.multipliers is Multipliers.LUT:
            lanes = f"{lanes} multipliers={self.multipliers}"
        if self.weights is WeightPlace.STREAM:
            lanes = f"{lanes} weights={self.weights}"
        if self.tile_pixels > 1:
            lanes = f"{lanes} tile_pixels={self.tile_pixels}"
        if self.adder_levels > 1:
            lanes = f"{lanes} adder_levels={self.adder_levels}"
        if self.family is Family.SELECT:
            return lanes
        digits = f" digit_bits={self.digit_bits}" if self.digit_bits else ""
        return f"{self.family}{digits} {lanes}"
