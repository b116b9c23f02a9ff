"""Quant and BipolarQuant: constants, the input's type, joins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sephw.errors import SephwError
from sephw.frontend.call import Call
from sephw.frontend.join import join
from sephw.frontend.values import Average, Constant, Quantized, Sum, Value, as_sum, dyadic
from sephw.ir import IntType


def quant(call: Call) -> Value:
    """Quant: on weights a constant, on the input its type, on a sum a Join."""
    scale, zero_point = call.constant(1), call.constant(2)
    bits = int(call.constant(3).reshape(()))
    signed = bool(call.attributes.get("signed", 1))
    narrow = bool(call.attributes.get("narrow", 0))
    rounding = str(call.attributes.get("rounding_mode", "ROUND")).upper()
    if np.any(zero_point != 0):
        raise SephwError(f"{call.where}: zero point {zero_point.reshape(-1)[0]:g}; it must be 0")
    first = call.values[0]
    if isinstance(first, Constant):
        return Constant(quantize_constant(first.data, scale, bits, signed, narrow, rounding))
    mantissa, power = dyadic(np.asarray(scale, np.float64).reshape(-1), call.where)
    if len(mantissa) != 1 or mantissa[0] != 1:
        raise SephwError(
            f"{call.where}: activation scale must be one power of two, not "
            f"{np.asarray(scale).reshape(-1)[0]:g}; train with sephw.nn.QuantReLU"
        )
    exponent = int(power[0])
    if signed:
        raise SephwError(f"{call.where}: signed activations; quantize after a ReLU")
    if first is None:
        return _declare_input(call, exponent, bits)
    if rounding != "FLOOR":
        raise SephwError(
            f"{call.where}: rounding_mode {rounding} is not exact in hardware; "
            "use FLOOR with half an LSB in the bias (sephw.nn.freeze does)"
        )
    if isinstance(first, Average):
        raise call.inexact(first)
    value = first if isinstance(first, Sum) else as_sum(first, call.channels(first))
    tensor = join(call, value, exponent, IntType(bits, signed=False))
    call.builder.share(
        tensor, call.output, np.full(call.builder.tensors[tensor].channels, exponent)
    )
    return Quantized(tensor, exponent, value.rank)


def quantize_constant(
    data: np.ndarray, scale: np.ndarray, bits: int, signed: bool, narrow: bool, rounding: str
) -> np.ndarray:
    """Quant's definition on a constant, float32, zero point 0 (QONNX operator specification)."""
    low = (-(2 ** (bits - 1)) + narrow) if signed else 0
    high = (2 ** (bits - 1) - 1) if signed else 2**bits - 1 - narrow
    rounders: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "ROUND": np.round, "FLOOR": np.floor, "CEIL": np.ceil, "ROUND_TO_ZERO": np.trunc,
    }  # fmt: skip
    integers = np.clip(rounders[rounding](data / scale), low, high)
    return (integers * scale).astype(np.float32)


def _declare_input(call: Call, exponent: int, bits: int) -> Quantized:
    (name,) = tuple(call.builder.tensors)
    tensor = call.builder.tensors[name]
    call.builder.tensors[name] = replace(tensor, dtype=IntType(bits, signed=False))
    return Quantized(name, exponent, 4)


def bipolar_quant(call: Call) -> Value:
    """BipolarQuant on weights: ±scale."""
    data, scale = call.constant(0), call.constant(1)
    signs = np.where(np.asarray(data) >= 0, np.float32(1), np.float32(-1))
    return Constant(signs * scale, bipolar=True)
