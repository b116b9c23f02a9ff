"""The folding file as JSON: {"frame_cycles": n, "nodes": {name: folding}, "fifos": {name: depth}}.

A folding is {"pe": n, "simd": n}, {"family": "adder-graph"}, or {"family": "digit-serial",
"digit_bits": n}; the adder families may give pe and simd as well. "multipliers": "lut" keeps an
engine off the DSP blocks, "weights": "stream" its weights off the chip, "tile_pixels": n lets each
word of them serve n pixels, "adder_levels": 2 keeps every second register out of the adders of
patterns. A FIFO is named by its tensor; its depth counts beats. All keys may be left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sephw.errors import UsageError
from sephw.files import read_json
from sephw.ir import Family, Folding, Graph, Multipliers, WeightPlace
from sephw.ir.serialize import encode_folding
from sephw.passes.fold import DEFAULT_FRAME_CYCLES

_MOST = (1 << 31) - 1
"""Of lanes, cycles and beats."""


@dataclass(frozen=True)
class FoldingFile:
    """Foldings of named nodes, and the budget in cycles per frame of all others.

    ``fifos``: depths in beats, by tensor, in place of the ones that are found.
    """

    nodes: Mapping[str, Folding] = field(default_factory=dict)
    frame_cycles: int = DEFAULT_FRAME_CYCLES
    fifos: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The content of such a file."""
        nodes = {name: encode_folding(folding) for name, folding in self.nodes.items()}
        fifos = {"fifos": dict(self.fifos)} if self.fifos else {}
        return {"frame_cycles": self.frame_cycles, "nodes": nodes, **fifos}

    def write(self, path: Path) -> None:
        """Write a file that `read_folding_file` reads, an entry a line."""
        entries = [
            f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in self.as_dict()["nodes"].items()
        ]
        rest = {key: value for key, value in self.as_dict().items() if key != "nodes"}
        head = "".join(f"  {json.dumps(k)}: {json.dumps(v)},\n" for k, v in rest.items())
        text = f'{{\n{head}  "nodes": {{\n' + ",\n".join(entries) + "\n  }\n}\n"
        path.write_text(text, encoding="utf-8")


def read_folding_file(path: Path) -> FoldingFile:
    """Read ``path``; every key may be left out. Raises UsageError naming the file and the place."""
    where = f"folding file '{path}'"
    content = read_json(path, where, "see docs/engines.md", error=UsageError)
    _check_keys(where, content, {"nodes", "frame_cycles", "fifos"}, required=frozenset())
    entries = content.get("nodes", {})
    if not isinstance(entries, dict):
        raise UsageError(f"{where}: 'nodes' must be an object of node names")
    nodes = {}
    for name, entry in entries.items():
        nodes[name] = _folding(f"{where}: node '{name}'", entry)
    cycles = _positive(where, "frame_cycles", content.get("frame_cycles", DEFAULT_FRAME_CYCLES))
    depths = content.get("fifos", {})
    if not isinstance(depths, dict):
        raise UsageError(f"{where}: 'fifos' must be an object of tensor names and depths")
    fifos = {name: _positive(f"{where}: fifos", name, depth) for name, depth in depths.items()}
    return FoldingFile(nodes, cycles, fifos)


def write_folding_file(path: Path, graph: Graph, frame_cycles: int = DEFAULT_FRAME_CYCLES) -> None:
    """Write every node's folding of ``graph``: a file to edit and read again."""
    FoldingFile({n.name: n.folding for n in graph.nodes}, frame_cycles).write(path)


def _folding(place: str, entry: object) -> Folding:
    given = entry if isinstance(entry, dict) else {}
    name = given.get("family", Family.SELECT)
    if name not in list(Family):
        raise UsageError(
            f"{place}: family={json.dumps(name)}; families are {', '.join(map(str, Family))}"
        )
    family = Family(name)
    lanes, digits = {"pe", "simd"}, {"digit_bits"}
    usual = {"adder_levels", "tile_pixels"} if family is Family.SELECT else set[str]()
    words = {"family", "multipliers", "weights"}
    known = {*words, *lanes, *usual, *(digits if family is Family.DIGIT_SERIAL else ())}
    required = {
        Family.SELECT: lanes,
        Family.ADDER_GRAPH: set[str](),
        Family.DIGIT_SERIAL: digits,
    }[family]
    _check_keys(place, entry, known, frozenset(required))
    made_of = given.get("multipliers", Multipliers.DSP)
    if made_of not in list(Multipliers):
        raise UsageError(
            f"{place}: multipliers={json.dumps(made_of)}; "
            f"they are made of {', '.join(map(str, Multipliers))}"
        )
    kept = given.get("weights", WeightPlace.CHIP)
    if kept not in list(WeightPlace):
        raise UsageError(
            f"{place}: weights={json.dumps(kept)}; "
            f"their places are {', '.join(map(str, WeightPlace))}"
        )
    numbers = {key: _positive(place, key, n) for key, n in given.items() if key not in words}
    return Folding(
        family=family, multipliers=Multipliers(made_of), weights=WeightPlace(kept), **numbers
    )


def _check_keys(where: str, entry: object, known: set[str], required: frozenset[str]) -> None:
    if not isinstance(entry, dict):
        listing = ", ".join(f"'{key}'" for key in sorted(known))
        raise UsageError(f"{where}: not an object with the keys {listing}")
    for key in entry:
        if key not in known:
            listing = ", ".join(f"'{k}'" for k in sorted(known))
            raise UsageError(f"{where}: unknown key '{key}'; known keys: {listing}")
    for key in sorted(required):
        if key not in entry:
            raise UsageError(f"{where}: the key '{key}' is missing")


def _positive(where: str, key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"{where}: {key}={json.dumps(value)}; it must be a whole number from 1")
    if value > _MOST:
        raise UsageError(f"{where}: {key}={value}; it must be at most {_MOST:,}")
    return value
