"""A chain between an accumulator and a quantizer → one Thresholds."""

from __future__ import annotations

import numpy as np

from sephw.errors import SephwError
from sephw.frontend.call import NodeCall
from sephw.frontend.chain import Quantizer, accumulator_of
from sephw.frontend.thresholds import find_thresholds
from sephw.frontend.values import Curve, dyadic
from sephw.ir import IntType
from sephw.ops.thresholds import MOST_STAGES, Thresholds

MOST_THRESHOLD_BITS = MOST_STAGES
_FLOAT_BITS = 24


def threshold_node(call: NodeCall, curve: Curve, quantizer: Quantizer, dtype: IntType) -> str:
    """Append the Thresholds that makes what ``quantizer`` makes of ``curve``; its tensor.

    Raises SephwError where float32 could have rounded the accumulator itself, and as
    `find_thresholds` does.
    """
    tensor = call.builder.tensors[curve.tensor]
    if curve.tensor in call.builder.stand_ins:
        return call.stand_in(curve.tensor, tensor.channels, dtype)
    low, high = call.builder.range(curve.tensor)
    scale = np.broadcast_to(accumulator_of(curve.chain).scale, low.shape)
    mantissas, _ = dyadic(scale, call.where)
    widest = int((np.abs(mantissas) * np.maximum(-low, high)).max())
    if widest > 1 << _FLOAT_BITS:
        raise SephwError(
            f"{call.where}: its accumulator needs {widest.bit_length()} bits, more than float32 "
            "holds exactly; use weights of fewer bits, or fewer input channels"
        )
    found = find_thresholds(curve.chain, quantizer, low, high)
    operator = Thresholds(
        height=tensor.height,
        width=tensor.width,
        channels=tensor.channels,
        input_dtype=tensor.dtype,
        thresholds=found.thresholds,
        decreasing=found.decreasing,
        offset=found.offset,
        output_dtype=dtype,
    )
    return call.builder.add(call.label, "", operator, (curve.tensor,))
