"""Children and unfinished files, known to a warden that acts when this process is gone.

The warden (`sephw.lifetime.warden`) is a process of its own in a session of its own. It reads what
to do from a pipe; the kernel closes the pipe at the death of this process, also by SIGKILL. Unlike
the parent-death signal of Linux it does not mind which thread has started a child.
"""

from __future__ import annotations

import contextlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sephw.errors import SephwError
from sephw.lifetime import ending

_POLL_SECONDS = 0.005
_START_SECONDS, _TIDY_SECONDS = 0.2, 0.5

lock = threading.RLock()
"""Held while a child is started and noted. `_tidy` takes it for good: nothing starts then."""
_writer: int | None = None
_warden: subprocess.Popen[bytes] | None = None
_broken = False


def process_began(process: int) -> int | None:
    """When a process started, in clock ticks since boot; None where there is no such process."""
    try:
        text = Path(f"/proc/{process}/stat").read_bytes()
        return int(text.rsplit(b")", 1)[1].split()[19])
    except (OSError, IndexError, ValueError):
        return None


def start(
    words: Sequence[str],
    *,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: int | None = subprocess.DEVNULL,
    stdout: int | None = subprocess.PIPE,
    stderr: int | None = subprocess.STDOUT,
) -> subprocess.Popen[bytes]:
    """A child process that leads a group of its own; `end` ends both.

    The group is killed when this process dies, of whatever. Raises SephwError if the program
    cannot be started.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if in_main:
        ending.main_thread_starts = True
    try:
        with lock:
            process = subprocess.Popen(
                words,
                cwd=directory,
                env=None if environment is None else dict(environment),
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            _tell({"group": process.pid, "began": process_began(process.pid)})
            return process
    except OSError as error:
        raise SephwError(f"'{words[0]}' cannot be started: {error.strerror}") from None
    finally:
        if in_main:
            ending.main_thread_starts = False


@contextlib.contextmanager
def started(
    words: Sequence[str],
    *,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stderr: int | None = subprocess.STDOUT,
) -> Iterator[subprocess.Popen[bytes]]:
    """`start` with its output in a pipe; the group is killed when this is left."""
    process = start(words, directory=directory, environment=environment, stderr=stderr)
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill the group that ``process`` leads, if it still runs, and reap it."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _tell({"ended": process.pid})


def remove_at_end(path: Path, *, if_empty: bool = False) -> None:
    """A file or folder that goes when this process ends, unless `release` says otherwise."""
    _tell({"empty" if if_empty else "path": _plain(path)})


def restore_at_end(moved: Path, place: Path) -> None:
    """``moved`` goes back to ``place`` when this process ends and nothing is there."""
    _tell({"back": [_plain(moved), _plain(place)]})


def release(path: Path) -> None:
    """What was said of ``path`` to `remove_at_end` or `restore_at_end` is void."""
    _tell({"kept": _plain(path)})


def _tidy() -> None:
    """Have the warden do its work now; returns when it is done, or after some time."""
    global _writer
    lock.acquire(timeout=_START_SECONDS)
    writer, _writer = _writer, None
    if writer is None or _warden is None:
        return
    # In place of the pipe: a thread that is about to write must not hit another file.
    nothing = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(nothing, writer, inheritable=False)
    deadline = time.monotonic() + _TIDY_SECONDS
    while time.monotonic() < deadline:
        try:
            if os.waitpid(_warden.pid, os.WNOHANG)[0]:
                return
        except OSError:
            return
        time.sleep(_POLL_SECONDS)


def die_with_parent() -> None:
    """For a worker process of multiprocessing: it ends when its parent is gone.

    Its parent alone decides what an interrupt of the terminal means.
    """
    import multiprocessing

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _plain(path: Path) -> str:
    """For the warden, which stands in another folder."""
    return str(path.absolute())


def _tell(said: Mapping[str, Any]) -> None:
    """One line to the warden, which is started for the first; without one nothing is guarded."""
    global _broken
    if _broken:
        return
    try:
        writer = _writer if _writer is not None else _start()
        # At most a pipe's atomic length for any path that Linux has; lines of threads do not mix.
        os.write(writer, json.dumps(said).encode() + b"\n")
    except (OSError, ValueError):
        _broken = True


def _start() -> int:
    global _writer, _warden
    with lock:
        if _writer is not None:
            return _writer
        source = pkgutil.get_data("sephw.lifetime", "warden.py")  # also out of a zip
        if source is None:
            raise OSError("the warden's program is missing")
        reader, writer = os.pipe()
        try:
            _warden = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", source.decode()],
                cwd="/",
                stdin=reader,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except BaseException:
            os.close(writer)
            raise
        finally:
            os.close(reader)
        _writer = writer
        return writer


def _forget() -> None:
    """In a forked child: the pipe is the parent's affair."""
    global _writer, _warden, lock
    writer, _writer, _warden, lock = _writer, None, None, threading.RLock()
    if writer is not None:
        os.close(writer)


ending.tidy = _tidy
os.register_at_fork(after_in_child=_forget)
