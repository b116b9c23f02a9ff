"""What a family provides: everything of a convolution's engine that is not its integers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sephw.ir import Family, Folding, HlsInstance, Memory, RtlInstance, Schedule, Structure

if TYPE_CHECKING:
    from sephw.ops.convolution import FoldedConvolution


@dataclass(frozen=True)
class ConvolutionEngine(ABC):
    """The engine of ``operator`` at ``folding``, whose family is the class's.

    Its input has ``folding.simd`` lanes, its output ``folding.pe``.
    """

    family: ClassVar[Family]
    # Digit widths of the family's foldings; 0 where it has no digits.
    digit_widths: ClassVar[tuple[int, ...]] = (0,)

    operator: FoldedConvolution
    folding: Folding

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
