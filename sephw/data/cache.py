"""Decoded images of a zip, kept in the user's cache directory so that the next run starts fast."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sephw.data.dataset import Split

LEAST_BYTES = 4 << 20
CACHE_VERSION = 1


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/sephw`, by default `~/.cache/sephw`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "sephw"


def cached_file(
    path: Path, size: tuple[int, int] | None, part: str, decode: Callable[[], Split]
) -> Split:
    """`cached` for a file: the key is its path, length, time of change, `size` and `part`.

    Only zips of some size are kept: a folder's content has no single time of change.
    """
    if not path.is_file() or path.stat().st_size < LEAST_BYTES:
        return decode()
    state = path.stat()
    key = f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}|{size}|{part}"
    return cached(key, decode)


def cached(key: str, decode: Callable[[], Split]) -> Split:
    """`decode()`, or what it gave before for the same `key`.

    A cache that cannot be read or written is not an error, the images are decoded again.
    """
    name = hashlib.sha256(f"{key}|{CACHE_VERSION}".encode()).hexdigest()[:24]
    file = cache_folder() / f"images-{name}.npz"
    try:
        with np.load(file, allow_pickle=False) as held:
            return Split(held["images"], held["labels"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        pass
    split = decode()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as out:
                np.savez(out, images=split.images, labels=split.labels)
            Path(temporary).replace(file)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError:
        pass
    return split
