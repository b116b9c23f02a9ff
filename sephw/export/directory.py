"""The output directory: appears whole or not at all, and replaces nothing but an export."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from sephw.errors import SephwError, UsageError
from sephw.export_folder import ExportFolder
from sephw.export_names import MANIFEST
from sephw.files.listing import is_log
from sephw.lifetime.exchange import exchange
from sephw.lifetime.guard import release, remove_at_end
from sephw.lifetime.unfinished import discard, is_unfinished, unfinished_folder


class ExportDirectory:
    """A temporary directory beside `out` that `commit` puts in the place of `out`.

    Use as a context manager; what is not committed is removed, by whatever the process ends.
    UsageError where `out` holds anything but a former export.
    """

    def __init__(self, out: Path) -> None:
        self.out = out.resolve()
        self._shown = out
        check_replaceable(self.out, out)
        self._made: list[Path] = []
        self._temporary: Path | None = None
        self._former = _identity(self.out)

    @property
    def path(self) -> Path:
        """Where to write now."""
        assert self._temporary is not None, "used outside of 'with'"
        return self._temporary

    def __enter__(self) -> ExportDirectory:
        parent = self.out.parent
        try:
            for folder in (*reversed(parent.parents), parent):
                if not folder.exists():
                    remove_at_end(folder, if_empty=True)
                    folder.mkdir(exist_ok=True)
                    self._made.append(folder)
            self._temporary = unfinished_folder(self.out, f"--out {self._shown}")
        except OSError as error:
            self._discard()
            raise SephwError(
                f"--out {self._shown}: cannot be written ({error.strerror}); choose another folder"
            ) from None
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._discard()

    def commit(self) -> None:
        """Put the directory in place of `out`, in one step; checks once more what is replaced.

        UsageError where another process has put an export there meanwhile: that one stays.
        """
        check_replaceable(self.out, self._shown)
        if _identity(self.out) != self._former:
            raise UsageError(
                f"--out {self._shown}: was made by another process meanwhile; this export is left "
                "out; export again, or choose another folder"
            )
        try:
            if self.out.exists():
                exchange(self.path, self.out)
            else:
                self.path.rename(self.out)
                release(self.path)
        except OSError as error:
            raise SephwError(
                f"--out {self._shown}: cannot be put in place ({error.strerror}); choose another "
                "folder"
            ) from None
        for folder in self._made:
            release(folder)
        self._made = []
        self._discard()  # what was there

    def _discard(self) -> None:
        if self._temporary is not None:
            discard(self._temporary)
            self._temporary = None
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):
                folder.rmdir()
            release(folder)
        self._made = []


def _identity(folder: Path) -> tuple[int, int] | None:
    """The device and inode of a folder, which identify it at its path; None where there is none."""
    try:
        state = folder.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def check_replaceable(out: Path, shown: Path) -> None:
    """UsageError, naming `shown`, unless `out` is absent, empty, or an export and nothing else."""
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"--out {shown}: is a file; give a folder to make")
    here = Path.cwd()
    if out == here or out in here.parents:
        # Replacing it would leave the user's shell in a folder that is gone.
        raise UsageError(f"--out {shown}: the current folder lies in it; change to another first")
    present = {p.relative_to(out).as_posix() for p in _finished(out, shown) if not p.is_dir()}
    if not present and not any(out.iterdir()):
        return
    files = _exported_files(out)
    if files is None:
        raise UsageError(
            f"--out {shown}: exists and is no former export (no {MANIFEST} of sephw); "
            "choose another folder"
        )
    foreign = sorted(name for name in present - files - {MANIFEST} if not is_log(name))
    if foreign:
        raise UsageError(
            f"--out {shown}: holds {len(foreign)} file(s) that the export did not write, first "
            f"'{foreign[0]}'; move them away or choose another folder"
        )


def _finished(out: Path, shown: Path) -> Iterator[Path]:
    """All below `out` but what is unfinished; UsageError where a living process is at it."""
    for path in out.iterdir():
        found = is_unfinished(path)
        if found is None:
            yield path
            if path.is_dir() and not path.is_symlink():
                yield from path.rglob("*")
        elif not found.is_orphaned:
            raise UsageError(
                f"--out {shown}: process {found.process} is working in it; wait for its end or "
                "stop it"
            )


def _exported_files(out: Path) -> set[str] | None:
    """Files that the manifest of the export in ``out`` lists; None where there is none."""
    try:
        files = ExportFolder.open(out).manifest.get("files")
    except (SephwError, OSError):
        return None
    return set(files) if isinstance(files, dict) else None
