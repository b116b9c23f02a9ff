"""Refusals of unsupported calls in one line each, alike for modules, functions and methods."""

from __future__ import annotations

from typing import Any

from torch import fx

_ACTIVATIONS = frozenset(
    (
        "leakyrelu",
        "prelu",
        "rrelu",
        "relu6",
        "elu",
        "celu",
        "selu",
        "gelu",
        "silu",
        "mish",
        "glu",
        "hardswish",
        "hardsigmoid",
        "hardtanh",
        "hardshrink",
        "softshrink",
        "tanhshrink",
        "softplus",
        "softsign",
        "sigmoid",
        "logsigmoid",
        "tanh",
        "threshold",
        "clamp",
        "clampmin",
        "clampmax",
        "clip",
        "abs",
        "absolute",
    )
)
_FINAL = frozenset(("softmax", "logsoftmax", "softmin", "softmax2d"))
# Layers as functions hold their weights somewhere else.
_LAYERS = {"conv2d": "nn.Conv2d", "linear": "nn.Linear", "batchnorm": "nn.BatchNorm2d"}
_NORMS = frozenset(
    (
        "groupnorm",
        "layernorm",
        "instancenorm",
        "instancenorm2d",
        "localresponsenorm",
        "rmsnorm",
        "syncbatchnorm",
        "normalize",
    )
)
_PRODUCTS = frozenset(
    (
        "mul",
        "imul",
        "multiply",
        "div",
        "divide",
        "truediv",
        "itruediv",
        "sub",
        "isub",
        "subtract",
        "rsub",
        "neg",
        "negative",
        "pow",
        "ipow",
        "square",
    )
)
_PARTS = frozenset(
    (
        "getitem",
        "chunk",
        "split",
        "tensorsplit",
        "narrow",
        "select",
        "indexselect",
        "unbind",
    )
)
_TYPES = frozenset(("to", "float", "half", "double", "bfloat16", "type", "typeas", "detach"))
_SUPPORTED = (
    "Conv2d, BatchNorm2d, ReLU, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d(1), Linear, Flatten, "
    "Dropout, +, concatenation"
)
ONLY_SUMS = (
    "only additions are computed between layers; leave it to the weights of a Conv2d, or to an "
    "nn.BatchNorm2d right after it"
)


def refusal(node: fx.Node, where: str, module: Any) -> str:
    """The module or function, the reason and the fix for a call without an operation in `words`."""
    target: Any = node.target
    name = type(module).__name__ if module is not None else getattr(target, "__name__", str(target))
    kind = name.lower().replace("_", "")
    if kind in _ACTIVATIONS:
        return (
            f"{where}: only ReLU becomes the unsigned clip that the hardware has; "
            "use nn.ReLU and fine-tune"
        )
    if kind in _FINAL:
        return f"{where}: not computed in hardware; return the logits instead"
    if kind in _LAYERS and module is None:
        return f"{where}: a layer as a function; use the module {_LAYERS[kind]}"
    if kind in _NORMS:
        return (
            f"{where}: needs the statistics of each image; use nn.BatchNorm2d right after a Conv2d"
        )
    if kind in _PRODUCTS:
        return f"{where}: {ONLY_SUMS}"
    if kind in _PARTS:
        return f"{where}: takes part of a tensor; compute the part by a Conv2d of its own"
    if kind in _TYPES:
        return f"{where}: changes a type or a gradient, not a value; leave it away"
    if kind == "getattr":
        return f"{where}: reads '.{node.args[1]}' of a tensor; leave it away"
    if kind == "setitem":
        return f"{where}: writes into part of a tensor; compute a new tensor instead"
    return f"{where}: not supported in a pattern network; supported: {_SUPPORTED}"
