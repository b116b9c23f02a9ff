"""Zip archives: the claims of their directory are checked before anything is unpacked."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from types import TracebackType

from sephw.errors import SephwError
from sephw.files.reading import MOST_BYTES, check_file

# What unpacks piece by piece, so that an entry never takes more memory than it claims.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MOST_ENTRIES = 4_000_000
# The best that deflate does, on one byte over and over, is 1,032.
_MOST_RATIO = 1100


class Archive:
    """An open zip; use as a context manager.

    Raises SephwError, one line that begins with ``what``, for a file that is no zip, for an entry
    larger than ``most_entry_bytes`` or all together larger than ``most_bytes``, for entries that
    share bytes, and for an entry that is encrypted or compressed by another method than stored or
    deflated.
    """

    def __init__(
        self,
        path: Path,
        what: str,
        most_entry_bytes: int,
        most_bytes: int,
        fix: str = "fetch it again",
    ) -> None:
        self._what, self._fix = what, fix
        check_file(path, what, most_bytes=1 << 50)
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            self._file = os.fdopen(handle, "rb")
            try:
                self._archive = zipfile.ZipFile(self._file)
            except BaseException:
                self._file.close()
                raise
        except FileNotFoundError:
            raise SephwError(f"{what}: no such file; check the path") from None
        except MemoryError:
            raise SephwError(f"{what}: its directory does not fit into memory; remake it") from None
        except Exception as error:  # a damaged directory can raise nearly anything
            reason = " ".join(str(error).split())
            raise SephwError(f"{what}: not a readable zip ({reason}); {fix}") from None
        try:
            self._entries = self._check(most_entry_bytes, most_bytes, path.stat().st_size)
        except BaseException:
            self.close()
            raise

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files in it, in the archive's order, without folders."""
        return tuple(self._entries)

    @property
    def folders(self) -> tuple[str, ...]:
        """The entries that are folders, each with a slash at its end."""
        return self._folders

    def read(self, name: str) -> bytes:
        """An entry's content. Raises SephwError where it is damaged."""
        entry = self._entries[name]
        try:
            with self._archive.open(entry) as file:
                content = file.read(entry.file_size + 1)
        except MemoryError:
            raise SephwError(
                f"{self._what}: '{name}' ({entry.file_size:,} bytes) does not fit into memory; "
                "leave it out"
            ) from None
        except Exception as error:  # encrypted, cut short, a wrong checksum, a wrong method
            reason = " ".join(str(error).split())
            raise SephwError(
                f"{self._what}: '{name}' cannot be unpacked ({reason}); {self._fix}"
            ) from None
        if len(content) != entry.file_size:
            raise SephwError(
                f"{self._what}: '{name}' is not as large as the archive claims; {self._fix}"
            )
        return content

    def close(self) -> None:
        """Close the file."""
        self._archive.close()
        self._file.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check(self, most_entry: int, most: int, size: int) -> dict[str, zipfile.ZipInfo]:
        # A name may be empty in a damaged directory, which zipfile does not expect.
        entries = [entry for entry in self._archive.infolist() if entry.filename]
        what = self._what
        if len(entries) > _MOST_ENTRIES:
            raise SephwError(f"{what}: {len(entries):,} entries; use a folder of files instead")
        total = packed = 0
        for entry in entries:
            total += entry.file_size
            packed += entry.compress_size
            if entry.file_size > most_entry:
                raise SephwError(
                    f"{what}: '{entry.filename}' would unpack to {entry.file_size:,} bytes, more "
                    f"than the {most_entry:,} that are read; leave it out"
                )
            if entry.file_size > _MOST_RATIO * (entry.compress_size + 1):
                raise SephwError(
                    f"{what}: '{entry.filename}' claims {entry.file_size:,} bytes, packed into "
                    f"{entry.compress_size:,}, which no file can be; {self._fix}"
                )
            if entry.compress_type not in _METHODS:
                raise SephwError(
                    f"{what}: '{entry.filename}' is packed by method {entry.compress_type}; "
                    "pack the archive again with plain zip (deflate)"
                )
            if entry.flag_bits & 1:
                raise SephwError(
                    f"{what}: '{entry.filename}' is encrypted; pack the archive without a password"
                )
        if total > most:
            raise SephwError(
                f"{what}: would unpack to {total:,} bytes, more than the {most:,} that are read; "
                "unpack it and give the folder"
            )
        if packed > size:
            raise SephwError(
                f"{what}: its entries claim {packed:,} packed bytes, the file has {size:,}: they "
                "lie in each other; pack the archive again"
            )
        self._folders = tuple(e.filename for e in entries if e.is_dir())
        return {e.filename: e for e in entries if not e.is_dir()}


__all__ = ["MOST_BYTES", "Archive"]
