"""Solved graphs on disk: one small JSON file per matrix and options, in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from sephw.adder_graph.graph import Adder, AdderGraph, Integers, Interval, Output
from sephw.errors import SephwError
from sephw.lifetime.whole import write_whole
from sephw.tools.user_folders import cache_folder

_VERSION = 1


def cache_key(
    matrix: Integers, inputs: tuple[Interval, ...] | None, solver: str, options: tuple[object, ...]
) -> str:
    """Hash of everything that the adders depend on.

    ``inputs`` are given only where the solver uses them.
    """
    ends = None if inputs is None else [(i.low, i.high) for i in inputs]
    head = json.dumps([_VERSION, solver, options, matrix.shape, ends])
    digest = hashlib.sha256(head.encode())
    digest.update(matrix.astype("<i8").tobytes())
    return digest.hexdigest()[:32]


def load(folder: Path | None, key: str, inputs: tuple[Interval, ...]) -> AdderGraph | None:
    """The cached graph of ``key``; None where there is none or its file cannot be read."""
    try:
        text = (_file(folder, key)).read_text("utf-8")
        held = json.loads(text)
        return AdderGraph(
            inputs,
            tuple(Adder(a, b, c, d, bool(e)) for a, b, c, d, e in held["adders"]),
            tuple(Output(a, b, bool(c)) for a, b, c in held["outputs"]),
        )
    except (OSError, ValueError, KeyError, TypeError, SephwError):
        return None


def save(folder: Path | None, key: str, graph: AdderGraph) -> None:
    """Write a graph to the cache.

    A folder that cannot be written is no error: the graph is solved again next time.
    """
    held = {
        "adders": [
            [a.left, a.left_shift, a.right, a.right_shift, int(a.subtract)] for a in graph.adders
        ],
        "outputs": [[o.node, o.shift, int(o.negate)] for o in graph.outputs],
    }
    path = _file(folder, key)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(held, separators=(",", ":")).encode())


def _file(folder: Path | None, key: str) -> Path:
    base = cache_folder() if folder is None else folder
    return base / "adder_graphs" / f"{key}.json"
