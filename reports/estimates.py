"""What the resource model says of the engines of a graph, with the errors measured on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reports.model import Figure, Source
from reports.resources import KINDS, Estimated, Usage, usage
from sephw.errors import SephwError
from sephw.ir import Graph, Resources
from sephw.resources.wires import network_mhz
from sephw.targets import Device, Technology


class Estimate(Protocol):
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
    "bram", "dsp", "fmax"), of nine in ten engines that the model was not fitted to;
    ``of_networks``: of all whole networks that were measured, by kind. ``measured_engines`` and
    ``measured_networks``: how many that was. The clock's error is that of networks where some were
    routed. ``wires_ns``: what wires add to the slowest engine, see `sephw.resources.wires`.
    """

    technology: Technology
    engines: Mapping[str, Estimate]
    errors: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    of_networks: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    measured_engines: int = 0
    measured_networks: int = 0
    wires_ns: float = 0.0

    def engine(self, name: str) -> Usage | None:
        """Figures of an engine; None where there is no estimate of it."""
        found = self.engines.get(name)
        return None if found is None else usage(found.resources, Source.ESTIMATED, self.errors)

    def whole(self) -> Estimated:
        """Figures of all engines together."""
        total = sum((e.resources for e in self.engines.values()), Resources())
        slowest = min((e.fmax_mhz for e in self.engines.values()), default=math.inf)
        clock = network_mhz(slowest, total.lut, self.wires_ns)
        figure = None
        if math.isfinite(clock):
            low, high = (
                round(clock * factor, 1) if factor else None
                for factor in self.errors.get("fmax", (None, None))
            )
            figure = Figure(round(clock, 1), "MHz", Source.ESTIMATED, low, high)
        return Estimated(
            usage(total, Source.ESTIMATED, self.of_networks),
            figure,
            self.measured_engines,
            self.measured_networks,
        )


def estimate_graph(graph: Graph, device: Device) -> Estimates | None:
    """Estimates of every engine; None where the technology has not been characterized.

    Adder graphs are solved where no other step has done so; that takes seconds, once.
    """
    from sephw.resources import accuracy, estimate_engines, wires_of

    technology = device.technology
    try:
        known = accuracy(technology)
    except SephwError:
        return None
    engines = estimate_engines(graph, device, solve=lambda node: True).costs
    measured = {kind: getattr(known, kind) for kind in KINDS}
    measured["fmax"] = known.network_fmax or known.fmax
    errors = {kind: _around(e.p90) for kind, e in measured.items() if e is not None and e.count}
    ratios = {
        kind: [
            network.synthesized[kind] / network.estimated[kind]
            for network in known.networks
            if network.estimated[kind]
        ]
        for kind in KINDS
    }
    # Without a measured network, the sum of engines is taken to be as good as one of them.
    networks = {
        kind: (min(1.0, *found), max(1.0, *found)) if found else errors[kind]
        for kind, found in ratios.items()
        if found or kind in errors
    }
    return Estimates(
        technology, engines, errors, networks, known.lut.count, len(known.networks),
        wires_of(technology),
    )  # fmt: skip


def _around(error: float) -> tuple[float, float]:
    """The range of measured / estimate where |estimate − measured| / measured is ``error``."""
    return 1 / (1 + error), 1 / max(0.01, 1 - error)
