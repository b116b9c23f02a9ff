"""One name, one thing: a class name is defined once in the package."""

import ast
from collections import defaultdict
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
    for room in sorted(_PACKAGE.iterdir()):  # some are links, which rglob does not follow
        home = room.resolve()
        for path in [room] if room.suffix == ".py" else home.rglob("*.py"):
            inside = () if path == room else path.relative_to(home).with_suffix("").parts
            _note(".".join((room.stem, *inside)), path, found)
    return found


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
