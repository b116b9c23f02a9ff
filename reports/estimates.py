"""What the resource model says of the engines of a graph, with the errors measured on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from reports.model import Figure, Source
from reports.resources import Estimated, Usage, usage
from sephw.ir import Graph, Resources
from sephw.targets import Technology


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
    """By node name. ``errors``: true value / estimate, lowest and highest of what was measured
    (90 % of it), by kind ("lut", "ff", "bram", "dsp", "fmax"); of one engine and, ``of_networks``,
    of a whole network.
    """

    technology: Technology
    engines: Mapping[str, Estimate]
    errors: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    of_networks: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def engine(self, name: str) -> Usage | None:
        """Figures of an engine; None where there is no estimate of it."""
        found = self.engines.get(name)
        return None if found is None else usage(found.resources, Source.ESTIMATED, self.errors)

    def whole(self) -> Estimated:
        """Figures of all engines together."""
        total = sum((e.resources for e in self.engines.values()), Resources())
        clock = min((e.fmax_mhz for e in self.engines.values()), default=math.inf)
        figure = None
        if math.isfinite(clock):
            low, high = (
                round(clock * factor, 1) if factor else None
                for factor in self.of_networks.get("fmax", (None, None))
            )
            figure = Figure(round(clock, 1), "MHz", Source.ESTIMATED, low, high)
        return Estimated(usage(total, Source.ESTIMATED, self.of_networks), figure)


def estimate_graph(graph: Graph, technology: Technology) -> Estimates | None:
    """Estimates of every engine; None where the technology has not been characterized."""
    from sephw.resources import CHARACTERIZED, estimate

    if technology not in CHARACTERIZED:
        return None
    engines = {
        node.name: estimate(node.operator, node.folding, _depths(graph, node.outputs), technology)
        for node in graph.nodes
    }
    return Estimates(technology, engines)


def _depths(graph: Graph, outputs: Sequence[str]) -> tuple[int, ...]:
    return tuple(graph.tensors[name].fifo_depth for name in outputs)
