"""What a report holds. Every figure carries its unit and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """How a figure was found.

    COUNTED: exact, from the network itself. ESTIMATED: from a model of the hardware, or with an
    assumed clock. SIMULATED: from the cycle simulation.
    """

    COUNTED = "counted"
    ESTIMATED = "estimated"
    SIMULATED = "simulated"


@dataclass(frozen=True)
class Figure:
    """One number."""

    value: int | float
    unit: str
    source: Source


@dataclass(frozen=True)
class LayerReport:
    """One engine. `shape` is (height, width, channels) of its first output.

    `family`, `digit_bits`, `pe` and `simd` are its folding.
    """

    name: str
    module: str
    kind: str
    shape: tuple[int, int, int]
    bits: int
    family: str
    digit_bits: int
    pe: int
    simd: int
    weights_1bit: Figure
    weights_8bit: Figure
    constants: Figure
    macs_1bit: Figure
    macs_8bit: Figure
    cycles: Figure
    weight_memory: Figure
    buffer_memory: Figure
    fifo_memory: Figure

    @property
    def engine(self) -> str:
        """The operator's kind, and the family where it is not the usual one."""
        if self.family == "select":
            return self.kind
        digits = f" {self.digit_bits}" if self.digit_bits else ""
        return f"{self.kind}, {self.family}{digits}"

    def figures(self) -> tuple[tuple[str, Figure], ...]:
        """The figures with their names, in column order."""
        return (
            ("weights_1bit", self.weights_1bit),
            ("weights_8bit", self.weights_8bit),
            ("constants", self.constants),
            ("macs_1bit", self.macs_1bit),
            ("macs_8bit", self.macs_8bit),
            ("cycles", self.cycles),
            ("weight_memory", self.weight_memory),
            ("buffer_memory", self.buffer_memory),
            ("fifo_memory", self.fifo_memory),
        )


@dataclass(frozen=True)
class Total:
    """One figure of the whole network, with the words that say what it counts."""

    name: str
    label: str
    figure: Figure


@dataclass(frozen=True)
class Report:
    """A network on a target: its engines, its totals, and what the totals mean.

    `bottleneck` names the engine (or stream end) that sets the frame interval.
    """

    network: str
    target: str
    part: str
    clock_ns: float
    bottleneck: str
    layers: tuple[LayerReport, ...]
    totals: tuple[Total, ...]
    notes: tuple[str, ...]

    def total(self, name: str) -> Figure:
        """The total called `name`; KeyError where there is none."""
        for total in self.totals:
            if total.name == name:
                return total.figure
        raise KeyError(name)
