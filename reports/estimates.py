"""The resource model's estimates for the engines of a graph, with their measured errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sephw.ir import Graph, Resources
from sephw.ir.resources import RESOURCE_KINDS
from sephw.reports.model import Figure, Source
from sephw.reports.resources import Estimated, Usage, usage, with_bars
from sephw.resources.held_out import ErrorBars
from sephw.resources.wires import network_mhz
from sephw.targets import Device, Target
from sephw.technologies import CHARACTERIZATION, Technology


class EngineEstimate(Protocol):
    """The estimate of one engine. ``fmax_mhz`` is infinite where the clock is not modelled."""

    @property
    def resources(self) -> Resources:
        """Logic cells and hard blocks, output FIFOs included."""

    @property
    def fmax_mhz(self) -> float:
        """The highest clock in MHz."""


@dataclass(frozen=True)
class Estimates:
    """Estimates by node name.

    ``errors``: true value / estimate, lowest and highest, by kind ("lut", "ff",
    "bram", "dsp", "fmax"), of nine in ten of the ``measured_engines`` engines that the model was
    not fitted to; ``bars``: of whole designs, board's top included. ``top``: what a board's top
    takes, where the design has one. The clock's error is that of networks where some were routed.
    ``wires_ns``: what wires add to the slowest engine, see `sephw.resources.wires`.
    """

    technology: Technology
    engines: Mapping[str, EngineEstimate]
    errors: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    bars: ErrorBars | None = None
    measured_engines: int = 0
    wires_ns: float = 0.0
    top: Resources = field(default_factory=Resources)

    def engine(self, name: str) -> Usage | None:
        """The usage of an engine with error bars; None where it has no estimate."""
        found = self.engines.get(name)
        return None if found is None else usage(found.resources, Source.ESTIMATED, self.errors)

    def whole(self) -> Estimated:
        """The usage of the whole design, the board's top included, with error bars."""
        engines = sum((e.resources for e in self.engines.values()), Resources())
        slowest = min((e.fmax_mhz for e in self.engines.values()), default=math.inf)
        total = engines + self.top
        clock = network_mhz(slowest, total.lut, self.wires_ns)
        figure = None
        if math.isfinite(clock):
            low, high = (
                round(clock * factor, 1) if factor else None
                for factor in self.errors.get("fmax", (None, None))
            )
            figure = Figure(round(clock, 1), "MHz", Source.ESTIMATED, low, high)
        whole = usage(total, Source.ESTIMATED, self.errors)
        if self.bars is not None:
            whole = with_bars(total, self.bars.around(engines, self.top))
        return Estimated(
            whole,
            figure,
            usage(self.top, Source.ESTIMATED) if self.top != Resources() else None,
            self.measured_engines,
            self.bars,
        )


def estimate_graph(graph: Graph, device: Device, board: Target | None = None) -> Estimates | None:
    """Estimate every engine; None where the technology has not been characterized.

    ``board``: the board whose top surrounds the network, or None. Adder graphs that no other step
    has solved are solved here, which takes seconds once.
    """
    from sephw.passes import for_device
    from sephw.resources import accuracy, estimate_engines, wires_of
    from sephw.resources.board_top import top_of
    from sephw.resources.held_out import around, bars

    technology = device.technology
    if not technology.has(CHARACTERIZATION):
        return None
    known = accuracy(technology)
    engines = estimate_engines(for_device(graph, device), device, solve=lambda node: True)
    measured = {kind: getattr(known, kind) for kind in RESOURCE_KINDS}
    measured["fmax"] = known.network_fmax or known.fmax
    errors = {kind: around(e.p90) for kind, e in measured.items() if e is not None and e.count}
    return Estimates(
        technology,
        engines,
        errors,
        bars(technology),
        known.lut.count,
        wires_of(technology),
        top_of(board, graph),
    )
