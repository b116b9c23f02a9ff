"""Reads nextpnr's report: utilization, clock rates, the worst path."""

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
class WorstPath:
    """The register-to-register path that limits a clock.

    ``from_engine`` and ``to_engine``: node names, or "" for what lies in no engine. ``hops``:
    routed nets on the way.
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
class Report:
    """What nextpnr reports; clocks by name, what they reach rounded down."""

    fmax_mhz: Mapping[str, float]
    constraint_mhz: Mapping[str, float]
    worst_path: WorstPath | None
    used: Resources
    available: Resources


def read_report(path: Path, route: Route, instances: Mapping[str, str]) -> Report:
    """Read a report; ``instances``: engine instance by node name. SephwError if unreadable."""
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
    return Report(
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
) -> WorstPath | None:
    """The path within one clock that takes most of what it was given."""
    nodes = {instance: node for node, instance in instances.items()}
    best: tuple[float, WorstPath] | None = None
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
        found = WorstPath(
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
