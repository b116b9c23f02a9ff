"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from sephw.lifetime.unfinished import discard, remove_left_over, unfinished_path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in place of what is there; after any failure the old one is.

    Raises OSError, also where something is there that is no file: a device is not replaced.
    """
    remove_left_over(path)
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
