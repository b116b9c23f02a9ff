"""Quant and BipolarQuant: constants, the input's type, joins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.files import reading
from sephw.frontend.call import IMAGE_BITS, IMAGE_EXPONENT, NodeCall
from sephw.frontend.chain import uniform_quantizer
from sephw.frontend.handler import NoAttributes
from sephw.frontend.join import join
from sephw.frontend.rounding import ROUNDERS
from sephw.frontend.threshold_node import MOST_THRESHOLD_BITS, threshold_node
from sephw.frontend.values import (
    Average,
    Constant,
    Curve,
    Image,
    Quantized,
    Sum,
    Unrolled,
    Value,
    as_sum,
    dyadic,
)
from sephw.ir import IntType

Float = NDArray[np.float32]

_IMAGE_STEP = np.float32(2.0**-IMAGE_EXPONENT)
_MOST_WEIGHT_BITS, _MOST_ACTIVATION_BITS = 24, 16


@dataclass(frozen=True)
class QuantAttributes:
    """The attributes of Quant."""

    signed: bool
    narrow: bool
    rounding_mode: str = "ROUND"


def quant(call: NodeCall, given: QuantAttributes) -> Value:
    """Quant: on weights a constant, on the input its type, on a sum a Join."""
    mode = given.rounding_mode.upper()
    if mode not in ROUNDERS:
        raise SephwError(
            f"{call.where}: rounding_mode {mode} is none of QONNX'; use one of "
            + ", ".join(ROUNDERS)
        )
    zero_point = call.constant(2)
    if np.any(zero_point != 0):
        call.refuse(
            SephwError(
                f"{call.where}: zero point {zero_point.reshape(-1)[0]:g}; it must be 0: quantize "
                "symmetrically, or unsigned from 0"
            )
        )
    first = call.value(0)
    bits = _bits(call, _MOST_WEIGHT_BITS if isinstance(first, Constant) else _MOST_ACTIVATION_BITS)
    if isinstance(first, Constant):
        return Constant(_quantized_constant(call, given, bits, ROUNDERS[mode]))
    if isinstance(first, Image):
        return _declare_input(call, given, bits, first.rank)
    exponent = _exponent(call)
    if given.signed:
        call.refuse(
            SephwError(f"{call.where}: signed activations; put a Relu before it and set signed=0")
        )
    if given.narrow:
        call.refuse(
            SephwError(
                f"{call.where}: narrow=1 leaves the largest of {1 << bits} values out; set narrow=0"
            )
        )
    dtype = IntType(bits, signed=False)
    if isinstance(first, Average):
        call.refuse(call.inexact(first))
        channels = call.builder.tensors[first.tensor].channels
        return Quantized(call.stand_in(first.tensor, channels, dtype), exponent, first.rank)
    if isinstance(first, Unrolled):
        raise call.unrolled(first)
    held = first.branches[0].tensor if isinstance(first, Sum) else first.tensor
    channels = call.builder.tensors[held].channels
    tensor = call.attempt(
        lambda: _rounded(call, first, bits, exponent, mode),
        lambda: call.stand_in(held, channels, dtype),
    )
    call.share(tensor, np.full(call.builder.tensors[tensor].channels, exponent))
    return Quantized(tensor, exponent, first.rank)


def _rounded(
    call: NodeCall, value: Quantized | Sum | Curve, bits: int, exponent: int, mode: str
) -> str:
    """The tensor of ``value`` rounded: by one Join where it is an exact sum, else by Thresholds."""
    dtype = IntType(bits, signed=False)
    total = None if isinstance(value, Curve) else as_sum(value, call.channels(value))
    curve = call.curve(0)
    if total is not None and mode == "FLOOR":
        try:
            return join(call, total, exponent, dtype)
        except SephwError:
            # What float32 rounds is exact all the same where one accumulator decides it.
            if curve is None or bits > MOST_THRESHOLD_BITS:
                raise
    if curve is None:
        raise SephwError(
            f"{call.where}: rounding_mode {mode} is not exact in hardware; use FLOOR, and add half "
            "a step to the bias before it (sephw.nn.freeze does)"
        )
    quantizer = uniform_quantizer(
        call.where,
        np.full((), 2.0**-exponent, np.float32),
        np.zeros((), np.float32),
        bits,
        signed=False,
        narrow=False,
        rounding_mode=mode,
    )
    return threshold_node(call, curve, quantizer, dtype)


def bipolar_quant(call: NodeCall, given: NoAttributes) -> Value:
    """BipolarQuant on weights: ±scale."""
    first = call.value(0)
    if not isinstance(first, Constant):
        error = SephwError(
            f"{call.where}: activations of ±1; only weights are bipolar here, use Relu and a Quant "
            "of 1 unsigned bit"
        )
        if not isinstance(first, Quantized | Sum):
            raise error
        call.refuse(error)
        value, dtype = as_sum(first, call.channels(first)), IntType(1, signed=False)
        tensor = call.stand_in(value.branches[0].tensor, value.channels, dtype)
        return Quantized(tensor, 0, value.rank)
    data, scale = call.constant(0), _scale_of(call, call.constant(0))
    return Constant(np.where(data >= 0, np.float32(1), np.float32(-1)) * scale, bipolar=True)


def _scale_of(call: NodeCall, data: Float) -> Float:
    """The scale, which must not make ``data`` larger."""
    scale = call.constant(1)
    failed = f"a scale of shape {scale.shape} for {data.shape}"
    with reading(call.where, "export it again", failed=failed):
        if np.broadcast_shapes(scale.shape, data.shape) != data.shape:
            raise ValueError("it has other axes")
    return scale


def _bits(call: NodeCall, most: int) -> int:
    bits = call.scalar(3)
    if bits != int(bits) or not 1 <= bits <= most:
        raise SephwError(
            f"{call.where}: a bit width of {bits:g}; it must be a whole number from 1 to {most}"
        )
    return int(bits)


def _exponent(call: NodeCall) -> int:
    """e of an activation's one scale 2^-e."""
    scales = np.unique(call.constant(1))
    mantissa, power = dyadic(scales.astype(np.float64), call.where)
    if len(scales) != 1 or mantissa[0] != 1:
        shown = f"{scales[0]:g}" if len(scales) == 1 else f"{len(scales)} scales"
        call.refuse(
            SephwError(
                f"{call.where}: activation scale must be one power of two, not {shown}; round it "
                "to one (sephw.nn.QuantReLU trains with one)"
            )
        )
        largest = float(np.abs(scales).max())
        return 1 - int(np.frexp(largest)[1])  # the power of two below it
    return int(power[0])


