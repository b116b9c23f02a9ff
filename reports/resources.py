"""Resources and clocks of a design: as estimated, as synthesized, as routed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sephw.command_line import command_name
from sephw.errors import SephwError
from sephw.files import build
from sephw.ir import Resources
from sephw.reports.model import Figure, Source
from sephw.resources.held_out import ErrorBars
from sephw.targets import Device

KINDS = ("lut", "ff", "bram", "dsp")


@dataclass(frozen=True)
class Usage:
    """What an engine or a design takes, in the units of `sephw.ir.Resources`."""

    lut: Figure
    ff: Figure
    bram: Figure
    dsp: Figure

    def figures(self) -> tuple[tuple[str, Figure], ...]:
        """The figures with their names."""
        return tuple((kind, getattr(self, kind)) for kind in KINDS)

    @property
    def resources(self) -> Resources:
        """The values alone."""
        return _resources({kind: figure.value for kind, figure in self.figures()})


@dataclass(frozen=True)
class Estimated:
    """By the resource model. ``total``: of the whole design, the board's top included.

    ``clock``: with the wires of the network; None: not modelled. ``top``: the part of the total
    that is the board's top; None: there is none. ``measured_engines``: how many the error bars of
    single engines were found on; ``bars``: those of the total, None: they are an engine's.
    """

    total: Usage
    clock: Figure | None
    top: Usage | None = None
    measured_engines: int = 0
    bars: ErrorBars | None = None

    @property
    def error_basis(self) -> str:
        """What is counted and what the error bars are, in words; "" where there are none."""
        bars, scope = self.bars, ""
        if self.top is not None:
            of_top = ", ".join(f"{f.value:,} {f.unit}" for _, f in self.top.figures() if f.value)
            scope = f"The estimated total includes the board's top and host link ({of_top}). "
        if not self.measured_engines and bars is None:
            return scope.strip()
        of_engines = (
            f"nine in ten of {self.measured_engines} engines that the model was not fitted to"
        )
        if bars is None:
            return f"{scope}Error bars: {of_engines}."
        parts = [
            f"{bars.networks} synthesized networks that nothing was fitted to, another one lies "
            f"within with {100 * bars.coverage:.0f} %"
            + ("" if bars.enough else ", no narrower than those of one engine")
        ]
        if self.top is not None:
            parts.append(f"the extremes of {bars.measured_tops} synthesized tops")
        if bars.routed:
            designs = f"{bars.routed} designs" if bars.routed > 1 else "one design"
            parts.append(f"what routing changed in {designs}")
        return f"{scope}Error bars: {'; '.join(parts)}. Of one engine: {of_engines}."


@dataclass(frozen=True)
class Synthesized:
    """By synthesis of module ``top``. ``outside``: what belongs to no engine."""

    total: Usage
    outside: Usage
    top: str


@dataclass(frozen=True)
class Clock:
    """One clock of a routed design: what it reaches and what was asked of it, MHz."""

    name: str
    fmax: Figure
    asked: Figure | None

    @property
    def share(self) -> float:
        """What it reaches by what was asked of it; where nothing was, what it reaches, in MHz."""
        return self.fmax.value if self.asked is None else self.fmax.value / self.asked.value

    @property
    def met(self) -> bool:
        """True where it reaches what was asked."""
        return self.asked is None or self.fmax.value >= self.asked.value


@dataclass(frozen=True)
class WorstPath:
    """The path that limits the clock; engines are nodes, "" for what lies in none."""

    clock: str
    from_engine: str
    to_engine: str
    delay: Figure
    logic: Figure
    routing: Figure
    hops: Figure
    from_cell: str
    to_cell: str


@dataclass(frozen=True)
class Routed:
    """By place-and-route. ``available`` as its tool counts. ``bitstream``: file name or ""."""

    part: str
    used: Usage
    available: Resources
    clocks: tuple[Clock, ...]
    worst_path: WorstPath | None
    seed: int
    bitstream: str

    @property
    def clock(self) -> Clock | None:
        """The clock that limits the design: the one with least to spare."""
        return min(self.clocks, key=lambda clock: clock.share, default=None)


@dataclass(frozen=True)
class VendorRun:
    """What the vendor's tools made of one route to the chip: Vitis HLS estimates, Vivado routes.

    ``name`` says tool and route, as "Vivado, rtl".
    """

    name: str
    used: Usage
    available: Resources
    clocks: tuple[Clock, ...]

    @property
    def source(self) -> Source:
        """Estimated or routed."""
        return self.used.lut.source


@dataclass(frozen=True)
class ResourceReport:
    """On ``device``. Parts are None where nothing of the kind has been run.

    ``board``: the target whose top was synthesized around the network, "" for none.
    ``runs_at``: the clock that a routed design is set to.
    """

    device: Device
    estimated: Estimated | None
    synthesized: Synthesized | None
    routed: Routed | None
    tools: tuple[tuple[str, str], ...]
    note: str
    vendor: tuple[VendorRun, ...] = ()
    board: str = ""
    runs_at: Figure | None = None

    @property
    def best(self) -> tuple[Source, Usage, Resources] | None:
        """(source, used, available) of the part that is nearest to the hardware."""
        if self.routed is not None:
            return Source.ROUTED, self.routed.used, self.routed.available
        routed = next((run for run in self.vendor if run.source is Source.ROUTED), None)
        if routed is not None:
            return Source.ROUTED, routed.used, routed.available
        if self.synthesized is not None:
            return Source.SYNTHESIZED, self.synthesized.total, self.device.available
        if self.estimated is not None:
            return Source.ESTIMATED, self.estimated.total, self.device.available
        return None

    @property
    def clock(self) -> Clock | None:
        """The network's clock after place-and-route; None where nothing is routed."""
        if self.routed is not None:
            return self.routed.clock
        clocks = (run.clocks for run in self.vendor if run.source is Source.ROUTED)
        return next((found[0] for found in clocks if found), None)


