"""Points of the characterization on disk: one JSON file a technology, one point a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sephw.resources
from benchmarks.characterize_layers import Layer, build, layer
from sephw.ir import Resources
from sephw.synth.engine import engine_of
from sephw.synth.recipes import engine_script
from sephw.technologies import CHARACTERIZATION, FAMILIES, Technology
from sephw.tools.yosys import yosys_version

# Of whole networks; what belongs to one technology lies beside its profile.
DATA = Path(sephw.resources.__file__).parent / "data"
TECHNOLOGIES = tuple(t for t in FAMILIES if t.has(CHARACTERIZATION))


@dataclass(frozen=True)
class PointFile:
    """Points of one technology by layer number. ``yosys``: the version that made them."""

    technology: Technology
    yosys: str
    points: Mapping[int, Mapping[str, Any]]

    @classmethod
    def path(cls, technology: Technology) -> Path:
        return technology.require(CHARACTERIZATION).folder / f"{technology.name}.json"

    @classmethod
    def load(cls, technology: Technology) -> PointFile:
        """All points that are there."""
        path = cls.path(technology)
        if not path.is_file():
            return cls(technology, "", {})
        content = json.loads(path.read_text("utf-8"))
        points = {point["seed"]: point for point in content["points"]}
        return cls(technology, content["yosys"], points)

    @classmethod
    def read(cls, technology: Technology) -> PointFile:
        """Points that are there and still hold: the layer, its sources and the recipe as today."""
        version = yosys_version("characterization")
        found = cls.load(technology)
        if found.yosys != version:
            return cls(technology, version, {})
        return cls(
            technology,
            version,
            {
                index: point
                for index, point in found.points.items()
                if engine_key(layer(index), technology) == point["key"]
            },
        )

    def with_point(self, made: Layer, found: Resources) -> PointFile:
        """These points and one more."""
        point = {
            **made.point,
            "key": engine_key(made, self.technology),
            "lut": found.lut,
            "ff": found.ff,
            "bram": found.bram,
            "dsp": found.dsp,
        }
        return replace(self, points={**self.points, made.point["seed"]: point})

    def write(self) -> None:
        """Sorted by layer number; the file appears whole or not at all."""
        lines = [json.dumps(self.points[index], sort_keys=True) for index in sorted(self.points)]
        text = ",\n".join(lines)
        path = self.path(self.technology)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(
            f'{{"technology": "{self.technology.name}", "yosys": {json.dumps(self.yosys)}, '
            f'"points": [\n{text}\n]}}\n',
            encoding="utf-8",
        )
        partial.replace(path)


def engine_key(made: Layer, technology: Technology) -> str:
    """Digest of all that the netlist depends on, the tool's version aside."""
    engine = engine_of(made.operator, made.folding, made.fifo_depths)
    files = [name for name, _ in engine.sources]
    return engine.key(engine_script(technology, files, "engine", dsp=engine.dsp))[:12]


__all__ = ["DATA", "TECHNOLOGIES", "PointFile", "build", "engine_key"]
