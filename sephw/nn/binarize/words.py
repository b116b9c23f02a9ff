"""What calls in a traced torch network mean: the many spellings of each operation."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as functional
from torch import fx, nn

from sephw.nn.scales import CONCATENATIONS

MODULES: Mapping[type[nn.Module], str] = {
    nn.Conv2d: "conv",
    nn.Linear: "linear",
    nn.BatchNorm2d: "norm",
    nn.ReLU: "relu",
    nn.MaxPool2d: "max_pool",
    nn.AvgPool2d: "average_pool",
    nn.AdaptiveAvgPool2d: "global_pool",
    nn.Flatten: "flatten",
    nn.Identity: "pass",
    nn.Dropout: "pass",
    nn.Dropout2d: "pass",
}
FUNCTIONS: Mapping[Any, str] = {
    functional.relu: "relu",
    functional.relu_: "relu",
    torch.relu: "relu",
    torch.relu_: "relu",
    functional.max_pool2d: "max_pool",
    torch.max_pool2d: "max_pool",
    functional.avg_pool2d: "average_pool",
    functional.adaptive_avg_pool2d: "global_pool",
    torch.mean: "mean",
    torch.flatten: "flatten",
    torch.reshape: "flatten",
    torch.squeeze: "flatten",
    functional.dropout: "pass",
    functional.dropout2d: "pass",
    operator.add: "add",
    operator.iadd: "add",
    torch.add: "add",
    getattr: "shape",
    operator.getitem: "shape",
    **dict.fromkeys(CONCATENATIONS, "concat"),
}
METHODS: Mapping[str, str] = {
    "relu": "relu",
    "relu_": "relu",
    "add": "add",
    "add_": "add",
    "mean": "mean",
    "flatten": "flatten",
    "view": "flatten",
    "reshape": "flatten",
    "squeeze": "flatten",
    "contiguous": "pass",
    "size": "shape",
}


def meaning(node: fx.Node, modules: Mapping[str, nn.Module]) -> str:
    """One word for what a node does; "" where it is nothing that can be taken."""
    if node.op == "call_module":
        # Exactly these classes: a subclass may compute something else.
        return MODULES.get(type(modules[str(node.target)]), "")
    if node.op == "call_function":
        return FUNCTIONS.get(node.target, "")
    if node.op == "call_method":
        return METHODS.get(str(node.target), "")
    return node.op


def is_addition(node: fx.Node) -> bool:
    """A `+` in any spelling."""
    return meaning(node, {}) == "add" if node.op != "call_module" else False


def is_passing(node: fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    """Hands its input on in evaluation mode."""
    return meaning(node, modules) == "pass"


def argument(node: fx.Node, position: int, name: str, default: Any) -> Any:
    """A call's argument, given by position or by name."""
    if len(node.args) > position:
        return node.args[position]
    return node.kwargs.get(name, default)


def pair(value: Any) -> tuple[int, int]:
    """(vertical, horizontal) of torch's `int | (int, int)`."""
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))
