"""Integer types, tensors and streams of the hardware graph. Scales do not occur here."""

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


class FifoMemory(StrEnum):
    """The memory of the FIFO behind an engine's output.

    AUTO: what the RTL and the synthesis of the technology make of its size. BLOCK: block RAM, also
    where it is small enough for LUTs; all outputs of an engine or none.
    """

    AUTO = "auto"
    BLOCK = "block"


@dataclass(frozen=True)
class Tensor:
    """One frame's feature map between two nodes: NHWC with N = 1 left out.

    ``module`` is the PyTorch module whose output this is ("" where there is none, as for
    sliding-window beats). ``fifo_depth`` counts beats of the FIFO behind the engine that makes it,
    ``fifo_memory`` says what that is made of. ``source_beats``
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
    fifo_memory: FifoMemory = FifoMemory.AUTO
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
    """A tensor as AXI-Stream beats: ``lanes`` integers per beat, ``words`` beats per frame."""

    dtype: IntType
    lanes: int
    words: int

    @property
    def width_bits(self) -> int:
        """Stream width = bits × lanes."""
        return self.dtype.bits * self.lanes
