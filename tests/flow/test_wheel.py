"""The wheel holds one package, and works beside folders of the user with the names of its parts."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BROKEN = 'raise RuntimeError("a file of the user was imported")\n'


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; what it depends on comes from this environment."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / "lib" / version / "site-packages"
    # A path in a .pth file brings packages; editable installs that lie there stay out.
    (site / "needs.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install"]
    subprocess.run([*pip, "--quiet", "--no-deps", "--no-index", wheel], check=True)
    return folder / "bin"


def test_only_sephw_is_installed(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names} == {"sephw", "sephw-0.1.0.dist-info"}
    assert not [name for name in names if "published" in name]
    for folder, pattern in (
        ("hls", "*.h"),
        ("hls", "*.cpp"),
        ("rtl", "*.sv"),
        ("rtl", "cells/*.v"),
        ("reports", "templates/*"),
        ("sim", "*.py"),
    ):
        files = {f"sephw/{p.relative_to(ROOT)}" for p in (ROOT / folder).glob(pattern)}
        assert files
        assert files <= names


def test_the_folders_lead_to_the_packages() -> None:
    for name in ("hls", "rtl", "sim", "reports"):
        assert (ROOT / "sephw" / name).is_symlink()
        assert (ROOT / "sephw" / name).readlink() == Path("..", name)


def test_an_export_beside_folders_of_the_same_names(installed: Path, tmp_path: Path) -> None:
    """A hardware project has sim.py, reports/, rtl/ and hls/ of its own."""
    (tmp_path / "sim.py").write_text(BROKEN)
    for name in ("reports", "rtl", "hls"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(BROKEN)
    model = ROOT / "models" / "mnist5k-tiny.pth"
    command = ["export", model, "--data", "random", "--samples", "2", "--fold", "fast"]
    command += ["--target", "pynq-z2", "--out", "out", "--quiet"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    for program in ([installed / "sephw"], [installed / "python", "-m", "sephw"]):
        done = subprocess.run(
            [*program, *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env=environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert (tmp_path / "out" / "report.html").is_file()
    where = "import sephw.sim as s; print(s.__file__)"
    found = subprocess.run(
        [installed / "python", "-c", where],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert Path(found.stdout.strip()).is_relative_to(installed.parent)
