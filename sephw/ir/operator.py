"""What every operator of the hardware graph provides. One subclass, one file in sephw/ops."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.ir.structure import Structure
from sephw.ir.types import Family, Folding, IntType, Multipliers, Stream, WeightPlace

Integers = NDArray[np.int64]
Shape = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Schedule:
    """What one frame does to an engine's streams, issue by issue (timing contract).

    ``reads[p][i]`` is 1 where issue i consumes a beat of input p; ``writes[p][i]`` is 1 where it
    makes a beat of output p. Both uint8 (issues,). An issue needs all its input beats and room
    for all its output beats; the engine issues at most once per ``interval_cycles``; an output
    beat appears ``latency_cycles`` after its issue.
    """

    reads: tuple[NDArray[np.uint8], ...]
    writes: tuple[NDArray[np.uint8], ...]
    latency_cycles: int
    interval_cycles: int = 1

    @property
    def issues(self) -> int:
        """Loop iterations per frame."""
        return len((*self.reads, *self.writes)[0])

    @property
    def frame_cycles(self) -> int:
        """Cycles per frame when no stream ever stalls the engine."""
        return self.issues * self.interval_cycles


@dataclass(frozen=True)
class Work:
    """Arithmetic and constants of an operator, per frame."""

    macs_1bit: int = 0
    macs_8bit: int = 0
    weights_1bit: int = 0
    weights_8bit: int = 0
    # per-channel multipliers, biases and shifts, in bits
    constant_bits: int = 0


@dataclass(frozen=True)
class Memory:
    """On-chip memory of an operator at one folding, in bits; counted, not measured."""

    weight_bits: int = 0
    buffer_bits: int = 0


@dataclass(frozen=True, eq=False)
class HlsTable:
    """A constant table of an HLS instance.

    ``values`` int64 (words, lanes), C order: an issue reads a row; ``dtype`` of one element.
    Becomes ``ctype name[words][lanes]`` in a weights header.
    """

    name: str
    values: Integers
    dtype: IntType


@dataclass(frozen=True, eq=False)
class HlsInstance:
    """One kernel call: header in hls/ or generated, function, integer parameters, tables.

    The backend makes ``struct CONFIG { static const int key = value; ... }`` from ``parameters``
    and calls ``sephw::function<in_T..., out_T..., CONFIG>(inputs..., outputs..., tables...)``.
    ``generated`` are headers as (file name, text); they stand beside those of hls/, and equal
    names have equal texts.
    """

    header: str
    function: str
    parameters: tuple[tuple[str, int], ...]
    tables: tuple[HlsTable, ...] = ()
    generated: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class RtlMemory:
    """Constant words of an RTL instance: one ``$readmemh`` file, one row per line.

    ``words`` int64 (rows, lanes); each value is stored in the low ``lane_bits`` bits of its lane
    (two's complement), lane 0 in the low bits. The module takes the file's name as the string
    parameter ``<NAME>_FILE``, upper case.
    """

    name: str
    words: Integers
    lane_bits: int

    @property
    def parameter(self) -> str:
        """Name of the string parameter that takes the file's name."""
        return f"{self.name.upper()}_FILE"


@dataclass(frozen=True, eq=False)
class RtlInstance:
    """One SystemVerilog engine: module, parameters and memories.

    The module and what it instantiates stand in rtl/, or in ``generated`` as (file name, text).
    ``FIFO_DEPTH_<output>`` is not among ``parameters``: it belongs to the tensor.
    ``multiplies_in_dsp``: False where synthesis must make multiplications of logic.
    """

    module: str
    parameters: tuple[tuple[str, int], ...]
    memories: tuple[RtlMemory, ...] = ()
    generated: tuple[tuple[str, str], ...] = ()
    multiplies_in_dsp: bool = True


@dataclass(frozen=True, eq=False)
class Case:
    """An operator, a legal folding and input tensors for contract tests.

    ``inputs`` int64, each (N, height, width, channels).
    """

    label: str
    operator: Operator
    folding: Folding
    inputs: tuple[Integers, ...]


@dataclass(frozen=True, eq=False)
class Operator(ABC):
    """Integer semantics, foldings, schedule, sizes and hardware instances of one operator."""

    kind: ClassVar[str]
    # True where the engine exists to feed its one reader and does best with the reader's lanes.
    follows_reader: ClassVar[bool] = False
    # Where foldings may say that weights are; streamed ones: see ``streamed``.
    weight_places: ClassVar[tuple[WeightPlace, ...]] = (WeightPlace.CHIP,)

    @property
    def has_products(self) -> bool:
        """True where engines of the family select multiply, in DSP blocks or in logic."""
        return False

    @property
    def adder_levels(self) -> tuple[int, ...]:
        """Levels of adders to a register that foldings of the family select may ask for."""
        return (1,)

    @property
    def tile_sizes(self) -> tuple[int, ...]:
        """Output pixels that a word of streamed weights may serve."""
        return (1,)

    @property
    @abstractmethod
    def input_shapes(self) -> tuple[Shape, ...]:
        """(height, width, channels) of each input."""

    @property
    @abstractmethod
    def input_types(self) -> tuple[IntType, ...]:
        """Type of each input."""

    @property
    @abstractmethod
    def output_shapes(self) -> tuple[Shape, ...]:
        """(height, width, channels) of each output."""

    @property
    @abstractmethod
    def output_types(self) -> tuple[IntType, ...]:
        """Type of each output, wide enough for every value that can occur."""

    @abstractmethod
    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        """Exact integer semantics: int64 (N, h, w, c) in, int64 (N, h, w, c) out."""

    @abstractmethod
    def legal_foldings(self) -> tuple[Folding, ...]:
        """Every folding that ``fold`` may choose by itself, smallest first."""

    @property
    def constant_inputs(self) -> tuple[Integers | None, ...]:
        """Of each input what it brings at every pixel of every frame, int64 (c,); None: data."""
        return (None,) * len(self.input_shapes)

    def streamed(self, folding: Folding) -> Operator:
        """The same operator with its weights as a further, last input in the order of ``folding``.

        Only where ``weight_places`` has the stream.
        """
        raise NotImplementedError(f"{self.kind} has no weights to stream")

    def tile_buffers(
        self, folding: Folding, *, known: bool = True
    ) -> tuple[Operator, Operator, Operator]:
        """What stands around ``streamed`` where ``folding`` has tiles of several pixels.

        Each has one input, one output and one legal folding: before input 0, before the weights,
        behind the output. ``known``: whether the second one is told the weights; costs do not
        depend on them. Only where ``tile_sizes`` has more than one.
        """
        raise NotImplementedError(f"{self.kind} has no tiles")

    @property
    def traffic_bits(self) -> int:
        """Bits a frame of streamed weights, all of them for each output pixel (tiles of one)."""
        height, width, _ = self.output_shapes[0]
        return height * width * (self.work.weights_1bit + 8 * self.work.weights_8bit)

    def demand_bits(self, folding: Folding) -> int:
        """Bits a frame interval that a memory must be able to give for streamed weights.

        The traffic, and what could be given while none are read.
        """
        return self.traffic_bits

    def further_foldings(self) -> tuple[Folding, ...]:
        """Foldings that the engines take when they are asked for: other families, whole windows."""
        return ()

    @abstractmethod
    def input_streams(self, folding: Folding) -> tuple[Stream, ...]:
        """Stream of each input at ``folding``."""

    @abstractmethod
    def output_streams(self, folding: Folding) -> tuple[Stream, ...]:
        """Stream of each output at ``folding``."""

    @abstractmethod
    def schedule(self, folding: Folding) -> Schedule:
        """Issues of one frame at ``folding``."""

    @abstractmethod
    def memory(self, folding: Folding) -> Memory:
        """On-chip memory at ``folding``."""

    @abstractmethod
    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        """The parts of the RTL engine at ``folding``; ``fifo_depths`` in beats, by output.

        ``solve``: False to estimate the size of an adder graph instead of solving it.
        """

    @abstractmethod
    def hls(self, folding: Folding) -> HlsInstance:
        """The HLS kernel call at ``folding``."""

    @abstractmethod
    def rtl(self, folding: Folding) -> RtlInstance:
        """The SystemVerilog engine at ``folding``."""

    def frame_cycles(self, folding: Folding) -> int:
        """Cycles per frame at ``folding`` when no stream stalls; operators give a closed form."""
        return self.schedule(folding).frame_cycles

    @classmethod
    @abstractmethod
    def cases(cls) -> Iterator[Case]:
        """Cases for the contract tests: every feature of the operator, seeded."""

    def cost_kind(self, folding: Folding) -> str:
        """What the resource model calls the engine at ``folding``: "join", "conv8:select"."""
        return self.kind

    @property
    def work(self) -> Work:
        """Arithmetic and constants; zero for operators that only move data."""
        return Work()

    def check_folding(self, folding: Folding, where: str) -> None:
        """Raise SephwError naming ``where`` and the legal values if ``folding`` is illegal."""
        usual, further = self.legal_foldings(), self.further_foldings()
        weights, levels, tile = folding.weights, folding.adder_levels, folding.tile_pixels
        products = folding.multipliers
        folding = _plain(folding)
        if folding in map(_plain, (*usual, *further)):
            multiplies = self.has_products and folding.family is Family.SELECT
            if products is not Multipliers.DSP and not multiplies:
                raise SephwError(
                    f"{where}: multipliers={products} is for engines that multiply, and "
                    f"{self._named(folding)} does not; leave it away"
                )
            self._check_choice(where, "weights", weights, self.weight_places)
            if tile > 1 and weights is not WeightPlace.STREAM:
                streams = WeightPlace.STREAM in self.weight_places
                fix = f"give weights={WeightPlace.STREAM} or leave it away"
                raise SephwError(
                    f"{where}: tile_pixels={tile} is for weights that are streamed; "
                    f"{fix if streams and folding.family is Family.SELECT else 'leave it away'}"
                )
            self._check_choice(where, "tile_pixels", tile, self.tile_sizes)
            legal_levels = self.adder_levels if folding.family is Family.SELECT else (1,)
            self._check_choice(where, "adder_levels", levels, legal_levels)
            if weights is WeightPlace.STREAM and folding.family is not Family.SELECT:
                raise SephwError(
                    f"{where}: weights={weights} does not go with family={folding.family}, whose "
                    f"weights are wiring; give family={Family.SELECT} with pe and simd"
                )
            return
        family, digits = folding.family, folding.digit_bits
        legal = [*usual, *(f for f in further if f.family is not Family.SELECT)]
        self._check_choice(where, "family", family, [f.family for f in legal])
        legal = [f for f in legal if f.family is family]
        self._check_choice(where, "digit_bits", digits, [f.digit_bits for f in legal])
        legal = [f for f in legal if f.digit_bits == digits]
        self._check_choice(where, "pe", folding.pe, [f.pe for f in legal])
        self._check_choice(where, "simd", folding.simd, [f.simd for f in legal])
        partners = sorted({f.simd for f in legal if f.pe == folding.pe})
        raise SephwError(
            f"{where}: pe={folding.pe} does not go with simd={folding.simd}; "
            f"legal simd for this pe: {_listing(partners)}"
        )

    def _named(self, folding: Folding) -> str:
        """Kind and, if not the usual one, family of an engine, for messages."""
        family = "" if folding.family is Family.SELECT else f" of family {folding.family}"
        return f"{self.kind}{family}"

    @staticmethod
    def _check_choice(where: str, what: str, value: int | str, legal: Sequence[int | str]) -> None:
        if value not in legal:
            # Families in the order they are listed in, numbers ascending.
            words = what in ("family", "weights")
            choices = list(dict.fromkeys(legal)) if words else sorted(set(legal))
            raise SephwError(
                f"{where}: {what}={value} is not legal; legal {what}: {_listing(choices)}"
            )


def _plain(folding: Folding) -> Folding:
    """Without what goes with every folding."""
    return replace(
        folding,
        multipliers=Multipliers.DSP,
        weights=WeightPlace.CHIP,
        adder_levels=1,
        tile_pixels=1,
    )


def _listing(values: Sequence[int | str]) -> str:
    return ", ".join(map(str, values))


def divisors(n: int) -> tuple[int, ...]:
    """All divisors of n, ascending."""
    small = [d for d in range(1, int(n**0.5) + 1) if n % d == 0]
    return tuple(sorted({*small, *(n // d for d in small)}))


__all__ = [
    "Case",
    "HlsInstance",
    "HlsTable",
    "Integers",
    "Memory",
    "Operator",
    "RtlInstance",
    "RtlMemory",
    "Schedule",
    "Shape",
    "Work",
    "divisors",
]
