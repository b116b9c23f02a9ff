"""The marker `tools`: tests that start a compiler, a simulator, synthesis or place-and-route.

A test has it where its module, a module of the tests that this one imports, or one of its fixtures
names a function of sephw that starts such a program; others say it by ``pytestmark``. Where
``-m "not tools"`` is asked for, a test that starts one in another way is skipped when it does.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
MARKER = "tools"
STARTERS = frozenset(
    {
        "compile_board",
        "compile_for_icarus",
        "compile_library",
        "compile_netlist",
        "compile_project",
        "elaborate",
        "place_and_route",
        "run_flow",
        "run_nextpnr",
        "run_yosys",
        "synthesize",
        "synthesize_many",
    }
)
# Modules of which every function starts one.
_STARTING_MODULES = frozenset(
    f"sephw.tools.{name}"
    for name in ("cxx", "nextpnr", "packers", "precompiled", "process", "verilator", "yosys")
)
_WORDS = re.compile(rf"\b({'|'.join(sorted(STARTERS))})\b")


@cache
def starts_a_tool(module: Path) -> bool:
    """Whether a module of the tests, or one that it imports, names a function that starts one."""
    tree = ast.parse(module.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            if (node.attr if isinstance(node, ast.Attribute) else node.id) in STARTERS:
                return True
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            names = {f"{source}.{alias.name}" for alias in node.names} | {source}
            if names & _STARTING_MODULES:
                return True
    return any(starts_a_tool(path) for path in _own_imports(tree, module))


def _own_imports(tree: ast.AST, module: Path) -> Iterator[Path]:
    """The modules of the tests that ``tree`` imports, itself left out."""
    for node in ast.walk(tree):
        found = []
        if isinstance(node, ast.ImportFrom):
            found = [node.module or ""]
        elif isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        for name in found:
            parts = name.removeprefix("tests.").split(".")
            for folder in (TESTS, TESTS / "support", module.parent):
                path = folder.joinpath(*parts).with_suffix(".py")
                if path.is_file() and path != module:
                    yield path


def mark(items: list[pytest.Item]) -> None:
    """Give the marker to all that start a tool."""
    for item in items:
        if starts_a_tool(item.path) or any(map(_names_a_starter, _fixtures(item))):
            item.add_marker(MARKER)


def _fixtures(item: pytest.Item) -> Iterator[Any]:
    known = getattr(item, "_fixtureinfo", None)
    for definitions in getattr(known, "name2fixturedefs", {}).values():
        yield from (definition.func for definition in definitions)


@cache
def _names_a_starter(function: Any) -> bool:
    try:
        return _WORDS.search(inspect.getsource(function)) is not None
    except (OSError, TypeError):
        return False


def skip_instead(words: list[str], **_: Any) -> AbstractContextManager[Any]:
    """Stands for `sephw.tools.process.started`."""
    pytest.skip(f"starts {Path(words[0]).name}, and -m 'not {MARKER}' is asked for")
