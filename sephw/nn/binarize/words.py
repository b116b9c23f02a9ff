"""The operations of calls in a traced torch network: many spellings of each.

A spelling is an operation and the signature of the call, as torch documents it, so that every call
is read by the names of its arguments, however they were given.
"""

from __future__ import annotations

import inspect
import operator
from ast import literal_eval
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional
from torch import fx, nn

from sephw.nn.scales import CONCATENATIONS


@dataclass(frozen=True)
class Spelling:
    """One way to write a call: its operation and its signature."""

    operation: str
    signature: inspect.Signature


def _spelling(word: str, positional: str, named: str = "") -> Spelling:
    """A spelling of positional and keyword-only names, as ``"input dim=None *shape"``.

    Defaults are literals.
    """
    kinds = inspect.Parameter
    parameters = []
    for kind, text in ((kinds.POSITIONAL_OR_KEYWORD, positional), (kinds.KEYWORD_ONLY, named)):
        for part in text.split():
            name, _, default = part.partition("=")
            parameters.append(
                inspect.Parameter(
                    name.lstrip("*"),
                    kinds.VAR_POSITIONAL if name.startswith("*") else kind,
                    default=literal_eval(default) if default else kinds.empty,
                )
            )
    return Spelling(word, inspect.Signature(parameters))


# Modules have one input and no other argument; what they do is in their attributes.
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
    nn.Dropout: "dropout",
    nn.Dropout2d: "dropout",
}
_MODULE = _spelling("", "input").signature
_RELU = _spelling("relu", "input")
_ADD = _spelling("add", "input other")
_SCALED_ADD = _spelling("add", "input other", "alpha=1 out=None")
_PRODUCT = _spelling("mul", "input other", "out=None")
_QUOTIENT = _spelling("div", "input other", "rounding_mode=None out=None")
_MEAN = _spelling("mean", "input dim=None keepdim=False", "dtype=None out=None")
_FLATTEN = _spelling("flatten", "input start_dim=0 end_dim=-1")
_DROPOUT = _spelling("dropout", "input p=0.5 training=True inplace=False")
_COPY = _spelling("pass", "input", "memory_format=None")
_CONCAT = _spelling("concat", "tensors dim=0", "out=None")
_POOL = "input kernel_size stride=None padding=0"
FUNCTIONS: Mapping[Any, Spelling] = {
    functional.relu: _spelling("relu", "input inplace=False"),
    functional.relu_: _RELU,
    torch.relu: _RELU,
    torch.relu_: _RELU,
    functional.max_pool2d: _spelling(
        "max_pool", f"{_POOL} dilation=1 ceil_mode=False return_indices=False"
    ),
    torch.max_pool2d: _spelling("max_pool", f"{_POOL} dilation=1 ceil_mode=False"),
    functional.avg_pool2d: _spelling(
        "average_pool", f"{_POOL} ceil_mode=False count_include_pad=True divisor_override=None"
    ),
    functional.adaptive_avg_pool2d: _spelling("global_pool", "input output_size"),
    torch.mean: _MEAN,
    torch.flatten: _FLATTEN,
    torch.reshape: _spelling("flatten", "input shape"),
    torch.squeeze: _spelling("flatten", "input dim=None"),
    functional.dropout: _DROPOUT,
    functional.dropout2d: _DROPOUT,
    torch.dropout: _spelling("dropout", "input p train"),
    torch.clone: _COPY,
    operator.add: _ADD,
    operator.iadd: _ADD,
    torch.add: _SCALED_ADD,
    **dict.fromkeys((operator.mul, operator.imul, torch.mul, torch.multiply), _PRODUCT),
    **dict.fromkeys((operator.truediv, operator.itruediv, torch.div), _QUOTIENT),
    **dict.fromkeys(CONCATENATIONS, _CONCAT),
}
METHODS: Mapping[str, Spelling] = {
    "relu": _RELU,
    "relu_": _RELU,
    "add": _SCALED_ADD,
    "add_": _SCALED_ADD,
    **dict.fromkeys(("mul", "mul_", "multiply"), _PRODUCT),
    **dict.fromkeys(("div", "div_"), _QUOTIENT),
    "mean": _MEAN,
    "flatten": _FLATTEN,
    "view": _spelling("flatten", "input *shape", "size=None"),
    "reshape": _spelling("flatten", "input *size", "shape=None"),
    "squeeze": _spelling("flatten", "input *dims", "dim=None"),
    "contiguous": _COPY,
    "clone": _COPY,
}
# What torch takes in NumPy's names as well.
_OTHER_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "x2": "other", "self": "input"}


def spelling(node: fx.Node, modules: Mapping[str, nn.Module]) -> Spelling | None:
    """The spelling of a call; None where it is not supported."""
    if node.op == "call_module":
        # Exactly these classes: a subclass may compute something else.
        word = MODULES.get(type(modules[str(node.target)]))
        return Spelling(word, _MODULE) if word else None
    if node.op == "call_function":
        return FUNCTIONS.get(node.target)
    if node.op == "call_method":
        return METHODS.get(str(node.target))
    return None


def operation_of(node: fx.Node, modules: Mapping[str, nn.Module]) -> str:
    """The operation of a node in one word; "" where it is not supported."""
    if node.op in ("placeholder", "output"):
        return node.op
    found = spelling(node, modules)
    return found.operation if found else ""


def arguments(node: fx.Node, modules: Mapping[str, nn.Module]) -> dict[str, Any]:
    """The arguments of a call by name, those at their defaults left out.

    Raises TypeError where its spelling has no such argument.
    """
    found = spelling(node, modules)
    if found is None:
        raise TypeError(f"'{node.target}' is not understood")
    named = {_OTHER_NAMES.get(name, name): value for name, value in node.kwargs.items()}
    bound = found.signature.bind(*node.args, **named).arguments
    defaults = {name: found.signature.parameters[name].default for name in bound}
    return {
        name: value
        for name, value in bound.items()
        if defaults[name] is inspect.Parameter.empty or value != defaults[name]
    }


def is_addition(node: fx.Node) -> bool:
    """A `+` in any spelling."""
    return operation_of(node, {}) == "add" if node.op != "call_module" else False


def is_passing(node: fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    """Whether the node returns its input unchanged in evaluation mode."""
    return operation_of(node, modules) in ("pass", "dropout")
