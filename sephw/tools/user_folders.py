"""The user's folders of caches and logs, or substitutes where the home cannot be written."""

from __future__ import annotations

import os
import stat
import tempfile
from functools import cache
from pathlib import Path

from platformdirs import user_cache_path, user_log_path

from sephw.lifetime.unfinished import system_temporary_folder


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/sephw`, by default `~/.cache/sephw`; else a temporary folder.

    Its content is disposable: a file that cannot be read or written costs time only.
    """
    return _writable(user_cache_path("sephw", appauthor=False))


def log_folder() -> Path:
    """The folder of logs that outlive a failed run."""
    return _writable(user_log_path("sephw"))


def yowasp_folder() -> Path:
    """The folder in which YoWASP tools keep their compiled WebAssembly; they need such a folder."""
    chosen = os.environ.get("YOWASP_CACHE_DIR")
    return _writable(Path(chosen) if chosen else user_cache_path("YoWASP", appauthor=False))


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return _temporary() / folder.name
    return folder if os.access(folder, os.W_OK | os.X_OK) else _temporary() / folder.name


@cache
def _temporary() -> Path:
    """A folder that this user alone can write: machine code in it is run."""
    path = system_temporary_folder() / f"sephw-{os.geteuid()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        state = path.lstat()
    except OSError:
        return Path(tempfile.mkdtemp(prefix="sephw-", dir=system_temporary_folder()))
    own = stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid()
    if own and not state.st_mode & 0o077:
        return path
    return Path(tempfile.mkdtemp(prefix="sephw-", dir=system_temporary_folder()))
