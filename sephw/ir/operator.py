"""The interface of every operator of the hardware graph: one subclass, one file in sephw/ops."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.ir.folding import USUAL, EngineVariant, Folding
from sephw.ir.structure import Structure
from sephw.ir.types import IntType, Stream

Integers = NDArray[np.int64]
Shape = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Schedule:
    """The stream accesses of one frame, issue by issue (timing contract).

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

    ``config`` has ``parameters``, the types of the elements of ``tables``, and ``lists`` of numbers
    that are not negative, as types. A kernel that takes any number of inputs has ``inputs_last``,
    since C++ deduces only the last arguments of a call as a pack.
    ``generated`` are headers as (file name, text); they stand beside those of hls/, and equal
    names have equal texts.
    """

    header: str
    function: str
    parameters: tuple[tuple[str, int], ...]
    tables: tuple[HlsTable, ...] = ()
    lists: tuple[tuple[str, tuple[int, ...]], ...] = ()
    inputs_last: bool = False
    generated: tuple[tuple[str, str], ...] = ()

    def config(self, name: str, element_types: Sequence[str]) -> str:
        """C++ of the struct ``name``; ``element_types`` by table."""
        lines = [
            f"    static const {'unsigned' if value >= 0 else 'int'} {key} = {value};"
            for key, value in self.parameters
        ]
        for table, element_type in zip(self.tables, element_types, strict=True):
            lines.append(f"    typedef {element_type} {table.name}_t;")
        for key, values in self.lists:
            lines.append(f"    typedef sephw::integers<{', '.join(map(str, values))}> {key};")
        return "\n".join([f"struct {name} {{", *lines, "};\n"])

    def call(
        self, config: str, inputs: Sequence[str], outputs: Sequence[str], tables: Sequence[str]
    ) -> str:
        """C++ of the call, without a semicolon; the arguments are names of variables."""
        arguments = [*inputs, *outputs, *tables]
        if self.inputs_last:
            arguments = [*outputs, *tables, *inputs]
        return f"sephw::{self.function}<{config}>({', '.join(arguments)})"


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

    @property
    def variants(self) -> Sequence[type[EngineVariant]]:
        """The engines that foldings may name, the usual one first."""
        return (EngineVariant,)

    def variant(self, folding: Folding) -> EngineVariant:
        """The engine of ``folding``: where that names none, the usual one without options."""
        return self.variants[0]() if folding.engine == USUAL else folding.engine

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
        """For each input its constant values at every pixel, int64 (c,); None for a data input."""
        return (None,) * len(self.input_shapes)

    def further_foldings(self) -> tuple[Folding, ...]:
        """Foldings that are taken when they are asked for: of other engines, of whole windows."""
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
        """The engine's kind in the resource model: "join", "conv8:select"."""
        return self.kind

    @property
    def work(self) -> Work:
        """Arithmetic and constants; zero for operators that only move data."""
        return Work()

    def check_folding(self, folding: Folding, where: str) -> None:
        """Raise SephwError naming ``where`` and the legal values if ``folding`` is illegal."""
        variant = self.variant(folding)
        usual, further = (
            [(self.variant(f).family, f) for f in foldings]
            for foldings in (self.legal_foldings(), self.further_foldings())
        )
        check_choice(where, "family", variant.family, [family for family, _ in (*usual, *further)])
        if type(variant) not in self.variants:
            key, value = next(iter(variant.encode().items()))
            raise SephwError(f"{where}: {key}={value} is no option of {self.kind}; leave it away")
        same = [f for family, f in (*usual, *further) if family == variant.family]
        if any((f.pe, f.simd) == (folding.pe, folding.simd) for f in same):
            variant.check(self, where)
            return
        legal = [f for family, f in usual if family == variant.family] or same
        check_choice(where, "pe", folding.pe, [f.pe for f in legal])
        check_choice(where, "simd", folding.simd, [f.simd for f in legal])
        partners = sorted({f.simd for f in legal if f.pe == folding.pe})
        raise SephwError(
            f"{where}: pe={folding.pe} does not go with simd={folding.simd}; "
            f"legal simd for this pe: {_listing(partners)}"
        )


def check_choice(where: str, what: str, value: int | str, legal: Sequence[int | str]) -> None:
    """Raise SephwError naming ``where`` and the values of ``legal`` if ``value`` is none of them.

    Words are named in the order of ``legal``, numbers ascending.
    """
    if value not in legal:
        words = any(isinstance(choice, str) for choice in legal)
        choices = list(dict.fromkeys(legal)) if words else sorted(set(legal))
        raise SephwError(f"{where}: {what}={value} is not legal; legal {what}: {_listing(choices)}")


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
    "check_choice",
    "divisors",
]
