"""A sum of branches → one Join, with the proof that float32 computed it exactly."""

from __future__ import annotations

import numpy as np

from sephw.errors import SephwError
from sephw.exact_sums import MOST_FACTOR_BITS, Addend, SumGrid, measure
from sephw.frontend.call import NodeCall
from sephw.frontend.values import Branch, Sum, dyadic
from sephw.ir import IntType
from sephw.ops.join import Join


def join(call: NodeCall, value: Sum, exponent: int, dtype: IntType) -> str:
    """Append the Join that computes ``value`` on the grid 2^-exponent; returns its tensor.

    Raises SephwError where float32 could have rounded (the 24-bit budget).
    """
    if _stands_in(call, value):
        return call.stand_in(value.branches[0].tensor, value.channels, dtype)
    grid = _proved(call, value, exponent)
    operator = _operator(call, value, grid, grid.common - exponent, dtype)
    return call.builder.add(call.label, "", operator, tuple(b.tensor for b in value.branches))


def join_output(call: NodeCall, value: Sum) -> str:
    """Append the Join that makes the network's output: nothing rounded, every bit kept.

    A ReLU is its clip at 0.
    """
    builder = call.builder
    if _stands_in(call, value):
        return value.branches[0].tensor
    grid = _proved(call, value, None)
    low, high = _range(grid)
    # Signed even where it could be unsigned: users expect logits to be.
    dtype = IntType.covering(0 if value.relu else min(low, -1), max(high, 0))
    operator = _operator(call, value, grid, 0, dtype)
    tensor = builder.add("logits", "", operator, tuple(b.tensor for b in value.branches))
    exponents = np.full(operator.channels, grid.common)
    builder.share(tensor, call.output, exponents, is_output=True)
    return tensor


def _stands_in(call: NodeCall, value: Sum) -> bool:
    """Whether a branch stands in for a refused node: then only scales can be judged, no ranges.

    Raises SephwError as `NodeCall.check_scales` does.
    """
    if call.builder.stand_ins.isdisjoint(branch.tensor for branch in value.branches):
        return False
    call.check_scales(value)
    return True


def _proved(call: NodeCall, value: Sum, exponent: int | None) -> SumGrid:
    """Every sum on the way, in any order, fits float32, and all channels one grid."""
    addends = [_addend(call, branch) for branch in value.branches]
    constants = [dyadic(constant, call.where) for constant in value.constants]
    grid = measure(addends, constants, exponent)
    if not grid.fits.all():
        raise SephwError(
            f"{call.where}: needs {int(grid.widest.max()).bit_length()} bits, more than float32 "
            "holds exactly; use weights, scales and biases of fewer bits, or fewer input channels"
        )
    if exponent is not None and grid.common - exponent > MOST_FACTOR_BITS:
        raise SephwError(
            f"{call.where}: its step of 2^{-exponent} is above every sum there is, so that it "
            "gives 0 alone; use a smaller scale"
        )
    if grid.excess_bits:
        raise SephwError(
            f"{call.where}: scales of its channels lie 2^{int(np.ptp(grid.own))} apart, too far "
            "for one grid; give the channels scales that are closer"
        )
    return grid


def _addend(call: NodeCall, branch: Branch) -> Addend:
    low, high = call.builder.range(branch.tensor)
    # A channel that is always 0, as one without weights, has no grid of its own.
    coefficient = branch.coefficient * ((low < 0) | (high > 0))
    return Addend(
        *dyadic(coefficient, call.where), low, high, call.builder.tensors[branch.tensor].dtype
    )


def _operator(call: NodeCall, value: Sum, grid: SumGrid, shift: int, dtype: IntType) -> Join:
    first = call.builder.tensors[value.branches[0].tensor]
    return Join(
        height=first.height,
        width=first.width,
        channels=first.channels,
        input_dtypes=grid.dtypes,
        mantissas=grid.mantissas,
        shifts=grid.shifts,
        bias=grid.bias,
        shift=shift,
        output_dtype=dtype,
    )


def _range(grid: SumGrid) -> tuple[int, int]:
    """Least and most of the whole sum on the common grid, from its inputs' types."""
    low, high = grid.bias, grid.bias
    for mantissas, shifts, dtype in zip(grid.mantissas, grid.shifts, grid.dtypes, strict=True):
        factor = mantissas << shifts
        low = low + np.minimum(factor * dtype.min, factor * dtype.max)
        high = high + np.maximum(factor * dtype.min, factor * dtype.max)
    return int(low.min()), int(high.max())
