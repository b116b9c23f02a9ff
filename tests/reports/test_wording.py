"""What pages, reports and messages say of figures: no more than was found, and with its basis."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import accuracy, foldings, networks, routed

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "reports" / "published"
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(PUBLISHED.glob("*.md")),
    *sorted((ROOT / "models").glob("*.md")),
]
# What would be untrue, and what is meant.
UNTRUE = {
    r"\bprov(?:es?|ing) (?:that )?(?:every|each|all)\b": "tests compare, on the images given",
    r"exact (?:optimum|folding search)": "the summary says whether an optimum was proved",
    r"freeze\(\w+\)\s+# exact": "deploy is exact, not equal to the network that was frozen",
    r"exact integer network": "it is the integer network; nothing else is equal to it",
    r"slightly lossy": "say it: JPEG, quality 75, 4:2:0 chroma",
    r"no open (?:tool|place)": "openXC7 is open; it is not on PyPI",
}
# A frame rate is of the chip or over a link; that of a C-simulation is of neither.
RATE = re.compile(r"frames/s|frames per second", re.IGNORECASE)
BASIS = re.compile(
    r"on[ _](?:the )?chip|over_link|over (?:this|the|its|a)[\w' ]*l(?:ink|ine)|C-simulation", re.I
)


@cache
def strings() -> tuple[tuple[str, str], ...]:
    """(place, text) of every string in the program that is no documentation."""
    found = []
    for package in ("sephw", "reports", "sim", "benchmarks"):
        for path in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.Expr | ast.JoinedStr | ast.FormattedValue):
                    continue
                for child in ast.iter_child_nodes(node):
                    text = _text(child)
                    if text:
                        found.append((f"{path.relative_to(ROOT)}:{child.lineno}", text))
    return tuple(found)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        # With the names of what is filled in.
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else ast.unparse(part)
            for part in node.values
        )
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""


def lines() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
            yield f"{page.relative_to(ROOT)}:{number}", line
    for template in sorted((ROOT / "reports" / "templates").glob("*.j2")):
        for number, line in enumerate(template.read_text("utf-8").splitlines(), 1):
            yield f"{template.relative_to(ROOT)}:{number}", line


@pytest.mark.parametrize("pattern", UNTRUE)
def test_nothing_says_more_than_was_found(pattern):
    found = [place for place, text in (*lines(), *strings()) if re.search(pattern, text)]
    assert found == [], UNTRUE[pattern]


def test_every_frame_rate_says_what_it_is_of():
    found = [
        place
        for place, text in (*lines(), *strings())
        # The unit alone stands beside a label that says it.
        if RATE.search(text) and text != "frames/s" and not BASIS.search(text)
    ]
    assert found == []


def test_every_frame_rate_is_written_by_one_function():
    """`sephw.rates` decides the digits; a format of its own before the unit is a second rule."""
    own = re.compile(r"\{[^{}]*(?::[^{}]*[fg,]|\bnumber\([^{}]*\)|\bshort\([^{}]*\))\} frames/s")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for package in ("sephw", "reports", "sim")
        for path in sorted((ROOT / package).rglob("*.py"))
        for match in own.finditer(path.read_text("utf-8"))
    ]
    assert found == []


def test_every_table_of_frame_rates_has_both():
    for page in PAGES:
        text = page.read_text("utf-8").splitlines()
        for head, rule in pairwise(text):
            if rule.startswith("|-") and RATE.search(head) and "on chip" in head:
                assert re.search(r"over (?:the|its|the board's) link", head), page.name


@pytest.mark.parametrize("name", ["routed", "foldings", "networks", "accuracy"])
def test_published_pages_are_those_of_their_records(name):
    """A page is what its generator makes of the record beside it."""
    record = json.loads((PUBLISHED / f"{name}.json").read_text("utf-8"))
    made = {
        "routed": lambda: routed.page(record),
        "foldings": lambda: foldings.render([foldings.Run(**run) for run in record["runs"]]),
        "networks": lambda: networks.page(record),
        "accuracy": lambda: accuracy.page(record),
    }[name]()
    assert (PUBLISHED / f"{name}.md").read_text("utf-8") == made


def test_every_column_of_latencies_says_which():
    for place, line in lines():
        if line.startswith("|") and "latency, cycles" in line:
            assert "alone" in line and "paced" in line, place


def test_peers_rows_say_what_is_peculiar():
    page = (PUBLISHED / "peers.md").read_text("utf-8")
    for line in (*page.splitlines(), *(ROOT / "README.md").read_text("utf-8").splitlines()):
        if "FINN+'s RTL" in line or line.startswith(("| FINN+ RTL", "  - FINN+ RTL")):
            assert "2-bit weights" in line and "DSP-oriented unit" in line


def test_pages_with_accuracies_on_jpegs_say_of_which():
    for page in PAGES:
        text = page.read_text("utf-8")
        if "CIFAR-10 (JPEG)" in text and page.name != "CHANGELOG.md":
            assert re.search(r"quality 75", text) and "4:2:0 chroma" in text, page.name
