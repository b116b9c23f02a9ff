"""The driver beside a bitstream: one file for a host without this package."""

from __future__ import annotations

import zipfile
from pathlib import Path

import sephw

DRIVER = "driver.pyz"
_PACKAGE = Path(sephw.__file__).parent
_FILES = (
    "__init__.py",
    "command_line.py",
    "errors.py",
    "export_names.py",
    "cli.py",
    "commands/__init__.py",
    "commands/completion.py",
    "commands/context.py",
    "commands/options.py",
    "commands/program.py",
    "commands/run.py",
    "files/*.py",
    "lifetime/*.py",
    "host/*.py",
    "progress.py",
    "rates.py",
    "run/__init__.py",
    "run/design.py",
    "run/images.py",
    "run/measure.py",
    "suggest.py",
    "tools/__init__.py",
    "tools/process.py",
    "tools/programmer.py",
)
_MAIN = """\
from sephw import cli

cli.COMMANDS = {name: cli.COMMANDS[name] for name in ("run", "program")}
cli.main()
"""
# Zip's earliest date: the same bytes every time.
_DATE = (1980, 1, 1, 0, 0, 0)


def write_driver(directory: Path) -> None:
    """Write `driver.pyz`: ``python driver.pyz run . --port PORT``; also an import path.

    It needs Python, numpy, pyserial and click, and openFPGALoader for ``program``.
    """
    names = [path for pattern in _FILES for path in sorted(_PACKAGE.glob(pattern))]
    with zipfile.ZipFile(directory / DRIVER, "w") as archive:
        for path in names:
            text = path.read_bytes()
            archive.writestr(_entry(path.relative_to(_PACKAGE.parent).as_posix()), text)
        archive.writestr(_entry("__main__.py"), _MAIN)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.create_system = 3  # Unix, wherever this runs; packed it would depend on the zlib
    entry.external_attr = 0o644 << 16
    return entry
