"""What it takes to add an operator, in a copy of the package: three files and a row of the list."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE_UP = Path(__file__).parent / "made_up"
# (file of the worked example, its folder in the package)
FILES = (("invert.py", "ops"), ("sephw_invert.sv", "rtl"), ("sephw_invert.h", "hls"))


def copy(folder: Path) -> Path:
    """The package in ``folder``: operators and engines as files, all else as links."""
    package = folder / "sephw"
    package.mkdir()
    own = {name for _, name in FILES}
    for path in (ROOT / "sephw").iterdir():
        if path.name in own:
            shutil.copytree(path, package / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.name != "__pycache__":
            (package / path.name).symlink_to(path.resolve())
    return package


def test_an_operator_is_three_files_and_its_name_in_the_list(tmp_path: Path) -> None:
    """Kernel, engine with pauses and resets, cycle simulation, graph file and estimate take it."""
    package = copy(tmp_path)
    for name, where in FILES:
        assert not (package / where / name).exists()
        shutil.copy(MADE_UP / name, package / where / name)
    listing = package / "ops" / "__init__.py"
    text = listing.read_text()
    for before, after in (
        ("from sephw.ops.join import", "from sephw.ops.invert import Invert\n"),
        ("    Fork,\n    WidthConverter,\n", "    Invert,\n"),
    ):
        assert text.count(before) == 1
        text = text.replace(before, after + before)
    listing.write_text(text)
    work = tmp_path / "work"
    work.mkdir()
    paths = os.pathsep.join((str(tmp_path), str(ROOT / "tests" / "support")))
    done = subprocess.run(
        [sys.executable, MADE_UP / "use_invert.py", work, ROOT / "tests"],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "exact\n"), done.stderr
