"""Resources and clocks of a design: estimated, synthesized and routed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sephw.command_line import command_name
from sephw.errors import SephwError
from sephw.files import build
from sephw.ir import Resources
from sephw.ir.resources import RESOURCE_KINDS
from sephw.reports.model import Figure, Source
from sephw.resources.held_out import ErrorBars
from sephw.targets import Device


@dataclass(frozen=True)
class Usage:
    """Resources that an engine or a design uses, in the units of `sephw.ir.Resources`."""

    lut: Figure
    ff: Figure
    bram: Figure
    dsp: Figure

    def figures(self) -> tuple[tuple[str, Figure], ...]:
        """The figures with their names."""
        return tuple((kind, getattr(self, kind)) for kind in RESOURCE_KINDS)

    @property
    def resources(self) -> Resources:
        """The counts without units and sources."""
        return _resources({kind: figure.value for kind, figure in self.figures()})


@dataclass(frozen=True)
class Estimated:
    """The resource model's estimate of a design.

    ``total``: the whole design, the board's top included. ``clock``: its clock with the delay of
    the network's wires; None where it is not modelled. ``top``: the board's top alone; None where
    there is none. ``measured_engines``: the number of engines behind the error bars of single
    engines; ``bars``: the error bars of the total, or None where they are those of an engine.
    """

    total: Usage
    clock: Figure | None
    top: Usage | None = None
    measured_engines: int = 0
    bars: ErrorBars | None = None

    @property
    def error_basis(self) -> str:
        """The measurements behind the error bars, in words; "" where there are no error bars."""
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
    """The counts of a synthesis of module ``top``. ``outside``: logic that belongs to no engine."""

    total: Usage
    outside: Usage
    top: str


@dataclass(frozen=True)
class Clock:
    """One clock of a routed design, in MHz: the one it reaches and the one requested."""

    name: str
    fmax: Figure
    requested: Figure | None

    @property
    def fmax_ratio(self) -> float:
        """The reached over the requested clock; the reached clock in MHz where none was
        requested.
        """
        return self.fmax.value if self.requested is None else self.fmax.value / self.requested.value

    @property
    def met(self) -> bool:
        """True where the clock reaches the requested one, or none was requested."""
        return self.requested is None or self.fmax.value >= self.requested.value


@dataclass(frozen=True)
class WorstPath:
    """The critical path of the clock; engines are node names, "" for logic outside all engines."""

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
    """The result of place-and-route.

    ``available`` counts as the tool does. ``bitstream`` is a file name, or "" where there is none.
    """

    part: str
    used: Usage
    available: Resources
    clocks: tuple[Clock, ...]
    worst_path: WorstPath | None
    seed: int
    bitstream: str

    @property
    def clock(self) -> Clock | None:
        """The limiting clock: the one with the least slack."""
        return min(self.clocks, key=lambda clock: clock.fmax_ratio, default=None)


@dataclass(frozen=True)
class VendorRun:
    """A run of the vendor's tools on one route to the chip: a Vitis HLS estimate or a Vivado
    result.

    ``name`` gives tool and route, as "Vivado, rtl".
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
    """The resources of a design on ``device``; None where a step was not run.

    ``board``: the target whose top was synthesized around the network, "" where there was none.
    ``runs_at``: the clock that a routed design is configured for.
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
        """The most accurate counts as (source, used, available): routed, synthesized or
        estimated.
        """
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
    """``resources`` as figures. ``errors``: lowest and highest true value / estimate by kind."""

    def figure(kind: str) -> Figure:
        value = int(getattr(resources, kind))
        low = high = None
        if errors is not None and kind in errors:
            low, high = (round(value * factor) for factor in errors[kind])
        return Figure(value, kind.upper(), source, low, high)

    return build(Usage, {kind: figure(kind) for kind in RESOURCE_KINDS})


def with_bars(resources: Resources, bars: Mapping[str, tuple[int, int]]) -> Usage:
    """``resources`` as estimated figures. ``bars``: lower and upper bound by kind."""

    def figure(kind: str) -> Figure:
        low, high = bars[kind]
        return Figure(int(getattr(resources, kind)), kind.upper(), Source.ESTIMATED, low, high)

    return build(Usage, {kind: figure(kind) for kind in RESOURCE_KINDS})


def _resources(counts: Mapping[str, Any]) -> Resources:
    return build(Resources, {kind: int(counts[kind]) for kind in RESOURCE_KINDS})


def usage_from(counts: Mapping[str, Any], source: Source) -> Usage:
    """Figures of the counts in a record such as synth.json; other keys are ignored."""
    return usage(_resources(counts), source)


def read_synthesis(record: Mapping[str, Any]) -> tuple[Synthesized, Routed | None]:
    """The synthesized and, where present, routed figures of synth.json.

    Raises SephwError for malformed content.
    """
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
    """The runs in the amd folder's synth.json, routed before estimated.

    Raises SephwError for malformed content.
    """
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
    """The synthesized usage of an engine; None where the record has no such engine."""
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
    requested = found["constraint_mhz"]
    return tuple(
        Clock(
            name,
            Figure(float(fmax), "MHz", source),
            Figure(float(requested[name]), "MHz", source) if name in requested else None,
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
