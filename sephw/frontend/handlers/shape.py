"""Operators that move nothing: reshapes of 1×1 maps, identities, constant transposes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sephw.errors import SephwError
from sephw.frontend.call import Call
from sephw.frontend.values import Constant, Sum, Value


def reshape(call: Call) -> Value:
    """Flatten, Reshape, Squeeze of a 1×1 map: only the rank changes."""
    value = call.values[0]
    if isinstance(value, Constant) or value is None:
        raise SephwError(f"{call.where}: reshape of a constant that was not folded")
    name = value.branches[0].tensor if isinstance(value, Sum) else value.tensor
    tensor = call.builder.tensors[name]
    if tensor.height * tensor.width != 1:
        raise SephwError(
            f"{call.where}: flattens a {tensor.height}×{tensor.width} map; "
            "pool to 1×1 first (sephw.nn.GlobalPool2d)"
        )
    return replace(value, rank=2)


def identity(call: Call) -> Value:
    """Identity and Dropout at inference."""
    value = call.values[0]
    assert value is not None
    return value


def transpose(call: Call) -> Value:
    """Transpose of constant weights."""
    value = call.values[0]
    if not isinstance(value, Constant):
        raise SephwError(f"{call.where}: transposes an activation; only weights can be transposed")
    permutation = call.attributes.get("perm")
    return Constant(np.transpose(value.data, permutation), value.bipolar)
