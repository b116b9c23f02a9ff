"""Clock rates of single engines, placed and routed between two shift registers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.characterize_data import PointFile
from benchmarks.characterize_layers import Layer, layer
from sephw.backends.rtl import write_project
from sephw.ir import Graph, Node, Tensor
from sephw.synth import (
    HARNESS,
    RouteSettings,
    SynthesisSettings,
    Top,
    place_and_route,
    synthesize,
    write_harness,
)
from sephw.targets import Device, find_device
from sephw.technologies import CHARACTERIZATION, FAMILIES, Technology

# Of each technology whose clocks are estimated: the device whose speed is the technology's.
DEVICES: dict[Technology, Device] = {
    technology: find_device(technology.characterization.clock.device)
    for technology in FAMILIES
    if technology.characterization is not None and technology.characterization.clock is not None
}
# Wider streams would make the shift registers the larger part.
MOST_STREAM_BITS = 400
MOST_LUTS = 1200


def one_engine(made: Layer) -> Graph:
    """A network of one engine; its FIFO depths are the layer's."""
    operator, folding = made.operator, made.folding
    inputs = tuple(f"in{i}" for i in range(len(operator.input_shapes)))
    outputs = tuple(f"out{i}" for i in range(len(operator.output_shapes)))
    tensors = {}
    for names, shapes, types, depths in (
        (inputs, operator.input_shapes, operator.input_types, (2,) * len(inputs)),
        (outputs, operator.output_shapes, operator.output_types, made.fifo_depths),
    ):
        for name, shape, dtype, depth in zip(names, shapes, types, depths, strict=True):
            tensors[name] = replace(Tensor(name, *shape, dtype), fifo_depth=depth)
    node = Node("engine", "", operator, inputs, outputs, folding)
    return Graph("one_engine", (node,), tensors, inputs, outputs)


def routable(made: Layer, luts: int) -> bool:
    """True where the engine is small enough to be worth routing by itself."""
    operator, folding = made.operator, made.folding
    streams = (*operator.input_streams(folding), *operator.output_streams(folding))
    return luts <= MOST_LUTS and sum(s.width_bits for s in streams) <= MOST_STREAM_BITS


def route(made: Layer, technology: Technology, work: Path, timeout_seconds: float) -> float:
    """The clock rate in MHz that nextpnr reports for the engine."""
    device, known = DEVICES[technology], technology.require(CHARACTERIZATION)
    assert known.clock is not None
    graph = one_engine(made)
    project = work / "rtl"
    write_project(graph, project, samples={}, golden={})
    harness = write_harness(graph, work)
    synthesis = synthesize(
        project,
        graph,
        technology,
        work / "synthesis",
        SynthesisSettings(timeout_seconds, jobs=1),
        progress=lambda _: None,
        top=Top(HARNESS, [harness]),
    )
    routed = place_and_route(
        synthesis,
        device,
        RouteSettings(known.clock.requested_mhz, timeout_seconds),
        work / "route",
        progress=lambda _: None,
    )
    return round(routed.network_mhz, 2)


def candidates(points: Mapping[int, Mapping[str, Any]]) -> Iterator[tuple[int, Layer]]:
    """Layers worth routing of those that have been synthesized, kinds in turn as there."""
    for index in sorted(points):
        made = layer(index)
        if routable(made, points[index]["lut"]):
            yield index, made


def read(technology: Technology) -> dict[str, dict[str, Any]]:
    """Routed clock rates by layer number, of engines that are still those of the points."""
    path = _path(technology)
    if not path.is_file():
        return {}
    points = PointFile.load(technology).points
    found: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))["layers"]
    return {
        index: clock
        for index, clock in found.items()
        if int(index) in points and points[int(index)]["key"] == clock.get("key")
    }


def write(technology: Technology, found: dict[str, dict[str, Any]]) -> None:
    """Write them, sorted."""
    lines = [
        f"{json.dumps(index)}: {json.dumps(found[index], sort_keys=True)}"
        for index in sorted(found, key=int)
    ]
    _path(technology).write_text(
        f'{{"device": "{DEVICES[technology].name}", "layers": {{\n' + ",\n".join(lines) + "\n}}\n",
        encoding="utf-8",
    )


def _path(technology: Technology) -> Path:
    return technology.require(CHARACTERIZATION).folder / f"{technology.name}_clock.json"
