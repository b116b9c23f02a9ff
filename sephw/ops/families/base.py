"""The interface of a convolution's engine: a variant that selects it, and all but its integers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sephw.ir import (
    EngineVariant,
    Folding,
    HlsInstance,
    Integers,
    Memory,
    RtlInstance,
    Schedule,
    Structure,
)

if TYPE_CHECKING:
    from sephw.ops.convolution import FoldedConvolution


@dataclass(frozen=True)
class ConvolutionVariant(EngineVariant, ABC):
    """The variant of a convolution's engine, with its options."""

    @classmethod
    @abstractmethod
    def foldings(cls, operator: FoldedConvolution) -> tuple[Folding, ...]:
        """The legal foldings of ``operator`` without options, smallest first; () where none is
        legal.
        """

    @abstractmethod
    def build(self, operator: FoldedConvolution, folding: Folding) -> ConvolutionEngine:
        """The engine of ``operator`` at ``folding``, which is legal and has these options."""

    @property
    def tile(self) -> int:
        """Output pixels that a word of streamed weights serves."""
        return 1


@dataclass(frozen=True)
class ConvolutionEngine(ABC):
    """The engine of ``operator`` at ``folding``.

    Its input has ``folding.simd`` lanes, its output ``folding.pe``.
    """

    operator: FoldedConvolution
    folding: Folding

    @property
    def stream_values(self) -> Integers:
        """Weights in the order of their stream, int64 (weights,); only where they have one."""
        raise NotImplementedError(f"{type(self).__name__} has no stream of weights")

    @property
    @abstractmethod
    def frame_cycles(self) -> int:
        """Cycles per frame when no stream stalls."""

    @abstractmethod
    def schedule(self) -> Schedule:
        """Issues of one frame."""

    @abstractmethod
    def memory(self) -> Memory:
        """On-chip memory."""

    @abstractmethod
    def structure(self, fifo_depths: Sequence[int], *, solve: bool = True) -> Structure:
        """The parts of the RTL engine."""

    @abstractmethod
    def hls(self) -> HlsInstance:
        """The HLS kernel call."""

    @abstractmethod
    def rtl(self) -> RtlInstance:
        """The SystemVerilog engine."""
