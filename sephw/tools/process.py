"""Child processes: an argument list, no shell, output captured."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sephw.errors import SephwError


@dataclass(frozen=True)
class Completed:
    """How a child process ended."""

    returncode: int
    stdout: str
    stderr: str


def run(
    arguments: Sequence[str | Path],
    *,
    directory: Path | None = None,
    timeout_seconds: float = 900.0,
    environment: Mapping[str, str] | None = None,
) -> Completed:
    """Run a program to its end; a non-zero exit status is the caller's to judge.

    Raises SephwError if the program cannot be started or takes longer than ``timeout_seconds``.
    """
    words = [str(argument) for argument in arguments]
    try:
        done = subprocess.run(
            words,
            cwd=directory,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SephwError(
            f"'{words[0]}' did not finish within {timeout_seconds:g} s; it was stopped"
        ) from None
    except OSError as error:
        raise SephwError(f"'{words[0]}' cannot be started: {error.strerror}") from None
    return Completed(done.returncode, done.stdout, done.stderr)


_POLL_SECONDS = 0.2


def run_logged(
    arguments: Sequence[str | Path],
    *,
    log: Path,
    on_line: Callable[[str], None],
    timeout_seconds: float,
    directory: Path | None = None,
    cancelled: threading.Event | None = None,
) -> int:
    """Run a program to its end; its exit status. What it prints goes to ``log`` as it comes.

    ``on_line`` gets every line of stdout and stderr. The program and what it started are killed
    after ``timeout_seconds``, when ``cancelled`` is set (by another thread), and when this call
    is left by an exception, an interrupt included. Raises SephwError, naming the log, if the
    program cannot be started, was killed for its time, or was cancelled.
    """
    words = [str(argument) for argument in arguments]
    log.parent.mkdir(parents=True, exist_ok=True)
    stop = cancelled if cancelled is not None else threading.Event()
    deadline = time.monotonic() + timeout_seconds
    with log.open("wb", buffering=0) as kept:
        try:
            process = subprocess.Popen(
                words,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise SephwError(f"'{words[0]}' cannot be started: {error.strerror}") from None
        assert process.stdout is not None

        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(_POLL_SECONDS):
                if stop.is_set() or time.monotonic() > deadline:
                    _kill_group(process)
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            for line in process.stdout:
                kept.write(line)
                on_line(line.decode("utf-8", "replace").rstrip())
            status = process.wait()
        finally:
            ended.set()
            _kill_group(process)
            process.wait()
            process.stdout.close()
            watcher.join()
    if status < 0 and stop.is_set():
        raise SephwError(f"stopped before its end; log: {log}")
    if status < 0 and time.monotonic() > deadline:
        raise SephwError(
            f"not finished within {timeout_seconds:g} s, stopped; allow more time or make the "
            f"design smaller; log: {log}"
        )
    return status


def killed_by(status: int, last_line: str) -> str | None:
    """What to say of a program that a signal ended, its exit status as `run_logged` gives it.

    None where it ended by itself.
    """
    if status >= 0:
        return None
    name = signal.Signals(-status).name if -status in set(signal.Signals) else "unknown"
    after = f" after '{last_line.strip()}'" if last_line.strip() else ""
    memory = "; out of memory?" if -status == signal.SIGKILL else ""
    return f"killed by signal {-status} ({name}){after}{memory}"


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and its children; it leads a group of its own."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def end_on_sigterm() -> None:
    """From now on SIGTERM ends this process as an exit does, so that it cleans up behind itself."""

    def leave(*_: object) -> NoReturn:
        raise SystemExit(128 + signal.SIGTERM)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, leave)
