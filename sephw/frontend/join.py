"""A sum of branches → one Join, with the proof that float32 computed it exactly."""

from __future__ import annotations

import numpy as np

from sephw.errors import SephwError
from sephw.frontend.builder import Builder
from sephw.frontend.call import Call
from sephw.frontend.values import Int, Sum, dyadic
from sephw.ir import IntType
from sephw.ops.join import Join

BUDGET_BITS = 24

Parts = list[tuple[Int, Int]]


def join(call: Call, value: Sum, exponent: int, dtype: IntType) -> str:
    """Append the Join that computes ``value`` on the grid 2^-exponent; returns its tensor.

    Raises SephwError where float32 could have rounded (the 24-bit budget).
    """
    parts, common = _aligned(call, value, exponent)
    operator = _operator(call, value, parts, common, common - exponent, dtype)
    return call.builder.add(call.module, "", operator, tuple(b.tensor for b in value.branches))


def join_logits(call: Call, value: Sum) -> str:
    """Append the Join that makes the network's output: nothing rounded, every bit kept."""
    builder = call.builder
    parts, common = _aligned(call, value, None)
    low, high = _range(value, builder, parts, common)
    # Signed even where it could be unsigned: users expect logits to be.
    dtype = IntType.covering(min(low, -1), high)
    operator = _operator(call, value, parts, common, 0, dtype)
    tensor = builder.add("logits", "", operator, tuple(b.tensor for b in value.branches))
    builder.share(tensor, call.output, np.full(operator.channels, common), is_output=True)
    return tensor


def dtype_channels(operator: Join) -> int:
    """Channels of a join."""
    return operator.output_shapes[0][2]


def _aligned(call: Call, value: Sum, exponent: int | None) -> tuple[Parts, int]:
    """Mantissas and exponents of branches and constant (last), and the common LSB exponent."""
    parts = [dyadic(b.coefficient, call.where) for b in value.branches]
    parts.append(dyadic(value.constant, call.where))
    own = np.stack([power for _, power in parts]).max(axis=0)
    if exponent is not None:
        own = np.maximum(own, exponent)
    _prove(call, value, parts, own)
    return parts, int(own.max())


def _operator(
    call: Call, value: Sum, parts: Parts, common: int, shift: int, dtype: IntType
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


def _prove(call: Call, value: Sum, parts: Parts, own: Int) -> None:
    total = np.ceil(np.abs(value.constant) * np.exp2(own))
    for branch, (mantissa, power) in zip(value.branches, parts[:-1], strict=True):
        largest = call.builder.largest(branch.tensor).astype(np.float64)
        total = total + np.abs(mantissa) * largest * np.exp2(own - power)
    if total.max() >= 2.0**BUDGET_BITS:
        raise SephwError(
            f"{call.where}: needs {int(np.log2(total.max())) + 1} bits, more than float32 holds "
            "exactly; freeze the network with sephw first"
        )


def _range(value: Sum, builder: Builder, parts: Parts, common: int) -> tuple[int, int]:
    low, high = _bias(parts, common), _bias(parts, common)
    for branch, (mantissa, power) in zip(value.branches, parts[:-1], strict=True):
        dtype = builder.tensors[branch.tensor].dtype
        factor = mantissa << np.where(mantissa == 0, 0, common - power)
        low += np.minimum(factor * dtype.min, factor * dtype.max)
        high += np.maximum(factor * dtype.min, factor * dtype.max)
    return int(low.min()), int(high.max())
