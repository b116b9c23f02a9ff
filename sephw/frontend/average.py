"""Averages over a count that is no power of two, and factors that make them exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sephw.errors import SephwError
from sephw.exact_sums import averages_are_exact
from sephw.frontend.call import NodeCall, per_channel
from sephw.frontend.values import Average, Branch, Sum, Value, dyadic


def scaled_average(call: NodeCall, average: Average, factor: np.ndarray) -> Value:
    """``average`` times a constant: an exact sum, or for a power of two still an average.

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
    low, high = call.builder.range(average.tensor)
    for mantissa in np.unique(mantissas):
        if not averages_are_exact(average.count, int(mantissa), int(low.min()), int(high.max())):
            factor = factors[mantissas == mantissa][0]
            raise SephwError(
                f"{call.where}: float32 rounds averages over {average.count} values times "
                f"{factor:g}; write the sum as a depthwise convolution with weights 1, or pool 3×3"
            )
    if (mantissas == odd).all():
        call.share(average.tensor, average.exponent + powers)
    coefficients = quotients * 2.0**-average.exponent
    return Sum((Branch(average.tensor, coefficients),), (), average.rank)
