"""Child processes: an argument list, no shell, output captured; they end with this process."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sephw.errors import SephwError
from sephw.lifetime.guard import end, started

_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Completed:
    """The exit status and the output of a child process."""

    returncode: int
    stdout: str
    stderr: str


def run(
    arguments: Sequence[str | Path],
    *,
    directory: Path | None = None,
    timeout_seconds: float = 900.0,
    environment: Mapping[str, str] | None = None,
    cancelled: threading.Event | None = None,
) -> Completed:
    """Run a program to its end; a non-zero exit status is the caller's to judge.

    The program and what it started are killed after ``timeout_seconds``, when ``cancelled`` is set
    (by another thread), and when this call is left by an exception. Raises SephwError if the
    program cannot be started, was killed for its time, or was cancelled.
    """
    words = [str(argument) for argument in arguments]
    stop = cancelled if cancelled is not None else threading.Event()
    with (
        started(
            words, directory=directory, environment=environment, stderr=subprocess.PIPE
        ) as process,
        _Watcher(process, stop, timeout_seconds) as watcher,
    ):
        out, err = process.communicate()
    if watcher.killed and stop.is_set():
        raise SephwError(f"'{words[0]}' was stopped before its end")
    if watcher.killed:
        raise SephwError(
            f"'{words[0]}' did not finish within {timeout_seconds:g} s; it was stopped"
        )
    return Completed(
        process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
    )


def run_logged(
    arguments: Sequence[str | Path],
    *,
    log: Path,
    on_line: Callable[[str], None],
    timeout_seconds: float,
    directory: Path | None = None,
    cancelled: threading.Event | None = None,
) -> int:
    """Run a program to its end; returns its exit status. Its output goes to ``log`` as it comes.

    ``on_line`` gets every line of stdout and stderr. The program and its children are killed after
    ``timeout_seconds``, when ``cancelled`` is set (by another thread), and when this call is left
    by an exception, an interrupt included. Raises SephwError, naming the log, if the program cannot
    be started, was killed for its time, or was cancelled.
    """
    words = [str(argument) for argument in arguments]
    log.parent.mkdir(parents=True, exist_ok=True)
    stop = cancelled if cancelled is not None else threading.Event()
    with (
        log.open("wb", buffering=0) as kept,
        started(words, directory=directory) as process,
        _Watcher(process, stop, timeout_seconds) as watcher,
    ):
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                kept.write(line)
                on_line(line.decode("utf-8", "replace").rstrip())
        status = process.wait()
    if watcher.killed and stop.is_set():
        raise SephwError(f"stopped before its end; log: {log}")
    if watcher.killed:
        raise SephwError(
            f"not finished within {timeout_seconds:g} s, stopped; allow more time or make the "
            f"design smaller; log: {log}"
        )
    return status


class _Watcher:
    """A thread that kills a process when its time is over or ``stop`` is set."""

    def __init__(
        self, process: subprocess.Popen[bytes], stop: threading.Event, timeout_seconds: float
    ) -> None:
        self.killed = False
        self._process, self._stop = process, stop
        self._deadline = time.monotonic() + timeout_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_POLL_SECONDS):
            if self._stop.is_set() or time.monotonic() > self._deadline:
                self.killed = self._process.poll() is None
                end(self._process)
                return


def killed_by(status: int, last_line: str) -> str | None:
    """The message for a program that a signal ended, from the exit status of `run_logged`.

    None where it exited by itself.
    """
    if status >= 0:
        return None
    name = signal.Signals(-status).name if -status in set(signal.Signals) else "unknown"
    after = f" after '{last_line.strip()}'" if last_line.strip() else ""
    memory = "; out of memory?" if -status == signal.SIGKILL else ""
    return f"killed by signal {-status} ({name}){after}{memory}"
