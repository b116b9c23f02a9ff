"""Netlists of engines on disk, by content, in the user's cache folder."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path


@dataclass(frozen=True)
class NetlistCache:
    """Files named by key. A cache that cannot be used costs time only."""

    folder: Path

    @classmethod
    def default(cls) -> NetlistCache:
        """The user's."""
        return cls(user_cache_path("sephw", appauthor=False) / "netlists")

    def fetch(self, key: str, target: Path) -> bool:
        """Copy the netlist kept under ``key`` to ``target``; False where there is none."""
        try:
            shutil.copyfile(self._file(key), target)
        except OSError:
            return False
        return True

    def keep(self, key: str, netlist: Path) -> None:
        """Keep a netlist; it appears whole or not at all."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = self.folder / f".{os.getpid()}.{key}"
            shutil.copyfile(netlist, partial)
            partial.replace(self._file(key))

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.json"
