"""Groups of quantizers with one common scale: those whose outputs meet in a concatenation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as functional
from torch import fx, nn

from sephw.errors import SephwError
from sephw.nn.layers import Concat, QuantReLU

CONCATENATIONS = (torch.cat, torch.concat, torch.concatenate)
# What hands a quantized tensor on without changing its grid.
_PASSING = (nn.Identity, nn.Dropout, nn.Dropout2d, nn.Flatten, nn.MaxPool2d)
_PASSING_FUNCTIONS = (torch.flatten, functional.max_pool2d)


def concat_inputs(node: fx.Node, where: str) -> tuple[fx.Node, ...]:
    """The tensors that a concatenation joins; SephwError unless it joins channels (axis 1)."""
    if node.op == "call_module":
        return tuple(arg for arg in node.args if isinstance(arg, fx.Node))
    arguments = list(node.args)
    given: Any = arguments[0] if arguments else node.kwargs.get("tensors", ())
    axis = arguments[1] if len(arguments) > 1 else node.kwargs.get("dim", 0)
    if axis not in (1, -3):
        raise SephwError(f"{where}: joins along axis {axis}; only channels (axis 1) can be joined")
    return tuple(given)


def shared_scales(graph: fx.Graph, modules: Mapping[str, nn.Module]) -> list[list[QuantReLU]]:
    """Every QuantReLU of ``graph``, grouped: members of one group share one scale.

    Order: as first called. SephwError where members of a group differ in bits.
    """
    leader: dict[str, str] = {}
    behind: dict[fx.Node, list[str]] = {}

    def find(target: str) -> str:
        while leader[target] != target:
            target = leader[target]
        return target

    for node in graph.nodes:
        module = modules.get(str(node.target)) if node.op == "call_module" else None
        if isinstance(module, QuantReLU):
            leader.setdefault(str(node.target), str(node.target))
            behind[node] = [str(node.target)]
        elif isinstance(module, Concat) or node.target in CONCATENATIONS:
            where = f"'{node.target if module is not None else node.name}'"
            members = [t for arg in concat_inputs(node, where) for t in behind.get(arg, [])]
            for target in members[1:]:
                _same_bits(where, modules, members[0], target)
                leader[find(target)] = find(members[0])
            behind[node] = members
        elif isinstance(module, _PASSING) or node.target in _PASSING_FUNCTIONS:
            (source,) = [arg for arg in node.args[:1] if isinstance(arg, fx.Node)]
            behind[node] = behind.get(source, [])
    groups: dict[str, list[QuantReLU]] = {}
    for target in leader:
        module = modules[target]
        assert isinstance(module, QuantReLU)
        groups.setdefault(find(target), []).append(module)
    return list(groups.values())


def _same_bits(where: str, modules: Mapping[str, nn.Module], first: str, other: str) -> None:
    a, b = modules[first], modules[other]
    assert isinstance(a, QuantReLU) and isinstance(b, QuantReLU)
    if a.bits != b.bits:
        raise SephwError(
            f"concatenation {where}: QuantReLU '{first}' has {a.bits} bits, '{other}' {b.bits}; "
            "give both the same"
        )
