"""Folders that are being made: named after the process that makes them, and gone with it.

A name holds the machine, the process and when it started, so that what a dead one has left (the
machine lost its power, everything was killed at once) is told from what a living one is at.
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
    """A folder or file that some process is making, or has left unfinished."""

    path: Path
    process: int
    is_left_over: bool


def unfinished_path(place: Path) -> Path:
    """A new path beside ``place`` for what will be there; it goes when this process ends."""
    path = place.with_name(f".{_stem(place)}.{_owner()}-{next(_numbers)}.part")
    remove_at_end(path)
    return path


def unfinished_folder(place: Path, what: str) -> Path:
    """A new folder beside ``place`` that will be there; it goes when this process ends.

    Folders that dead processes have left beside it are removed. Raises SephwError that begins with
    ``what`` where a living process is making ``place``, and OSError.
    """
    with _one_at_a_time(place.parent):
        for found in _beside(place):
            if not found.is_left_over:
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
    """Remove what `unfinished_path` named, if it is there."""
    _remove(path)
    release(path)


def remove_left_over(place: Path) -> None:
    """Remove what dead processes have left unfinished beside ``place``."""
    for found in _beside(place):
        if found.is_left_over:
            _remove(found.path)


def is_unfinished(path: Path) -> Unfinished | None:
    """What ``path`` is by its name; None where it is nothing unfinished of this program."""
    match = _PART.fullmatch(path.name)
    return None if match is None else Unfinished(path, int(match["process"]), _is_dead(match))


def own_temporary_folder() -> None:
    """Temporary files of this program and its children go to a folder that goes with it.

    Of the program only: a process that merely imports this package keeps its own.
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
            if match is not None and _is_dead(match) and _is_mine(entry):
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
    """Where temporary files go that outlive this process."""
    return Path(_system_temporary if _system_temporary is not None else tempfile.gettempdir())


def _beside(place: Path) -> Iterator[Unfinished]:
    stem = _stem(place)
    try:
        paths = sorted(place.parent.glob(f".{glob.escape(stem)}.*.part*"))
    except OSError:
        return
    for path in paths:
        found = is_unfinished(path)
        if found is not None:
            yield found


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Processes that look into ``folder`` and then make something there do it one by one."""
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


def _is_mine(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) and entry.stat().st_uid == os.geteuid()


def _owner() -> str:
    process = os.getpid()
    return f"{_machine()}-{process}-{process_began(process) or 0}"


@cache
def _machine() -> str:
    """Eight digits that differ between machines, and containers that number processes anew."""
    try:
        numbering = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        numbering = ""
    return hashlib.sha256(f"{socket.gethostname()} {numbering}".encode()).hexdigest()[:8]


def _stem(place: Path) -> str:
    if len(os.fsencode(place.name)) <= _LONGEST_STEM_BYTES:
        return place.name
    return hashlib.sha256(os.fsencode(place.name)).hexdigest()[:16]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
