"""The folding file as JSON: {"frame_cycles": n, "nodes": {name: folding}, "fifos": {name: depth}}.

A folding is {"pe": n, "simd": n}, {"family": "adder-graph"}, or {"family": "digit-serial",
"digit_bits": n}; the adder families may give pe and simd as well. "multipliers": "lut" keeps an
engine off the DSP blocks, "weights": "stream" its weights off the chip, "tile_pixels": n lets each
word of them serve n pixels, "adder_levels": 2 keeps every second register out of the adders of
patterns. A FIFO is named by its tensor; its depth counts beats. All keys may be left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sephw.errors import UsageError
from sephw.files import read_json
from sephw.ir import Folding, Graph
from sephw.ir.folding import decode_folding, encode_folding, whole_number
from sephw.ops import families
from sephw.passes.fold import DEFAULT_FRAME_CYCLES


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
    _check_keys(where, content, ("fifos", "frame_cycles", "nodes"))
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
    try:
        return decode_folding(entry, families.VARIANTS)
    except ValueError as reason:
        raise UsageError(f"{place}: {reason}") from None


def _check_keys(where: str, content: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in content:
        if key not in known:
            listing = ", ".join(f"'{k}'" for k in known)
            raise UsageError(f"{where}: unknown key '{key}'; known keys: {listing}")


def _positive(where: str, key: str, value: object) -> int:
    try:
        return whole_number(key, value)
    except ValueError as reason:
        raise UsageError(f"{where}: {reason}") from None
