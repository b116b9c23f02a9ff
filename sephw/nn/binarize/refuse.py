"""What cannot be taken, in one line each."""

from __future__ import annotations

from collections.abc import Mapping

from torch import fx, nn

_ACTIVATIONS = (
    nn.LeakyReLU, nn.PReLU, nn.ReLU6, nn.ELU, nn.GELU, nn.SiLU, nn.Hardswish, nn.Sigmoid, nn.Tanh,
    nn.Mish, nn.SELU, nn.Hardtanh, nn.Hardsigmoid, nn.Softplus,
)  # fmt: skip


def refusal(node: fx.Node, where: str, modules: Mapping[str, nn.Module]) -> str:
    """Module or function, reason and fix for a call that has no word in `words`."""
    module = modules.get(str(node.target)) if node.op == "call_module" else None
    if isinstance(module, _ACTIVATIONS):
        return (
            f"{where}: only ReLU becomes the unsigned clip that the hardware has; "
            "use nn.ReLU and fine-tune"
        )
    if isinstance(module, nn.Softmax | nn.LogSoftmax):
        return f"{where}: not computed in hardware; return the logits instead"
    return (
        f"{where}: not supported in a pattern network; supported: Conv2d, BatchNorm2d, ReLU, "
        "MaxPool2d, AvgPool2d, AdaptiveAvgPool2d(1), Linear, Flatten, Dropout, +, concatenation"
    )
