"""Mul, Add, Relu: affine functions of the branches."""

from __future__ import annotations

from dataclasses import replace

from sephw.errors import SephwError
from sephw.frontend.average import scaled_average
from sephw.frontend.call import Call, per_channel
from sephw.frontend.values import Average, Branch, Constant, Sum, Value


def multiply(call: Call) -> Value:
    """Mul by a constant: scales every branch."""
    index = 1 if isinstance(call.values[1], Constant) else 0
    average = call.values[1 - index]
    if isinstance(average, Average):
        return scaled_average(call, average, call.constant(index))
    value = call.sum(1 - index)
    factor = per_channel(call, call.constant(index), len(value.constant), value.rank)
    branches = tuple(Branch(b.tensor, b.coefficient * factor) for b in value.branches)
    return replace(value, branches=branches, constant=value.constant * factor)


def add(call: Call) -> Value:
    """Add of a constant (bias) or of two sums (join)."""
    for index in (0, 1):
        if isinstance(call.values[index], Constant):
            value = call.sum(1 - index)
            bias = per_channel(call, call.constant(index), len(value.constant), value.rank)
            return replace(value, constant=value.constant + bias)
    first, second = call.sum(0), call.sum(1)
    if len(first.constant) != len(second.constant):
        raise SephwError(f"{call.where}: adds tensors of different channel counts")
    return Sum(first.branches + second.branches, first.constant + second.constant, first.rank)


def relu(call: Call) -> Value:
    """ReLU: the lower clip of the quantizer that follows."""
    return replace(call.sum(0), relu=True)
