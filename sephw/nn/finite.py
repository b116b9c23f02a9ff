"""Check that weights are finite."""

from __future__ import annotations

import torch
from torch import nn

from sephw.errors import SephwError


def check_finite(network: nn.Module) -> None:
    """Raise SephwError naming the first module with a parameter or buffer that is not finite."""
    for path, module in network.named_modules():
        own = {**module._parameters, **module._buffers}
        for name, tensor in own.items():
            if tensor is not None and not bool(torch.isfinite(tensor).all()):
                raise SephwError(
                    f"{type(module).__name__} '{path}': its {name} holds NaN or infinity; load a "
                    "checkpoint from before the training diverged"
                )
