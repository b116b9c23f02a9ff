"""The data model of a report. Every figure carries its unit and its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sephw.reports.provenance import Provenance
    from sephw.reports.resources import ResourceReport, Usage
    from sephw.sim.timeline import Timeline
    from sephw.verify import Verification


class Source(StrEnum):
    """The source of a figure.

    COUNTED: exact, from the network itself. ESTIMATED: from a model of the hardware, or with an
    assumed clock. SIMULATED: from the cycle simulation. SYNTHESIZED: by Yosys. ROUTED: by
    place-and-route. MEASURED: by running it.
    """

    COUNTED = "counted"
    ESTIMATED = "estimated"
    SIMULATED = "simulated"
    SYNTHESIZED = "synthesized"
    ROUTED = "routed"
    MEASURED = "measured"


@dataclass(frozen=True)
class Figure:
    """One number. ``low`` and ``high``: its error bar, where the error has been measured."""

    value: int | float
    unit: str
    source: Source
    low: int | float | None = None
    high: int | float | None = None


@dataclass(frozen=True)
class LayerActivity:
    """Busy and stall cycles of an engine in a frame of the steady state; their sum is all
    cycles.
    """

    busy: Figure
    waiting_input: Figure
    waiting_credit: Figure

    def figures(self) -> tuple[tuple[str, Figure], ...]:
        """The figures with their names."""
        return (
            ("busy", self.busy),
            ("waiting_input", self.waiting_input),
            ("waiting_credit", self.waiting_credit),
        )


@dataclass(frozen=True)
class LayerReport:
    """One engine. `shape` is (height, width, channels) of its first output.

    `family`, `options`, `pe` and `simd` are its folding; `variant` names its engine with what tells
    it from others of the family, and `whole_window`: it takes all lanes. None: not found out.
    """

    name: str
    module: str
    kind: str
    shape: tuple[int, int, int]
    bits: int
    family: str
    variant: str
    whole_window: bool
    options: Mapping[str, int | str]
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
    # Of an engine whose weights come from external memory.
    weight_traffic: Figure | None = None
    activity: LayerActivity | None = None
    estimated: Usage | None = None
    synthesized: Usage | None = None

    @property
    def engine(self) -> str:
        """The operator's kind, and the variant where that is not one of PE × SIMD lanes."""
        return f"{self.kind}, {self.variant}" if self.whole_window else self.kind

    @property
    def title(self) -> str:
        """Module and kind, which together tell most engines apart: 'stem.conv (conv8)'."""
        return f"{self.module or self.name} ({self.kind.replace('_', ' ')})"

    @property
    def group(self) -> str:
        """The part of the network that it belongs to: 'stages.0.1' of 'stages.0.1.prb1.act'.

        That is the first name of its module and the numbers right behind it.
        """
        first, *rest = (self.module or self.name).split(".")
        numbers: list[str] = []
        for word in rest:
            if not word.isdigit():
                break
            numbers.append(word)
        return ".".join([first, *numbers])

    def figures(self) -> tuple[tuple[str, Figure], ...]:
        """The figures that engines have with their names, in column order."""
        streamed = self.weight_traffic
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
            *((("weight_traffic", streamed),) if streamed is not None else ()),
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

    `bottleneck` names the engine (or stream end) that sets the frame interval; `link` is the way of
    images to the board ("" where there is none). The parts at the end are None where nothing of
    the kind has been run, `provenance` where nothing says where the network came from.
    """

    network: str
    target: str
    part: str
    clock_ns: float
    bottleneck: str
    layers: tuple[LayerReport, ...]
    totals: tuple[Total, ...]
    notes: tuple[str, ...]
    link: str = ""
    resources: ResourceReport | None = None
    verification: Verification | None = None
    timeline: Timeline | None = None
    provenance: Provenance | None = None

    def total(self, name: str) -> Figure:
        """The total called `name`; KeyError where there is none."""
        for total in self.totals:
            if total.name == name:
                return total.figure
        raise KeyError(name)

    def engine_title(self, name: str) -> str:
        """The title of the engine `name`; "" stands for logic outside all engines."""
        if not name:
            return "outside the engines"
        return next((layer.title for layer in self.layers if layer.name == name), name)

    def has(self, name: str) -> bool:
        """True where the report has a total called `name`."""
        return any(total.name == name for total in self.totals)
