"""Only sephw/technologies names families of devices, and cells of theirs."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sephw.technologies import FAMILIES

ROOT = Path(__file__).resolve().parents[2]
TOPS = ("sephw", "reports", "sim", "benchmarks")
# Sizes are called "ecp5-25f" or "xc7z020", macros of the RTL "SEPHW_ECP5": those are other names.
NAMES = "|".join(technology.name for technology in FAMILIES)
IN_TEXT = re.compile(rf"(?<![\w-])({NAMES})(?![\w-])", re.IGNORECASE)
IN_NAMES = re.compile(rf"(?:^|_)({NAMES})(?:_|$)", re.IGNORECASE)
# Cells whose names say nothing to a person, so that no other string is called like them.
CELLS = {
    name
    for technology in FAMILIES
    if technology.cells is not None
    for kinds in (technology.cells.lut, technology.cells.bram, technology.cells.dsp)
    for name in kinds
    if re.search(r"\d", name) and len(name) > 4
}
ALLOWED = {
    # What the makers of boards call them.
    "sephw/targets/boards.py",
    # Comparisons with other projects, and counts that were published, are of chosen families.
    "benchmarks/adder_counts.py",
    "benchmarks/peers/measure.py",
    "benchmarks/peers/page.py",
    # Which family a drawn network is measured on is part of the draw.
    "benchmarks/random_networks/held_out.py",
    # Words of a published page on figures of these families.
    "benchmarks/characterize_report.py",
}


def sources() -> Iterator[Path]:
    """Python files outside of the room; folders that are links once only."""
    for top in TOPS:
        for path in sorted((ROOT / top).rglob("*.py")):
            inner = path.relative_to(ROOT)
            links = top == "sephw" and (ROOT / top / inner.parts[1]).is_symlink()
            if not links and inner.parts[:2] != ("sephw", "technologies"):
                yield path


def named(text: str) -> list[str]:
    """What a source names of families: "line: words"."""
    tree = ast.parse(text)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            if IN_TEXT.search(node.value) or node.value in CELLS:
                found.append(f"{node.lineno}: {node.value}")
        elif isinstance(node, ast.Name):
            names = [node.id]
        elif isinstance(node, ast.Attribute):
            names = [node.attr]
        elif isinstance(node, documented[1:]):
            names = [node.name]
        elif isinstance(node, ast.arg):
            names = [node.arg]
        elif isinstance(node, ast.alias):
            names = [*node.name.split("."), node.asname or ""]
        found += [f"{node.lineno}: {name}" for name in names if IN_NAMES.search(name)]
    return found


def test_nothing_outside_names_a_family():
    found = {}
    for path in sources():
        names = named(path.read_text(encoding="utf-8"))
        inner = path.relative_to(ROOT).as_posix()
        if names and inner not in ALLOWED:
            found[inner] = names
    assert not found, "ask the technology's profile, in sephw/technologies, instead"


def test_the_exceptions_are_needed():
    assert [name for name in sorted(ALLOWED) if not named((ROOT / name).read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "text",
    [
        "from sephw.technologies import ECP5",
        "from sephw.technologies.gowin import GOWIN",
        "if technology.name == 'ice40': pass",
        "def held_xc7(): pass",
        "fast = Technology.XC7",
        "kinds = {'MULT18X18D': 1}",
        "fix = 'choose an ECP5'",
    ],
)
def test_a_name_is_found(text):
    assert named(text)


@pytest.mark.parametrize("text", ['"""For ECP5."""', "find_device('ecp5-25f')", "x = 'xc7z020'"])
def test_other_names_are_not(text):
    assert not named(text)
