"""Runs the program that makes a bitstream of a routed design."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sephw.errors import SephwError
from sephw.tools.process import run

_TIMEOUT_SECONDS = 600.0


def run_packer(command: Sequence[str], program: str, bitstream: Path, *, purpose: str) -> None:
    """Run ``command``, which must create ``bitstream``, in that file's folder.

    Raises SephwError that starts with ``purpose`` and names ``program`` where it does not.
    """
    done = run(command, directory=bitstream.parent, timeout_seconds=_TIMEOUT_SECONDS)
    if done.returncode != 0 or not bitstream.is_file():
        lines = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
        raise SephwError(f"{purpose}: {program} failed: {lines[-1]}")
