"""One name, one thing: a class name is defined once. Docstrings name their subject."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import sephw

_PACKAGE = Path(sephw.__file__).parent
# Pairs that carry one name on purpose, each with the reason.
_SHARED = {
    # The same interface to a board, over a serial line and over PYNQ.
    "Accelerator": {"host.accelerator", "backends.amd.driver"},
    # The same operation as a torch layer and as a hardware operator.
    "Concat": {"nn.layers", "ops.concat"},
}


def _definitions() -> dict[str, set[str]]:
    """The modules that define each class, nested ones included."""
    found: dict[str, set[str]] = defaultdict(set)
    for module, path in _sources():
        _note(module, path, found)
    return found


def _sources() -> Iterator[tuple[str, Path]]:
    """Every module of the package by its name within it."""
    for room in sorted(_PACKAGE.iterdir()):  # some are links, which rglob does not follow
        home = room.resolve()
        for path in [room] if room.suffix == ".py" else home.rglob("*.py"):
            inside = () if path == room else path.relative_to(home).with_suffix("").parts
            yield ".".join((room.stem, *inside)), path


def _note(module: str, path: Path, found: dict[str, set[str]]) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):
            assert module not in found[node.name], f"{module} defines {node.name} twice"
            found[node.name].add(module)


def test_class_names_are_unique() -> None:
    found = _definitions()
    assert {"Report", "CycleRun", "Graph", "PatternConv2d"} <= set(found), "rooms are missing"
    shared = {name: modules for name, modules in found.items() if len(modules) > 1}
    assert shared == _SHARED


# Openings of a sentence fragment whose subject the reader has to guess.
_FRAGMENTS = {"As", "How", "Of", "That", "Those", "What", "Which", "Why"}
_Documented = ast.Module | ast.ClassDef | ast.FunctionDef


def _documented(node: _Documented, name: str) -> Iterator[tuple[str, str]]:
    """(name, docstring) of a module and of its public classes and functions."""
    if text := ast.get_docstring(node):
        yield name, text
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef) and not child.name.startswith("_"):
            yield from _documented(child, f"{name}.{child.name}")


def test_public_docstrings_name_their_subject() -> None:
    found = [
        entry
        for module, path in _sources()
        for entry in _documented(ast.parse(path.read_text()), module)
    ]
    assert len(found) > 1000
    assert [name for name, text in found if text.split()[0] in _FRAGMENTS] == []
