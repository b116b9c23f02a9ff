"""Reads nextpnr's report: utilization, clock rates and the critical path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from pathlib import Path
from typing import Any

from sephw.errors import SephwError
from sephw.ir import Resources
from sephw.synth.count import owner
from sephw.technologies.routing import Route


@dataclass(frozen=True)
class CriticalPath:
    """The register-to-register path that limits a clock.

    ``from_engine`` and ``to_engine`` are node names, or "" for logic outside all engines. ``hops``
    counts the routed nets on the path.
    """

    clock: str
    from_engine: str
    to_engine: str
    delay_ns: float
    logic_ns: float
    routing_ns: float
    hops: int
    from_cell: str
    to_cell: str


@dataclass(frozen=True)
class RoutingReport:
    """The content of nextpnr's report; clock rates by clock name, rounded down."""

    fmax_mhz: Mapping[str, float]
    constraint_mhz: Mapping[str, float]
    worst_path: CriticalPath | None
    used: Resources
    available: Resources


def read_report(path: Path, route: Route, instances: Mapping[str, str]) -> RoutingReport:
    """Read a report. ``instances`` gives the engine instance of each node.

    Raises SephwError where the file is unreadable.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        counts = content["utilization"]
        fmax = _by_clock(content["fmax"], "achieved", route)
        asked = _by_clock(content["fmax"], "constraint", route)
        used = route.units.resources({name: int(n["used"]) for name, n in counts.items()})
        available = route.units.available({name: int(n["available"]) for name, n in counts.items()})
        worst = _worst(content["critical_paths"], asked, instances, route)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SephwError(
            f"'{path}' is no report of {route.program} ({type(error).__name__}); "
            "use version 0.8 or later"
        ) from None
    return RoutingReport(
        {name: floor(mhz * 100) / 100 for name, mhz in fmax.items()},
        {name: round(mhz, 3) for name, mhz in asked.items()},
        worst,
        used,
        available,
    )


def _by_clock(found: Mapping[str, Mapping[str, Any]], key: str, route: Route) -> dict[str, float]:
    """A figure in MHz by clock; the least where two nets are called the same."""
    values: dict[str, float] = {}
    for net, entry in found.items():
        name, value = _clock(net, route), float(entry[key])
        values[name] = min(value, values.get(name, value))
    return values


def _clock(name: str, route: Route) -> str:
    """The net's name without decorations, and without the instance that it was found in."""
    plain = route.clock_decoration.sub
    return plain("", plain("", name)).rsplit(".", 1)[-1]


def _worst(
    paths: list[dict[str, Any]],
    asked: Mapping[str, float],
    instances: Mapping[str, str],
    route: Route,
) -> CriticalPath | None:
    """The path within one clock that takes most of its constrained period."""
    nodes = {instance: node for node, instance in instances.items()}
    best: tuple[float, CriticalPath] | None = None
    for path in paths:
        clocks = [path[end].split(" ", 1)[-1] for end in ("from", "to")]
        if clocks[0] != clocks[1] or not path["path"]:
            continue
        clock = _clock(clocks[0], route)
        steps = path["path"]
        routing = sum(step["delay"] for step in steps if step["type"] == "routing")
        delay = sum(step["delay"] for step in steps)
        first, last = steps[0]["from"]["cell"], steps[-1]["to"]["cell"]
        ends = [nodes.get(owner(cell, nodes.keys()) or "", "") for cell in (first, last)]
        found = CriticalPath(
            clock,
            ends[0],
            ends[1],
            round(delay, 3),
            round(delay - routing, 3),
            round(routing, 3),
            sum(step["type"] == "routing" for step in steps),
            first,
            last,
        )
        share = delay * asked.get(clock, 1.0)
        if best is None or share > best[0]:
            best = (share, found)
    return best[1] if best is not None else None
