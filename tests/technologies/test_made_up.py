"""What it takes to add a size or a family, in a copy of the package: the files that change."""

import filecmp
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE_UP = Path(__file__).parent / "made_up"
SIZES = {
    "ecp5.py": 'Size("ecp5-1f", "LFE5U-1F", Resources(9000, 9000, 20, 10), '
    'RoutedSize(33.0, "CABGA381", "6"), _PLL_LIMITS),',
    "gowin.py": 'Size("gw0-3", "GW1N-3C", Resources(8000, 6000, 20, 20), '
    'RoutedSize(33.0, "GW1N-LV3QN88C6/I5", "", ("1", "2", "3", "4")), _SMALL_PLL, "GW1N-3C"),',
}


def copy(folder: Path) -> Path:
    """The package in ``folder``: technologies as files, all else as links; its technologies."""
    package = folder / "sephw"
    package.mkdir()
    for path in (ROOT / "sephw").iterdir():
        if path.name not in ("technologies", "__pycache__"):
            (package / path.name).symlink_to(path.resolve())
    own = package / "technologies"
    shutil.copytree(
        ROOT / "sephw" / "technologies", own, ignore=shutil.ignore_patterns("__pycache__")
    )
    return own


def changed(own: Path) -> dict[str, int]:
    """Lines added by file of the technologies that differ from the repository's; none goes."""
    found = {}
    for path in sorted(own.rglob("*")):
        before = ROOT / "sephw" / "technologies" / path.relative_to(own)
        if path.is_file() and "__pycache__" not in path.parts:
            if before.is_file() and filecmp.cmp(path, before, shallow=False):
                continue
            old = before.read_text().splitlines() if before.is_file() else []
            found[str(path.relative_to(own))] = len(path.read_text().splitlines()) - len(old)
    return found


def run(script: str, folder: Path) -> str:
    paths = os.pathsep.join((str(folder), str(ROOT / "tests" / "support")))
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, str(MADE_UP / script)],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_size_is_one_row(tmp_path: Path) -> None:
    """Search, counts, PLL, board project, options of place-and-route and report take it."""
    own = copy(tmp_path)
    for name, row in SIZES.items():
        text = (own / name).read_text()
        assert text.count("    sizes=(\n") == 1
        (own / name).write_text(text.replace("    sizes=(\n", f"    sizes=(\n        {row}\n"))
    assert changed(own) == {"ecp5.py": 1, "gowin.py": 1}
    run("size.py", tmp_path)


def test_a_family_is_one_file_and_its_data(tmp_path: Path) -> None:
    """Search, synthesis and its counts, report and refusals take it; the list names it."""
    own = copy(tmp_path)
    shutil.copy(MADE_UP / "acme.py", own / "acme.py")
    model = json.loads((own / "data" / "xc7_model.json").read_text())
    (own / "data" / "acme_model.json").write_text(json.dumps(model))
    listing = (own / "__init__.py").read_text()
    listing = listing.replace("] = (ECP5,", "] = (ECP5, ACME,")
    first = "from sephw.technologies.ecp5"
    listing = listing.replace(first, f"from sephw.technologies.acme import ACME\n{first}")
    (own / "__init__.py").write_text(listing)
    assert changed(own) == {
        "__init__.py": 1,
        "acme.py": len((MADE_UP / "acme.py").read_text().splitlines()),
        "data/acme_model.json": 1,
    }
    run("family.py", tmp_path)
