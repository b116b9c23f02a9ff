"""A sum of branches → one Join, with the proof that float32 computed it exactly."""

from __future__ import annotations

import numpy as np

from sephw.errors import SephwError
from sephw.frontend.builder import GraphBuilder
from sephw.frontend.call import NodeCall
from sephw.frontend.values import Int, Sum, dyadic
from sephw.ir import IntType
from sephw.ops.join import Join

BUDGET_BITS = 24
# Of mantissas on the common grid, in int64.
_MOST_BITS = 56

Parts = list[tuple[Int, Int]]


def join(call: NodeCall, value: Sum, exponent: int, dtype: IntType) -> str:
    """Append the Join that computes ``value`` on the grid 2^-exponent; returns its tensor.

    Raises SephwError where float32 could have rounded (the 24-bit budget).
    """
    parts, common = _aligned(call, value, exponent)
    operator = _operator(call, value, parts, common, common - exponent, dtype)
    return call.builder.add(call.label, "", operator, tuple(b.tensor for b in value.branches))


def join_output(call: NodeCall, value: Sum) -> str:
    """Append the Join that makes the network's output: nothing rounded, every bit kept.

    A ReLU is its clip at 0.
    """
    builder = call.builder
    parts, common = _aligned(call, value, None)
    low, high = _range(value, builder, parts, common)
    # Signed even where it could be unsigned: users expect logits to be.
    dtype = IntType.covering(0 if value.relu else min(low, -1), max(high, 0))
    operator = _operator(call, value, parts, common, 0, dtype)
    tensor = builder.add("logits", "", operator, tuple(b.tensor for b in value.branches))
    builder.share(tensor, call.output, np.full(operator.channels, common), is_output=True)
    return tensor


def _aligned(call: NodeCall, value: Sum, exponent: int | None) -> tuple[Parts, int]:
    """Mantissas and exponents of branches and their sum of constants, and the common LSB exponent.

    The constants' sum comes last.
    """
    parts = [
        # A channel that is always 0, as one without weights, has no grid of its own.
        dyadic(b.coefficient * (call.builder.largest(b.tensor) > 0), call.where)
        for b in value.branches
    ]
    constants = [dyadic(c, call.where) for c in value.constants]
    own = np.stack([power for _, power in (*parts, *constants)]).max(axis=0)
    if exponent is not None:
        own = np.maximum(own, exponent)
    _prove(call, value, parts, own)
    # Exact: every constant is on a grid of at most 24 bits that all share.
    total = np.sum(value.constants, axis=0) if value.constants else np.zeros(value.channels)
    parts.append(dyadic(total, call.where))
    common = int(own.max())
    if exponent is not None and common - exponent > _MOST_BITS:
        raise SephwError(
            f"{call.where}: its step of 2^{-exponent} is above every sum there is, so that it "
            "gives 0 alone; use a smaller scale"
        )
    for mantissa, power in parts:
        bits = np.log2(np.maximum(np.abs(mantissa), 1)) + np.where(mantissa == 0, 0, common - power)
        if bits.max() > _MOST_BITS:
            raise SephwError(
                f"{call.where}: scales of its channels lie 2^{int(np.ptp(own))} apart, too far for "
                "one grid; give the channels scales that are closer"
            )
    return parts, common


def _operator(
    call: NodeCall, value: Sum, parts: Parts, common: int, shift: int, dtype: IntType
) -> Join:
    tensors = call.builder.tensors
    first = tensors[value.branches[0].tensor]
    mantissas = np.stack([m for m, _ in parts[:-1]])
    powers = np.stack([p for _, p in parts[:-1]])
    return Join(
        height=first.height,
        width=first.width,
        channels=first.channels,
        input_dtypes=tuple(tensors[b.tensor].dtype for b in value.branches),
        mantissas=mantissas,
        shifts=np.where(mantissas == 0, 0, common - powers),
        bias=_bias(parts, common),
        shift=shift,
        output_dtype=dtype,
    )


def _bias(parts: Parts, common: int) -> Int:
    mantissa, power = parts[-1]
    return mantissa << np.where(mantissa == 0, 0, common - power)


def _prove(call: NodeCall, value: Sum, parts: Parts, own: Int) -> None:
    """Every sum on the way, in any order, is a multiple of 2^-own of less than 24 bits."""
    steps = np.exp2(own.astype(np.float64))
    total = sum((np.abs(c) * steps for c in value.constants), np.zeros(value.channels))
    for branch, (mantissa, power) in zip(value.branches, parts, strict=True):
        largest = call.builder.largest(branch.tensor).astype(np.float64)
        total = total + np.abs(mantissa) * largest * np.exp2(own - power)
    if total.max() >= 2.0**BUDGET_BITS:
        raise SephwError(
            f"{call.where}: needs {int(np.log2(total.max())) + 1} bits, more than float32 holds "
            "exactly; use weights, scales and biases of fewer bits, or fewer input channels"
        )


def _range(value: Sum, builder: GraphBuilder, parts: Parts, common: int) -> tuple[int, int]:
    low, high = _bias(parts, common), _bias(parts, common)
    for branch, (mantissa, power) in zip(value.branches, parts[:-1], strict=True):
        dtype = builder.tensors[branch.tensor].dtype
        factor = mantissa << np.where(mantissa == 0, 0, common - power)
        low += np.minimum(factor * dtype.min, factor * dtype.max)
        high += np.maximum(factor * dtype.min, factor * dtype.max)
    return int(low.min()), int(high.max())