def _quantized_constant(
    call: NodeCall, given: QuantAttributes, bits: int, rounded: Callable[[Float], Float]
) -> Float:
    """Quant's definition on a constant, float32, zero point 0 (QONNX operator specification)."""
    data = call.constant(0)
    scale = _scale_of(call, data)
    if given.signed and bits == 1:
        raise SephwError(
            f"{call.where}: 1 signed bit, which tools read in different ways; use BipolarQuant"
        )
    if np.any(scale == 0):
        raise SephwError(
            f"{call.where}: a scale of 0; give constants that are all 0 any other scale"
        )
    low = (-(2 ** (bits - 1)) + given.narrow) if given.signed else 0
    high = (2 ** (bits - 1) - 1) if given.signed else 2**bits - 1 - given.narrow
    integers = np.clip(rounded(data / scale), low, high)
    return (integers * scale).astype(np.float32)


def _declare_input(call: NodeCall, given: QuantAttributes, bits: int, rank: int) -> Quantized:
    scales = call.constant(1)
    if given.signed or given.narrow or bits != IMAGE_BITS or np.any(scales != _IMAGE_STEP):
        kind = f"{'signed' if given.signed else 'unsigned'}{', narrow' if given.narrow else ''}"
        call.refuse(
            SephwError(
                f"{call.where}: takes the input as {bits} {kind} bits times "
                f"{scales.reshape(-1)[0]:g}; pixels are 8 unsigned bits times 1/256: use signed=0, "
                "narrow=0 and these, and put other factors into the first layer"
            )
        )
    return Quantized(call.builder.image, IMAGE_EXPONENT, rank)
