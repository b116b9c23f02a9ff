"""Child processes: an argument list, no shell, output captured."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
