"""Atomic writing of files."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from sephw.lifetime.unfinished import discard, remove_orphaned, unfinished_path


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file at ``path`` atomically; after any failure the old one is still there.

    Raises OSError, also where ``path`` is no regular file: a device is not replaced.
    """
    remove_orphaned(path)
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    made = unfinished_path(path)
    try:
        handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        made.replace(path)
    finally:
        discard(made)
