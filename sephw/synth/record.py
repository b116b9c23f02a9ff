"""synth.json: the record of a synthesis and routing run, its tools and its results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from sephw.export_names import SYNTHESIS
from sephw.ir import Graph, Resources
from sephw.ir.resources import RESOURCE_KINDS
from sephw.synth.route import RoutedDesign
from sephw.synth.synthesize import Synthesis
from sephw.targets import Device, Target

FORMAT, VERSION = "sephw-synth", 1
NO_ROUTE = "no place-and-route for this device comes from PyPI; the counts are those of Yosys"


@dataclass(frozen=True)
class SynthesisRun:
    """One run of the flow.

    ``target``: the board whose top was built, or None. ``top``: the synthesized module.
    ``clock_mhz``: the clock of the finished design; None where it is not routed. ``requested_mhz``:
    the constraint of the routing; None where there was none. ``seconds`` are by step.
    """

    graph: Graph
    device: Device
    target: Target | None
    top: str
    synthesis: Synthesis
    routed: RoutedDesign | None
    clock_mhz: float | None
    requested_mhz: float | None
    bitstream: Path | None
    seconds: Mapping[str, float]


def as_dict(run: SynthesisRun) -> dict[str, Any]:
    """Plain values of `SynthesisRun`; file names are relative to the folder of synth.json.

    The seconds are left out: the same design gives the same bytes.
    """
    synthesis, routed = run.synthesis, run.routed
    engines = {
        node.name: {
            "module": node.module,
            "operator": node.operator.kind,
            "folding": str(node.folding),
            **asdict(synthesis.engines[node.name]),
        }
        for node in run.graph.nodes
    }
    tools = {"yosys": synthesis.yosys_version}
    if routed is not None:
        route, _ = run.device.routing()
        tools[route.program] = routed.version
        tools |= {name: _version(name) for name in route.packages}
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": run.graph.name,
        "device": run.device.name,
        "technology": run.device.technology.name,
        "target": None if run.target is None else run.target.name,
        "top": run.top,
        "tools": tools,
        "clock_mhz": run.clock_mhz,
        "synthesized": {
            "source": "synthesized",
            "total": asdict(synthesis.total),
            "available": asdict(run.device.available),
            "glue": asdict(synthesis.glue),
            "engines": engines,
            "netlist": synthesis.netlist.name,
        },
        "routed": None if routed is None else _routed(run, routed),
        "note": "" if run.device.routable else NO_ROUTE,
    }


def write_record(run: SynthesisRun, folder: Path) -> Path:
    """Write synth.json into ``folder``; its path."""
    path = folder / SYNTHESIS
    text = json.dumps(as_dict(run), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"


def used_and_available(used: Resources, available: Resources) -> list[tuple[str, int, int]]:
    """(name, used, available) of every kind."""
    return [
        (name.upper(), getattr(used, name), getattr(available, name)) for name in RESOURCE_KINDS
    ]


def _routed(run: SynthesisRun, routed: RoutedDesign) -> dict[str, Any]:
    return {
        "source": "routed",
        "part": routed.part,
        "used": asdict(routed.used),
        "available": asdict(routed.available),
        "asked_mhz": run.requested_mhz,
        "network_mhz": routed.network_mhz,
        "fmax_mhz": dict(routed.fmax_mhz),
        "constraint_mhz": dict(routed.constraint_mhz),
        "timing_met": routed.timing_met,
        "worst_path": None if routed.worst_path is None else asdict(routed.worst_path),
        "seed": routed.seed,
        "options": list(routed.options),
        "blocks_placed": routed.blocks_placed,
        "bitstream": None if run.bitstream is None else run.bitstream.name,
    }
