"""Clock rates of whole networks, placed and routed: what wires add to the slowest engine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import sqrt
from pathlib import Path
from typing import Any

from benchmarks.characterize_fit import errors
from benchmarks.routed import read_export
from sephw.export_folder import ExportFolder
from sephw.ir import Saving
from sephw.resources.clock import delays
from sephw.resources.wires import network_mhz
from sephw.targets import find_target
from sephw.technologies import CHARACTERIZATION, Technology


def add(folder: Path) -> tuple[Technology, str]:
    """Read an export that was routed; (technology, name) of what was noted.

    Noted are nextpnr's LUTs and clock, and of every engine the terms of its period. A design that
    was not routed is click's error.
    """
    routed = read_export(folder)
    graph = ExportFolder.open(folder).graph()
    technology = find_target(routed.target).device.technology
    engines = []
    for node in graph.nodes:
        depths = [graph.tensors[name].fifo_depth for name in node.outputs]
        parts = node.operator.structure(node.folding, depths)
        terms = {k: round(v, 3) for k, v in delays(parts, technology).items() if v}
        if terms not in engines:
            engines.append(terms)
    name = f"{Path(routed.model).stem} {routed.target}, {routed.frame_cycles:,} cycles"
    if any(Saving.REGISTERS in node.variant.saves for node in graph.nodes):
        name += ", two adders a register"
    found = read(technology)
    found[name] = {"lut": routed.used["lut"], "mhz": routed.fmax_mhz, "engines": engines}
    _write(technology, found)
    return technology, name


def read(technology: Technology) -> dict[str, dict[str, Any]]:
    """Routed networks by name."""
    path = _path(technology)
    if not path.is_file():
        return {}
    found: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return found


def fit(period: Mapping[str, float], networks: Sequence[Mapping[str, Any]]) -> float:
    """ns per square root of LUTs: least squares of relative errors, not below 0."""
    above = below = 0.0
    for network in networks:
        whole, root = 1000 / network["mhz"], sqrt(network["lut"])
        above += (whole - _engine_ns(period, network)) * root / whole**2
        below += root**2 / whole**2
    return round(max(0.0, above / below), 5) if below else 0.0


def clock_errors(
    period: Mapping[str, float], networks: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any] | None:
    """Of each network, estimated from all others; None with fewer than two."""
    estimated = estimated_mhz(period, networks)
    pairs = [(mhz, networks[name]["mhz"]) for name, mhz in estimated.items()]
    return asdict(errors(pairs)) if pairs else None


def estimated_mhz(
    period: Mapping[str, float], networks: Mapping[str, Mapping[str, Any]]
) -> dict[str, float]:
    """The clock of each network with the wires fitted to the others; none for a single one."""
    found = {}
    for name, network in networks.items():
        others = [one for other, one in networks.items() if other != name]
        if others:
            engine_mhz = 1000 / _engine_ns(period, network)
            found[name] = network_mhz(engine_mhz, network["lut"], fit(period, others))
    return found


def _engine_ns(period: Mapping[str, float], network: Mapping[str, Any]) -> float:
    return max(
        sum(period.get(name, 0.0) * term for name, term in terms.items())
        for terms in network["engines"]
    )


def _write(technology: Technology, found: Mapping[str, Any]) -> None:
    text = json.dumps(dict(sorted(found.items())), indent=1)
    _path(technology).write_text(text + "\n", encoding="utf-8")


def _path(technology: Technology) -> Path:
    return technology.require(CHARACTERIZATION).folder / f"{technology.name}_routed.json"
