"""A cache of files that take long to make, in the user's cache folder, by hash of their inputs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sephw.tools.user_folders import cache_folder

PROGRAMS = "programs"
"""The user's cache of simulations."""
_MOST_BYTES = 1 << 30
_DIGEST_DIGITS = 16


@dataclass(frozen=True)
class FileCache:
    """Files by key; beyond ``most_bytes`` the least recently used ones are removed.

    A cache that cannot be used costs time only. A file's name contains a digest of its content, so
    that a damaged file is a miss.
    """

    folder: Path
    most_bytes: int = _MOST_BYTES

    @classmethod
    def of_user(cls, name: str) -> FileCache:
        """The user's cache called ``name``."""
        return cls(cache_folder() / name)

    def fetch(self, key: str, target: Path) -> bool:
        """Copy the file kept under ``key`` to ``target``, mode included; False where none is."""
        try:
            for kept in self.folder.glob(f"{key}-*"):
                shutil.copy(kept, target)
                if kept.name == f"{key}-{_digest(target)}":
                    os.utime(kept)
                    return True
                kept.unlink()
                target.unlink()
        except OSError:
            target.unlink(missing_ok=True)
        return False

    def keep(self, key: str, made: Path) -> None:
        """Store a file atomically."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = self.folder / f".{os.getpid()}.{key}"
            shutil.copy(made, partial)
            partial.replace(self.folder / f"{key}-{_digest(made)}")
            self._limit()

    def _limit(self) -> None:
        found = [(path, path.stat()) for path in self.folder.iterdir()]
        total = sum(status.st_size for _, status in found)
        for path, status in sorted(found, key=lambda one: one[1].st_mtime_ns):
            if total <= self.most_bytes:
                break
            path.unlink(missing_ok=True)
            total -= status.st_size


def cache_key(parts: Iterable[str | bytes]) -> str:
    """The key of ``parts``, the boundaries between them included."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(f"{len(data)}:".encode() + data)
    return digest.hexdigest()[:32]


def identity(program: Path) -> str:
    """A text that changes with the installed version of a program."""
    status = program.resolve().stat()
    return f"{program.resolve()} {status.st_size} {status.st_mtime_ns}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:_DIGEST_DIGITS]


__all__ = ["PROGRAMS", "FileCache", "identity", "cache_key"]
