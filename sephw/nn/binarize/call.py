"""One call of a traced torch network, read by the names of its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import fx, nn

from sephw.errors import SephwError
from sephw.nn.binarize.refuse import refusal
from sephw.nn.binarize.words import arguments, operation_of

Modules = Mapping[str, nn.Module]


class TorchCall:
    """A call of a traced network, its module if it has one, and its arguments, all to be read.

    ``operation`` as in `words`; ``where`` names the call in messages; ``name`` is the path of the
    layer that replaces it. Raises SephwError where the call or one of its arguments is not
    supported.
    """

    def __init__(self, node: fx.Node, modules: Modules) -> None:
        self.node, self.where, self.name = node, describe(node, modules), path_of(node)
        self.module: Any = modules[str(node.target)] if node.op == "call_module" else None
        self.operation = operation_of(node, modules)
        if not self.operation:
            raise SephwError(refusal(node, self.where, self.module))
        self._arguments: dict[str, Any] = {}
        if node.op not in ("placeholder", "output"):
            try:
                self._arguments = arguments(node, modules)
            except TypeError as error:
                raise SephwError(
                    f"{self.where}: its arguments cannot be read ({error}); write them as torch "
                    "documents them"
                ) from error

    def take(self, name: str, default: Any = None) -> Any:
        """Read the argument ``name``; ``default`` where it is not given."""
        return self._arguments.pop(name, default)

    @property
    def input(self) -> Any:
        """The argument called input."""
        return self.take("input")

    def finish(self) -> None:
        """Raise SephwError for an argument that was not read: it would be ignored."""
        for name, value in self._arguments.items():
            raise SephwError(f"{self.where}: {name}={value} is not supported; leave it away")


def describe(node: fx.Node, modules: Modules) -> str:
    """The call's name in messages: class and path of a module, operation and place of a
    function.
    """
    if node.op == "call_module":
        return f"{type(modules[str(node.target)]).__name__} '{node.target}'"
    operation = operation_of(node, modules) or getattr(node.target, "__name__", node.target)
    return f"{operation} '{path_of(node)}'"


def path_of(node: fx.Node) -> str:
    """The path of the layer that replaces a call: its module's, or its scope and the traced
    name.
    """
    if node.op == "call_module":
        return str(node.target)
    stack: Any = node.meta.get("nn_module_stack") or {}
    scope = str(next(reversed(stack.values()), ("",))[0]) if stack else ""
    return f"{scope}.{node.name.strip('_')}" if scope else node.name.strip("_")
