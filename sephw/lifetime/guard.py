"""Registers children and unfinished files with a warden that acts when this process is gone.

The warden (`sephw.lifetime.warden`) is a process in a session of its own. It reads its orders from
a pipe; the kernel closes the pipe at the death of this process, also by SIGKILL. Unlike the
parent-death signal of Linux this does not depend on the thread that started a child.
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
"""Held while a child is started and noted. `_run_warden` takes it for good: nothing starts then."""
_writer: int | None = None
_warden: subprocess.Popen[bytes] | None = None
_broken = False


def process_began(process: int) -> int | None:
    """The start time of a process in clock ticks since boot; None where there is no such
    process.
    """
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
    """Start a child process that leads a process group; `end` kills the group.

    The group is also killed when this process dies from any cause. Raises SephwError if the program
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
            _send_to_warden({"group": process.pid, "began": process_began(process.pid)})
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
    """`start` with the output in a pipe; the group is killed when the context is left."""
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
    _send_to_warden({"ended": process.pid})


def remove_at_end(path: Path, *, if_empty: bool = False) -> None:
    """Remove a file or folder when this process ends, unless `release` cancels that."""
    _send_to_warden({"empty" if if_empty else "path": _absolute(path)})


def restore_at_end(moved: Path, place: Path) -> None:
    """Move ``moved`` back to ``place`` when this process ends and nothing is there."""
    _send_to_warden({"back": [_absolute(moved), _absolute(place)]})


def release(path: Path) -> None:
    """Cancel what `remove_at_end` or `restore_at_end` ordered for ``path``."""
    _send_to_warden({"kept": _absolute(path)})


def _run_warden() -> None:
    """Have the warden act now; returns when it has, or after a time limit."""
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
    """Make a worker process of multiprocessing end when its parent is gone.

    Its parent alone decides the effect of an interrupt from the terminal.
    """
    import multiprocessing

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _absolute(path: Path) -> str:
    """The absolute path, for the warden, whose working directory is another one."""
    return str(path.absolute())


def _send_to_warden(order: Mapping[str, Any]) -> None:
    """Send one order to the warden, which is started for the first; without one nothing is
    guarded.
    """
    global _broken
    if _broken:
        return
    try:
        writer = _writer if _writer is not None else _start()
        # At most a pipe's atomic length for any path that Linux has; lines of threads do not mix.
        os.write(writer, json.dumps(order).encode() + b"\n")
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


def _drop_pipe() -> None:
    """In a forked child: close the parent's pipe to the warden."""
    global _writer, _warden, lock
    writer, _writer, _warden, lock = _writer, None, None, threading.RLock()
    if writer is not None:
        os.close(writer)


ending.tidy = _run_warden
os.register_at_fork(after_in_child=_drop_pipe)
