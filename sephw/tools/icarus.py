"""Icarus Verilog, an event-driven simulator of four values: found on the PATH, and its compiler."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from sephw.errors import SephwError
from sephw.tools.cxx import first_error
from sephw.tools.process import run

_ERROR = re.compile(r"^.*?:\d+: .*$", re.MULTILINE)


def icarus_is_installed() -> bool:
    """Whether both of its programs are on the PATH."""
    return shutil.which("iverilog") is not None and shutil.which("vvp") is not None


def compile_with_icarus(
    files: Sequence[str], top: str, directory: Path, program: Path, *, purpose: str
) -> list[str]:
    """Compile ``files`` (relative to ``directory``) to ``program``; returns the command that runs
    it.

    Raises SephwError that starts with ``purpose`` where Icarus is missing, and with its first error
    line.
    """
    iverilog, vvp = shutil.which("iverilog"), shutil.which("vvp")
    if iverilog is None or vvp is None:
        raise SephwError(
            f"{purpose}: Icarus Verilog is not on the PATH; install it with "
            "'apt-get install iverilog'"
        )
    done = run([iverilog, "-g2012", "-s", top, "-o", program, *files], directory=directory)
    if done.returncode != 0:
        match = _ERROR.search(done.stderr)
        message = match.group(0) if match is not None else first_error(done.stderr)
        raise SephwError(f"{purpose}: {message}")
    return [vvp, "-n", str(program)]
