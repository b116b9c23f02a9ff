"""nextpnr: the YoWASP wheels or the programs on the PATH; runs it and reads what it writes."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from sephw.errors import SephwError
from sephw.tools.process import killed_by, run, run_logged
from sephw.tools.yowasp import yowasp_command

_ERROR = re.compile(r"^ERROR: (.*)$")


class NextpnrError(Exception):
    """nextpnr's error exit, with its error messages, each one line."""

    def __init__(self, errors: tuple[str, ...], log: Path) -> None:
        super().__init__(*errors)
        self.errors = errors
        self.log = log


def find_tool(
    program: str, module: str, function: str, wheel: str, purpose: str, *, plain: bool = False
) -> list[str]:
    """The command prefix of a YoWASP tool, else of ``program`` on the PATH.

    ``plain``: the function belongs to a plain Python package that reads the command line itself.
    Raises SephwError that starts with ``purpose`` where there is neither.
    """
    if importlib.util.find_spec(module.partition(".")[0]) is not None:
        if plain:
            return [sys.executable, "-c", f"from {module} import {function}; {function}()"]
        return [*yowasp_command(module, function)]
    found = shutil.which(program)
    if found is None:
        raise SephwError(
            f"{purpose}: {program} is not installed; install it with 'pip install {wheel}'"
        )
    return [found]


def find_nextpnr(program: str, purpose: str) -> list[str]:
    """The command prefix of nextpnr. Raises SephwError where it is not installed."""
    wheel, function = f"yowasp-{program}", f"run_{program}".replace("-", "_")
    return find_tool(program, wheel.replace("-", "_"), function, wheel, purpose)


@cache
def nextpnr_version(program: str, purpose: str) -> str:
    """nextpnr's version, as "0.11.1", cached per process."""
    done = run([*find_nextpnr(program, purpose), "--version"], timeout_seconds=600)
    match = re.search(r"Version (?:nextpnr-)?([^)\s]+)", done.stdout + done.stderr)
    if match is None:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise SephwError(f"{purpose}: {program} does not run: {lines[-1]}; install it again")
    return match[1]


def run_nextpnr(
    program: str,
    arguments: Sequence[str],
    directory: Path,
    *,
    log: Path,
    purpose: str,
    on_line: Callable[[str], None],
    timeout_seconds: float,
    cancelled: threading.Event | None = None,
) -> None:
    """Run nextpnr in ``directory`` (file names relative to it).

    Raises NextpnrError for its error exit, SephwError where it is missing or takes too long.
    """
    errors: list[str] = []
    last = ""

    def read(line: str) -> None:
        nonlocal last
        match = _ERROR.match(line)
        if match is not None:
            errors.append(match[1])
        last = line or last
        on_line(line)

    command = find_nextpnr(program, purpose)
    try:
        status = run_logged(
            [*command, *arguments],
            log=log,
            on_line=read,
            timeout_seconds=timeout_seconds,
            directory=directory,
            cancelled=cancelled,
        )
    except SephwError as error:
        raise SephwError(f"{purpose}: {program}: {error}") from None
    if status != 0:
        killed = killed_by(status, last)
        found = (killed,) if killed is not None else tuple(errors) or (last or "no message",)
        raise NextpnrError(found, log)
