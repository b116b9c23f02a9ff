"""What a manifest says of an export's files: hashes of what it is made of, names of its logs.

Logs hold seconds and names of temporary folders. They are not hashed, so that two exports of the
same network have the same manifest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

_LOGS = PurePosixPath("synth", "logs")


def file_hashes(folder: Path, paths: Iterable[Path] | None = None) -> dict[str, str]:
    """SHA-256 of files under `folder` (None: of all), by relative path, sorted."""
    chosen = sorted(folder.rglob("*") if paths is None else paths)
    return {path.relative_to(folder).as_posix(): sha256(path) for path in chosen if path.is_file()}


def listing(hashes: Mapping[str, str]) -> dict[str, Any]:
    """A manifest's entries: "files" with their hashes, and "logs" (paths) where there are any."""
    names = sorted(hashes, key=PurePosixPath)
    logs = [name for name in names if PurePosixPath(name).is_relative_to(_LOGS)]
    files = {name: hashes[name] for name in names if name not in logs}
    return {"files": files, "logs": logs} if logs else {"files": files}


def listed(manifest: Mapping[str, Any]) -> set[str]:
    """All paths that a manifest names."""
    files, logs = manifest.get("files"), manifest.get("logs")
    return {
        name
        for names in (files, logs) if isinstance(names, dict | list)
        for name in names if isinstance(name, str)
    }  # fmt: skip


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