def usage(
    resources: Resources,
    source: Source,
    errors: Mapping[str, tuple[float, float]] | None = None,
) -> Usage:
    """Figures of ``resources``; ``errors``: by kind, true value / estimate, lowest and highest."""

    def figure(kind: str) -> Figure:
        value = int(getattr(resources, kind))
        low = high = None
        if errors is not None and kind in errors:
            low, high = (round(value * factor) for factor in errors[kind])
        return Figure(value, kind.upper(), source, low, high)

    return build(Usage, {kind: figure(kind) for kind in KINDS})


def with_bars(resources: Resources, bars: Mapping[str, tuple[int, int]]) -> Usage:
    """Estimated figures of ``resources``; ``bars``: the fewest and the most, by kind."""

    def figure(kind: str) -> Figure:
        low, high = bars[kind]
        return Figure(int(getattr(resources, kind)), kind.upper(), Source.ESTIMATED, low, high)

    return build(Usage, {kind: figure(kind) for kind in KINDS})


def _resources(counts: Mapping[str, Any]) -> Resources:
    return build(Resources, {kind: int(counts[kind]) for kind in KINDS})


def usage_from(counts: Mapping[str, Any], source: Source) -> Usage:
    """Figures of plain counts, as synth.json has them; other keys are left alone."""
    return usage(_resources(counts), source)


def read_synthesis(record: Mapping[str, Any]) -> tuple[Synthesized, Routed | None]:
    """What synth.json says. SephwError where it is not such a record."""
    try:
        found = record["synthesized"]
        synthesized = Synthesized(
            total=usage_from(found["total"], Source.SYNTHESIZED),
            outside=usage_from(found["glue"], Source.SYNTHESIZED),
            top=str(record["top"]),
        )
        routed = record["routed"]
        return synthesized, None if routed is None else _routed(routed)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SephwError(
            f"synth.json is not a record of a synthesis ({type(error).__name__}: {error}); "
            f"run '{command_name('synth')}' again"
        ) from None


def read_vendor(record: Mapping[str, Any]) -> tuple[VendorRun, ...]:
    """What the amd folder's synth.json says, routed before estimated. SephwError for another."""
    try:
        return tuple(
            VendorRun(
                name=f"{tool}, {route}",
                used=usage_from(found[key][counts], source),
                available=_resources(found[key]["available"]),
                clocks=_clocks(found[key], source),
            )
            for key, counts, tool, source in (
                ("routed", "used", "Vivado", Source.ROUTED),
                ("estimated", "total", "Vitis HLS", Source.ESTIMATED),
            )
            for route, found in record["routes"].items()
            if found[key] is not None
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SephwError(
            f"amd/synth.json is not a record of the vendor's tools ({type(error).__name__}: "
            f"{error}); write it again"
        ) from None


def engine_usage(record: Mapping[str, Any] | None, name: str) -> Usage | None:
    """The synthesized counts of an engine; None where the record has none."""
    engines = (record or {}).get("synthesized", {}).get("engines", {})
    return usage_from(engines[name], Source.SYNTHESIZED) if name in engines else None


def _routed(routed: Mapping[str, Any]) -> Routed:
    worst = routed["worst_path"]
    return Routed(
        part=str(routed["part"]),
        used=usage_from(routed["used"], Source.ROUTED),
        available=_resources(routed["available"]),
        clocks=_clocks(routed, Source.ROUTED),
        worst_path=None if worst is None else _worst_path(worst),
        seed=int(routed["seed"]),
        bitstream=str(routed["bitstream"] or ""),
    )


def _clocks(found: Mapping[str, Any], source: Source) -> tuple[Clock, ...]:
    asked = found["constraint_mhz"]
    return tuple(
        Clock(
            name,
            Figure(float(fmax), "MHz", source),
            Figure(float(asked[name]), "MHz", source) if name in asked else None,
        )
        for name, fmax in found["fmax_mhz"].items()
    )


def _worst_path(worst: Mapping[str, Any]) -> WorstPath:
    def nanoseconds(name: str) -> Figure:
        return Figure(float(worst[name]), "ns", Source.ROUTED)

    return WorstPath(
        clock=str(worst["clock"]),
        from_engine=str(worst["from_engine"]),
        to_engine=str(worst["to_engine"]),
        delay=nanoseconds("delay_ns"),
        logic=nanoseconds("logic_ns"),
        routing=nanoseconds("routing_ns"),
        hops=Figure(int(worst["hops"]), "nets", Source.ROUTED),
        from_cell=str(worst["from_cell"]),
        to_cell=str(worst["to_cell"]),
    )
