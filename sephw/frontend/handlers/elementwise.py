"""Mul, Add, Relu: affine functions of the branches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.files import reading
from sephw.frontend.average import scaled_average
from sephw.frontend.call import NodeCall, per_channel
from sephw.frontend.handler import NoAttributes
from sephw.frontend.values import Average, Constant, Quantized, Sum, Value, check_range

Float = NDArray[np.float32]


def multiply(call: NodeCall, given: NoAttributes) -> Value:
    """Mul by a constant: scales every branch."""
    index = _constant_index(call)
    if index is None:
        raise SephwError(
            f"{call.where}: multiplies two activations; only a constant can be a factor"
        )
    other = call.value(1 - index)
    if isinstance(other, Constant):
        return _folded(call, np.multiply, other)
    if isinstance(other, Average):
        return scaled_average(call, other, call.constant(index))
    value = call.sum(1 - index)
    scaled = value.times(per_channel(call, call.constant(index), value.channels, value.rank))
    for branch in scaled.branches:
        check_range(branch.coefficient, call.where)
    return scaled


def add(call: NodeCall, given: NoAttributes) -> Value:
    """Add of a constant (bias) or of two sums (join)."""
    index = _constant_index(call)
    if index is not None:
        other = call.value(1 - index)
        if isinstance(other, Constant):
            return replace(_folded(call, np.add, other), bipolar=False)
        value = call.sum(1 - index)
        return value.plus(per_channel(call, call.constant(index), value.channels, value.rank))
    first, second = call.sum(0), call.sum(1)
    tensors = (call.builder.tensors[value.branches[0].tensor] for value in (first, second))
    shapes = [(tensor.channels, tensor.height, tensor.width) for tensor in tensors]
    if shapes[0] != shapes[1] or first.rank != second.rank:
        shown = " and ".join("×".join(map(str, shape)) for shape in shapes)
        raise SephwError(
            f"{call.where}: adds maps of different sizes, {shown} of {first.rank} and "
            f"{second.rank} axes; make them equal"
        )
    constants = first.constants + second.constants
    return Sum(first.branches + second.branches, constants, first.rank)


def relu(call: NodeCall, given: NoAttributes) -> Value:
    """ReLU: the lower clip of the quantizer that follows; none of what is never negative."""
    value = call.value(0)
    if isinstance(value, Quantized) or (isinstance(value, Sum) and value.relu):
        return value
    return replace(call.sum(0), relu=True)


def _constant_index(call: NodeCall) -> int | None:
    """The index of a constant input, the second one first; None where neither is constant."""
    return next((i for i in (1, 0) if isinstance(call.value(i), Constant)), None)


def _folded(call: NodeCall, combine: Callable[[Float, Float], Float], other: Constant) -> Constant:
    """Both inputs are constants: float32's result, which is one as well."""
    first, second = call.constant(0), call.constant(1)
    with reading(call.where, "export it again", failed="its constants do not fit together"):
        # An outer product of two small constants could be of any size.
        if np.broadcast(first, second).size > max(first.size, second.size):
            raise ValueError(f"shapes {first.shape} and {second.shape}")
        data = combine(first, second)
    marks = [value.bipolar for value in call.values if isinstance(value, Constant)]
    return Constant(data, bipolar=any(marks))
