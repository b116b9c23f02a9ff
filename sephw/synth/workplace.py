"""The work folder of a flow's run, beside its results, which are put in place at the end."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from sephw.errors import SephwError
from sephw.lifetime.exchange import exchange
from sephw.lifetime.unfinished import discard, unfinished_folder
from sephw.tools.user_folders import log_folder


class Workplace:
    """A temporary folder beside ``beside``; use as a context manager.

    Its content is removed unless it is put in place. Where the run fails with a SephwError, its
    logs are moved to ``failures`` (default: a folder of the user's logs), and the message names
    them there.
    """

    def __init__(self, beside: Path, name: str, failures: Path | None = None) -> None:
        self._beside = beside
        self._name = name
        self._failures = failures if failures is not None else log_folder() / "synth"
        self._path: Path | None = None

    @property
    def path(self) -> Path:
        """Where to work now."""
        assert self._path is not None, "used outside of 'with'"
        return self._path

    def __enter__(self) -> Workplace:
        try:
            self._beside.parent.mkdir(parents=True, exist_ok=True)
            self._path = unfinished_folder(self._beside, f"'{self._beside}'")
        except OSError as error:
            raise SephwError(
                f"'{self._beside}' cannot be written ({error.strerror}); choose another folder"
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, SephwError):
            kept = self._keep_logs()
            error.args = (str(error).replace(str(self.path), str(kept)), *error.args[1:])
        discard(self.path)
        self._path = None

    def put(self, folders: Mapping[Path, Path]) -> None:
        """Move finished folders, by their destination, in place of the existing ones."""
        for target, made in folders.items():
            if target.exists():
                exchange(made, target)  # what was there goes with this folder
            else:
                made.rename(target)

    def _keep_logs(self) -> Path:
        """Copy the logs of a failed run over those of the last one; the folder they are in."""
        folder = self._failures / self._name
        shutil.rmtree(folder, ignore_errors=True)
        for log in self.path.rglob("*.log"):
            kept = folder / log.relative_to(self.path)
            with contextlib.suppress(OSError):
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(log, kept)
        return folder
