"""Mul, Add, Relu: affine functions of the branches, or steps of a chain; Sub and Div."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.files import reading
from sephw.frontend import chain
from sephw.frontend.average import scaled_average
from sephw.frontend.call import NodeCall, per_channel
from sephw.frontend.handler import NoAttributes
from sephw.frontend.values import Average, Constant, Curve, Quantized, Sum, Value, check_range

Float = NDArray[np.float32]


def multiply(call: NodeCall, given: NoAttributes) -> Value:
    """Mul by a constant: scales every branch."""
    index = _constant_index(call)
    if index is None:
        product = _of_two(call, chain.product)
        if product is None:
            raise SephwError(
                f"{call.where}: multiplies two activations; only a constant can be a factor"
            )
        return product
    other = call.value(1 - index)
    if isinstance(other, Constant):
        return _folded(call, np.multiply)
    if isinstance(other, Average):
        return scaled_average(call, other, call.constant(index))
    curve = _by_constant(call, 1 - index, chain.multiply)
    if curve is not None and not _is_plain(other):
        return curve
    value = call.sum(1 - index)
    scaled = value.times(per_channel(call, call.constant(index), value.channels, value.rank))
    for branch in scaled.branches:
        check_range(branch.coefficient, call.where)
    return replace(scaled, chain=None if curve is None else curve.chain)


def add(call: NodeCall, given: NoAttributes) -> Value:
    """Add of a constant (bias) or of two sums (join)."""
    index = _constant_index(call)
    if index is not None:
        other = call.value(1 - index)
        if isinstance(other, Constant):
            return replace(_folded(call, np.add), bipolar=False)
        curve = _by_constant(call, 1 - index, chain.add)
        if curve is not None and not _is_plain(other):
            return curve
        value = call.sum(1 - index)
        constant = per_channel(call, call.constant(index), value.channels, value.rank)
        return replace(value.plus(constant), chain=None if curve is None else curve.chain)
    if not all(_is_plain(call.value(i)) for i in (0, 1)):
        total = _of_two(call, chain.total)
        if total is not None:
            return total
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
    curve = call.curve(0)
    if curve is None:
        return replace(call.sum(0), relu=True)
    applied = chain.Applied(chain.relu(call.where), (curve.chain,))
    if isinstance(value, Curve):
        return replace(value, chain=applied)
    return replace(call.sum(0), relu=True, chain=applied)


def subtract(call: NodeCall, given: NoAttributes) -> Value:
    """Sub of a constant, or from one."""
    index = _constant_index(call)
    if index is not None and isinstance(call.value(1 - index), Constant):
        return replace(_folded(call, np.subtract), bipolar=False)
    step = chain.subtract if index == 1 else chain.subtract_from
    found = None if index is None else _by_constant(call, 1 - index, step)
    if found is None:
        raise SephwError(f"{call.where}: subtracts what is no constant; use Mul by -1 and Add")
    return found


def divide(call: NodeCall, given: NoAttributes) -> Value:
    """Div by a constant."""
    if isinstance(call.value(0), Constant) and isinstance(call.value(1), Constant):
        return _folded(call, np.divide)
    divides = isinstance(call.value(1), Constant)
    found = _by_constant(call, 0, chain.divide) if divides else None
    if found is None:
        raise SephwError(f"{call.where}: divides by what is no constant; use Mul by a constant")
    return found


def _is_plain(value: Value) -> bool:
    """Whether exact sums may go on from it."""
    return not isinstance(value, Curve) and not (isinstance(value, Sum) and value.relu)


def _by_constant(
    call: NodeCall, index: int, step: Callable[[str, Float], chain.Step]
) -> Curve | None:
    """``step`` of input ``index`` and the other input, a constant; None where it is no curve."""
    curve = call.curve(index)
    if curve is None:
        return None
    channels = call.builder.tensors[curve.tensor].channels
    constant = per_channel(call, call.constant(1 - index), channels, curve.rank)
    made = step(call.where, constant.astype(np.float32))
    return replace(curve, chain=chain.Applied(made, (curve.chain,)))


def _of_two(call: NodeCall, step: Callable[[str], chain.Step]) -> Curve | None:
    """``step`` of two functions of one tensor; None where they are not."""
    first, second = call.curve(0), call.curve(1)
    if first is None or second is None:
        return None
    if (first.tensor, first.rank) != (second.tensor, second.rank):
        return None
    return replace(first, chain=chain.Applied(step(call.where), (first.chain, second.chain)))


def _constant_index(call: NodeCall) -> int | None:
    """The index of a constant input, the second one first; None where neither is constant."""
    return next((i for i in (1, 0) if isinstance(call.value(i), Constant)), None)


def _folded(call: NodeCall, combine: Callable[[Float, Float], Float]) -> Constant:
    """Both inputs are constants: float32's result, which is one as well."""
    first, second = call.constant(0), call.constant(1)
    with reading(call.where, "export it again", failed="its constants do not fit together"):
        # An outer product of two small constants could be of any size.
        if np.broadcast(first, second).size > max(first.size, second.size):
            raise ValueError(f"shapes {first.shape} and {second.shape}")
        data = combine(first, second)
    marks = [value.bipolar for value in call.values if isinstance(value, Constant)]
    return Constant(data, bipolar=any(marks))
