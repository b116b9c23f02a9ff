"""Results as JSON lines, one a network, so that a run can be interrupted and taken up again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from benchmarks.random_networks.check import Outcome, Status


@dataclass(frozen=True)
class Result:
    """Outcome of network ``index`` of ``seed``."""

    seed: int
    index: int
    outcome: Outcome


def read(path: Path, seed: int) -> dict[int, Result]:
    """The last result of every network of ``seed``; an unfinished last line is left out."""
    found: dict[int, Result] = {}
    if not path.is_file():
        return found
    for line in path.read_text("utf-8").splitlines():
        try:
            entry = json.loads(line)
            result = _result(entry)
        except (ValueError, KeyError, TypeError):
            continue
        if result.seed == seed:
            found[result.index] = result
    return found


def append(path: Path, results: Iterable[Result]) -> None:
    """Add lines to the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for result in results:
            file.write(json.dumps(asdict(result)) + "\n")


def _result(entry: dict[str, object]) -> Result:
    values = entry["outcome"]
    if not isinstance(values, dict):
        raise TypeError("no outcome")
    known = {f.name for f in fields(Outcome)}
    outcome: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in values.items() if key in known
    }
    outcome["status"] = Status(values["status"])
    return Result(int(str(entry["seed"])), int(str(entry["index"])), Outcome(**outcome))
