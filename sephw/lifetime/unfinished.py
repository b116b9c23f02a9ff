"""Unfinished folders: each is named after the process that makes it, and is gone with it.

A name holds the machine, the process and its start time, so that the folder of a dead process
(after a power loss, or when everything was killed at once) can be told from that of a living one.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import glob
import hashlib
import itertools
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sephw.errors import SephwError
from sephw.lifetime.ending import is_program
from sephw.lifetime.guard import process_began, release, remove_at_end

_OWNER = r"(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-(?P<began>\d+)-(?P<number>\d+)"
_PART = re.compile(rf"\.(?P<stem>.+)\.{_OWNER}\.part(\.old)?")
_TEMPORARY = re.compile(rf"sephw-{_OWNER}-\w+")
_LONGEST_STEM_BYTES = 150
_numbers = itertools.count()
_system_temporary: str | None = None


@dataclass(frozen=True)
class Unfinished:
    """An unfinished folder or file; ``is_orphaned`` where its process is dead."""

    path: Path
    process: int
    is_orphaned: bool


def unfinished_path(place: Path) -> Path:
    """A new path beside ``place`` for its future content; it is removed when this process ends."""
    path = place.with_name(f".{_name_stem(place)}.{_owner()}-{next(_numbers)}.part")
    remove_at_end(path)
    return path


def unfinished_folder(place: Path, what: str) -> Path:
    """A new folder beside ``place`` for its future content; it is removed when this process ends.

    Folders that dead processes left beside it are removed. Raises SephwError that begins with
    ``what`` where a living process is making ``place``, and OSError.
    """
    with _folder_lock(place.parent):
        for found in _unfinished_beside(place):
            if not found.is_orphaned:
                raise SephwError(
                    f"{what}: process {found.process} is making it; wait for its end, stop it, or "
                    "choose another folder"
                )
            _remove(found.path)
        path = unfinished_path(place)
        try:
            path.mkdir()
        except OSError:
            release(path)
            raise
    return path


def discard(path: Path) -> None:
    """Remove the path of `unfinished_path`, if it exists."""
    _remove(path)
    release(path)


def remove_orphaned(place: Path) -> None:
    """Remove the unfinished folders that dead processes left beside ``place``."""
    for found in _unfinished_beside(place):
        if found.is_orphaned:
            _remove(found.path)


def is_unfinished(path: Path) -> Unfinished | None:
    """The parsed name of ``path``; None where it is not an unfinished path of this program."""
    match = _PART.fullmatch(path.name)
    return None if match is None else Unfinished(path, int(match["process"]), _is_dead(match))


def own_temporary_folder() -> None:
    """Redirect temporary files of this program and its children to a folder that goes with it.

    Only in the program: a process that merely imports this package keeps its own folder.
    """
    global _system_temporary
    if not is_program() or _system_temporary is not None:
        return
    try:
        base = Path(tempfile.gettempdir())
    except OSError:  # nowhere
        return
    with contextlib.suppress(OSError), os.scandir(base) as entries:
        for entry in entries:
            match = _TEMPORARY.fullmatch(entry.name)
            if match is not None and _is_dead(match) and _is_owned(entry):
                shutil.rmtree(entry.path, ignore_errors=True)
    try:
        made = tempfile.mkdtemp(prefix=f"sephw-{_owner()}-{next(_numbers)}-")
    except OSError:  # whoever needs a temporary file will say so
        return
    _system_temporary = str(base)
    remove_at_end(Path(made))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    tempfile.tempdir = made
    os.environ["TMPDIR"] = made


def system_temporary_folder() -> Path:
    """The folder for temporary files that outlive this process."""
    return Path(_system_temporary if _system_temporary is not None else tempfile.gettempdir())


def _unfinished_beside(place: Path) -> Iterator[Unfinished]:
    stem = _name_stem(place)
    try:
        paths = sorted(place.parent.glob(f".{glob.escape(stem)}.*.part*"))
    except OSError:
        return
    for path in paths:
        found = is_unfinished(path)
        if found is not None:
            yield found


@contextlib.contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    """Hold a lock on ``folder``, so that processes that look into it and then write take turns."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # file systems without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _is_dead(match: re.Match[str]) -> bool:
    """Whether the owner was a process of this machine that is gone."""
    began = process_began(int(match["process"]))
    return match["machine"] == _machine() and began != int(match["began"])


def _is_owned(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) and entry.stat().st_uid == os.geteuid()


def _owner() -> str:
    process = os.getpid()
    return f"{_machine()}-{process}-{process_began(process) or 0}"


@cache
def _machine() -> str:
    """Eight digits that identify the machine, or the container with process numbers of its own."""
    try:
        numbering = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        numbering = ""
    return hashlib.sha256(f"{socket.gethostname()} {numbering}".encode()).hexdigest()[:8]


def _name_stem(place: Path) -> str:
    if len(os.fsencode(place.name)) <= _LONGEST_STEM_BYTES:
        return place.name
    return hashlib.sha256(os.fsencode(place.name)).hexdigest()[:16]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
