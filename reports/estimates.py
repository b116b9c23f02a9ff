"""What the resource model says of the engines of a graph, with the errors measured on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sephw.ir import Graph, Resources
from sephw.reports.model import Figure, Source
from sephw.reports.resources import KINDS, Estimated, Usage, usage, with_bars
from sephw.resources.held_out import ErrorBars
from sephw.resources.wires import network_mhz
from sephw.targets import Device, Target
from sephw.technologies import CHARACTERIZATION, Technology


class EngineEstimate(Protocol):
    """What is estimated of one engine. ``fmax_mhz``: infinite where no clock is modelled."""

    @property
    def resources(self) -> Resources:
        """Logic and blocks, its output FIFOs included."""

    @property
    def fmax_mhz(self) -> float:
        """Highest clock."""


@dataclass(frozen=True)
class Estimates:
    """By node name. ``errors``: true value / estimate, lowest and highest, by kind ("lut", "ff",
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
        """Figures of an engine; None where there is no estimate of it."""
        found = self.engines.get(name)
        return None if found is None else usage(found.resources, Source.ESTIMATED, self.errors)

    def whole(self) -> Estimated:
        """Figures of all engines together, and of the board's top."""
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
    """Estimates of every engine; None where the technology has not been characterized.

    ``board``: whose top is around the network; None: none is.
    Adder graphs are solved where no other step has done so; that takes seconds, once.
    """
    from sephw.resources import accuracy, estimate_engines, wires_of
    from sephw.resources.board_top import top_of
    from sephw.resources.held_out import around, bars

    technology = device.technology
    if not technology.has(CHARACTERIZATION):
        return None
    known = accuracy(technology)
    engines = estimate_engines(graph, device, solve=lambda node: True).costs
    measured = {kind: getattr(known, kind) for kind in KINDS}
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
