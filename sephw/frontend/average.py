"""Averages over a count that is no power of two, and the factor that makes them exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sephw.errors import SephwError
from sephw.frontend.call import NodeCall, per_channel
from sephw.frontend.values import Average, Branch, Real, Sum, Value, dyadic
from sephw.ir import IntType


def scaled_average(call: NodeCall, average: Average, factor: np.ndarray) -> Value:
    """``average`` times a constant: an exact sum, or for a power of two an average still.

    Raises SephwError for a factor that leaves it inexact.
    """
    tensor = call.builder.tensors[average.tensor]
    factors = per_channel(call, factor, tensor.channels, average.rank)
    mantissas, powers = dyadic(factors, call.where)
    if (mantissas == 1).all() and (powers == powers[0]).all():
        return replace(average, exponent=average.exponent + int(powers[0]))
    # Of the count only its odd part has to cancel: powers of two are exponents.
    halvings = (average.count & -average.count).bit_length() - 1
    odd = average.count >> halvings
    if (mantissas % odd).any():
        raise call.inexact(average)
    powers = powers + halvings
    quotients = np.ldexp((mantissas // odd).astype(np.float64), -powers)
    _prove(call, average.count, tensor.dtype, factors, quotients)
    if (mantissas == odd).all():
        call.share(average.tensor, average.exponent + powers)
    coefficients = quotients * 2.0**-average.exponent
    return Sum((Branch(average.tensor, coefficients),), (), average.rank)


def _prove(call: NodeCall, count: int, dtype: IntType, factors: Real, quotients: Real) -> None:
    """By trying: float32's division and product of every sum there is, against the exact value.

    Powers of two change nothing about it, so the sums stand for all grids.
    """
    sums = np.arange(dtype.min, dtype.max + 1)
    averages = sums.astype(np.float32) / np.float32(count)
    for factor, quotient in np.unique(np.stack([factors, quotients], axis=1), axis=0):
        products = averages * np.float32(factor)
        if not (products.astype(np.float64) == sums * quotient).all():
            raise SephwError(
                f"{call.where}: float32 rounds averages over {count} values times {factor:g}; "
                "write the sum as a depthwise convolution with weights 1, or pool 3×3"
            )
