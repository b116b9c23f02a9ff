"""The manifest's listing of an export's files: a hash for each, and the folder of logs.

Logs hold seconds and names of temporary folders, and a part that came from a cache has none. So
they are not listed, and two exports of the same network have the same manifest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

_LOGS, _SECONDS = PurePosixPath("synth", "logs"), "seconds.json"


def file_hashes(folder: Path, paths: Iterable[Path] | None = None) -> dict[str, str]:
    """SHA-256 of files under `folder` (None: of all), by relative path, sorted."""
    chosen = sorted(folder.rglob("*") if paths is None else paths)
    return {path.relative_to(folder).as_posix(): sha256(path) for path in chosen if path.is_file()}


def listing(hashes: Mapping[str, str]) -> dict[str, Any]:
    """A manifest's entries: "files" with their hashes, and "logs", their folder."""
    names = sorted(hashes, key=PurePosixPath)
    files = {name: hashes[name] for name in names if not is_log(name)}
    return {"files": files, **({"logs": str(_LOGS)} if len(files) < len(names) else {})}


def is_log(name: str) -> bool:
    """Whether a relative path is that of a log of an export."""
    path = PurePosixPath(name)
    return path.is_relative_to(_LOGS) and (path.suffix == ".log" or path.name == _SECONDS)


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
