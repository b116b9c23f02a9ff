"""A copy of the package in which a worked example adds what it adds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE_UP = Path(__file__).parent / "made_up"


def copy(folder: Path, *own: str) -> Path:
    """The package in ``folder``: the folders ``own`` as files, all else as links."""
    package = folder / "sephw"
    package.mkdir()
    for path in (ROOT / "sephw").iterdir():
        if path.name in own:
            shutil.copytree(path, package / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.name != "__pycache__":
            (package / path.name).symlink_to(path.resolve())
    return package


def insert(file: Path, before: str, line: str) -> None:
    """Put ``line`` before the one place where ``before`` stands."""
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, line + before))


def run(script: str, folder: Path) -> str:
    """What a script of made_up/ prints with the package in ``folder``; it works in ``work``."""
    work = folder / "work"
    work.mkdir()
    paths = os.pathsep.join((str(folder), str(ROOT / "tests" / "support")))
    done = subprocess.run(
        [sys.executable, MADE_UP / script, work, ROOT / "tests"],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
