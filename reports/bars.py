"""Bar charts of a design's resources: estimated, synthesized and routed beside the device's
limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sephw.ir import Resources
from sephw.ir.resources import RESOURCE_KINDS
from sephw.reports.model import Figure
from sephw.reports.resources import ResourceReport, Usage

_MOST_PERCENT = 400


@dataclass(frozen=True)
class Bar:
    """One resource count. ``label`` names its source, ``path`` its place in report.json.

    Percentages are of ``available``; they are None where the device has no such resource.
    """

    kind: str
    label: str
    path: str
    figure: Figure
    available: int
    percent: float | None
    low_percent: float | None
    high_percent: float | None

    @property
    def exceeds_device(self) -> bool:
        """True where the count is more than the device has."""
        return self.figure.value > self.available


@dataclass(frozen=True)
class ResourceBars:
    """The bars of all resource kinds. ``end_percent``: the right end of their scale, at least
    100.
    """

    bars: tuple[Bar, ...]
    end_percent: float

    def of_kind(self, kind: str) -> tuple[Bar, ...]:
        """The bars of one resource kind: estimated, then synthesized, then routed."""
        return tuple(bar for bar in self.bars if bar.kind == kind)


def resource_bars(resources: ResourceReport) -> ResourceBars:
    """The bars of every known resource count of the whole design."""
    bars = tuple(_bars(resources))
    ends = [p for bar in bars for p in (bar.percent, bar.high_percent) if p is not None]
    return ResourceBars(bars, min(_MOST_PERCENT, max([100.0, *ends])))


def _bars(resources: ResourceReport) -> Iterator[Bar]:
    parts: list[tuple[str, str, Usage, Resources]] = []
    available = resources.device.available
    if resources.estimated is not None:
        parts.append(("estimated", "estimated/total", resources.estimated.total, available))
    if resources.synthesized is not None:
        parts.append(("synthesized", "synthesized/total", resources.synthesized.total, available))
    if resources.routed is not None:
        parts.append(("routed", "routed/used", resources.routed.used, resources.routed.available))
    for i, run in enumerate(resources.vendor):
        parts.append((f"{run.source} ({run.name})", f"vendor/{i}/used", run.used, run.available))
    for kind in RESOURCE_KINDS:
        for label, path, usage, limits in parts:
            yield _bar(kind, label, f"resources/{path}/{kind}", getattr(usage, kind), limits)


def _bar(kind: str, label: str, path: str, figure: Figure, limits: Resources) -> Bar:
    available = int(getattr(limits, kind))

    def percent(value: int | float | None) -> float | None:
        return round(100 * value / available, 2) if available and value is not None else None

    low, high = percent(figure.low), percent(figure.high)
    return Bar(kind, label, path, figure, available, percent(figure.value), low, high)
