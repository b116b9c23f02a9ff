"""Safe access to a file: it must be regular and of bounded size; failures become one line."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sephw.errors import SephwError

MOST_BYTES = 4 << 30
"""Of a file that is read into memory, where its reader knows no lower limit."""
MOST_TEXT_BYTES = 256 << 20
"""Of a text."""

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
_MESSAGE_LENGTH = 160


def check_file(
    path: Path, what: str, *, most_bytes: int = MOST_BYTES, error: type[SephwError] = SephwError
) -> None:
    """Refuse all but a regular file of at most ``most_bytes``; nothing is opened.

    ``what`` begins the message and names the path. Raises ``error``; FileNotFoundError and other
    OSErrors are left to the caller, who knows the advice.
    """
    _check(path.stat(), what, most_bytes, error)


def read_bytes(
    path: Path, what: str, *, most_bytes: int = MOST_BYTES, error: type[SephwError] = SephwError
) -> bytes:
    """The content of a file that `check_file` accepts; raises as that does."""
    check_file(path, what, most_bytes=most_bytes, error=error)
    # Opening a pipe that took the file's place since would wait for a writer.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        _check(os.fstat(handle), what, most_bytes, error)
        return file.read(most_bytes + 1)


def read_text(
    path: Path,
    what: str,
    *,
    most_bytes: int = MOST_TEXT_BYTES,
    error: type[SephwError] = SephwError,
) -> str:
    """The content of a UTF-8 file; raises as `read_bytes` does, and UnicodeDecodeError."""
    return read_bytes(path, what, most_bytes=most_bytes, error=error).decode("utf-8")


@contextmanager
def reading(
    what: str, fix: str, *, failed: str = "cannot be read", error: type[SephwError] = SephwError
) -> Iterator[None]:
    """The boundary of a reader: any failure within becomes one line of type ``error``.

    For libraries that may raise anything on a damaged file, and for building values from the
    content. ``what`` names the file, ``fix`` gives the advice. SephwErrors pass.
    """
    try:
        yield
    except SephwError:
        raise
    except MemoryError as failure:
        raise error(f"{what}: {out_of_memory(failure)}") from None
    except RecursionError:
        raise error(f"{what}: nested too deeply; {fix}") from None
    except FileNotFoundError:
        raise error(f"{what}: no such file; check the path") from None
    except OSError as failure:
        reason = failure.strerror or _short(failure)
        raise error(f"{what}: {failed} ({reason}); {fix}") from None
    except Exception as failure:  # any library, any damage
        raise error(f"{what}: {failed} ({_short(failure)}); {fix}") from None


def out_of_memory(failure: BaseException) -> str:
    """The message for a MemoryError: the allocation that was too large, where it is known."""
    said = _short(failure) if str(failure) else "more than this machine has"
    return f"does not fit into memory ({said}); use smaller sizes or a machine with more memory"


def _short(failure: BaseException) -> str:
    text = " ".join(str(failure).split())
    if isinstance(failure, KeyError):
        return f"it lacks {text}"
    if len(text) > _MESSAGE_LENGTH:
        text = f"{text[:_MESSAGE_LENGTH]}…"
    name = type(failure).__name__
    return f"{name}: {text}" if text else name


def _check(state: os.stat_result, what: str, most_bytes: int, error: type[SephwError]) -> None:
    for is_kind, name in _KINDS:
        if is_kind(state.st_mode):
            raise error(f"{what}: is {name}, not a file; give the path of a file")
    if state.st_size > most_bytes:
        raise error(
            f"{what}: has {state.st_size:,} bytes, more than the {most_bytes:,} that are read; "
            "give the right file"
        )
