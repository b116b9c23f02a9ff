"""The output directory: appears whole or not at all, and replaces nothing but an export."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from sephw.errors import SephwError, UsageError
from sephw.files import read_json

MANIFEST = "manifest.json"
FORMAT, VERSION = "sephw-export", 1


class ExportDirectory:
    """A temporary directory beside `out` that `commit` renames to `out`.

    Use as a context manager; what is not committed is removed. UsageError where `out` holds
    anything but a former export.
    """

    def __init__(self, out: Path) -> None:
        self.out = out.resolve()
        self._shown = out
        check_replaceable(self.out, out)
        self._made: list[Path] = []
        self._temporary: Path | None = None

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
                    folder.mkdir()
                    self._made.append(folder)
            made = tempfile.mkdtemp(dir=parent, prefix=f".{self.out.name}.")
        except OSError as error:
            self._discard()
            raise SephwError(
                f"--out {self._shown}: cannot be written ({error.strerror}); choose another folder"
            ) from None
        self._temporary = Path(made)
        mask = os.umask(0)
        os.umask(mask)
        self._temporary.chmod(0o777 & ~mask)  # mkdtemp's own mode would hide it from others
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._discard()

    def commit(self) -> None:
        """Put the directory in place of `out`; checks once more what is replaced."""
        check_replaceable(self.out, self._shown)
        new, old = self.path, None
        if self.out.exists():
            old = Path(tempfile.mkdtemp(dir=self.out.parent, prefix=f".{self.out.name}."))
            self.out.replace(old)
        try:
            new.replace(self.out)
        except OSError:
            if old is not None:
                old.replace(self.out)
            raise
        self._temporary, self._made = None, []
        if old is not None:
            shutil.rmtree(old)

    def _discard(self) -> None:
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):
                folder.rmdir()
        self._made = []


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
    present = {p.relative_to(out).as_posix() for p in out.rglob("*") if not p.is_dir()}
    if not present and not any(out.iterdir()):
        return
    files = _exported_files(out / MANIFEST)
    if files is None:
        raise UsageError(
            f"--out {shown}: exists and is no former export (no {MANIFEST} of sephw); "
            "choose another folder"
        )
    foreign = sorted(present - files - {MANIFEST})
    if foreign:
        raise UsageError(
            f"--out {shown}: holds {len(foreign)} file(s) that the export did not write, first "
            f"'{foreign[0]}'; move them away or choose another folder"
        )


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under `folder`, by relative path, sorted."""
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _exported_files(manifest: Path) -> set[str] | None:
    """Files that an export's manifest lists; None where it is not one."""
    try:
        content = read_json(manifest, str(manifest), "")
    except (SephwError, OSError):
        return None
    if content.get("format") != FORMAT:
        return None
    files = content.get("files")
    return set(files) if isinstance(files, dict) else None
