"""Cache of the decoded images of a zip in the user's cache directory."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sephw.data.dataset import Split
from sephw.files import read_archive_of_arrays
from sephw.lifetime.whole import write_whole
from sephw.tools.user_folders import cache_folder

LEAST_BYTES = 4 << 20
CACHE_VERSION = 3


@dataclass(frozen=True, eq=False)
class Decoded:
    """Decoded images, and lines of text on conversions."""

    split: Split
    notes: tuple[str, ...] = ()


def cached_files(paths: Sequence[Path], form: object, decode: Callable[[], Decoded]) -> Decoded:
    """`cached` with a key of the files' paths, lengths and modification times, and of `form`.

    Only zips of some size are cached: a folder's content has no single time of change.
    """
    if not all(path.is_file() for path in paths):
        return decode()
    states = [path.stat() for path in paths]
    if sum(state.st_size for state in states) < LEAST_BYTES:
        return decode()
    parts = [
        f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}"
        for path, state in zip(paths, states, strict=True)
    ]
    return cached("|".join((*parts, repr(form))), decode)


def cached(key: str, decode: Callable[[], Decoded]) -> Decoded:
    """`decode()`, or its earlier result for the same `key`.

    A cache that cannot be read or written is no error: the images are decoded again.
    """
    name = hashlib.sha256(f"{key}|{CACHE_VERSION}".encode()).hexdigest()[:24]
    try:
        file = cache_folder() / f"images-{name}.npz"
        held = read_archive_of_arrays(file, str(file), "")
        notes = tuple(json.loads(held["notes"].tobytes()))
        return Decoded(Split(held["images"], held["labels"]), notes)
    except Exception:  # missing, damaged in any way, no home, no permission
        pass
    found = decode()
    with suppress(OSError, RuntimeError):
        _keep(cache_folder() / f"images-{name}.npz", found)
    return found


def _keep(file: Path, found: Decoded) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    np.savez(
        content,
        images=found.split.images,
        labels=found.split.labels,
        notes=np.frombuffer(json.dumps(found.notes).encode(), np.uint8),
    )
    write_whole(file, content.getvalue())
