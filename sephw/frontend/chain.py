"""float32 functions of one accumulator, step by step as a file computes them.

Every step takes and makes float32 arrays (n, C), and rounds where an executor of the file does:
additions, products, quotients and roots as IEEE 754 says, so that NumPy and onnxruntime agree in
every bit; Sigmoid, Tanh and Erf are onnxruntime's own, whose last bits are no standard's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from sephw.errors import SephwError
from sephw.exact_sums import Int, Real
from sephw.frontend.rounding import ROUNDERS, Float

# Operators that onnxruntime computes itself, and none of which it keeps monotone in the last bits.
_RUNTIME_FUNCTIONS = ("Erf", "Sigmoid", "Tanh")
_OPSET = 13


@dataclass(frozen=True, eq=False)
class Step:
    """One operation. ``where`` names its node; ``compute`` takes float32 (n, C), as many as it has.

    ``monotone``: whether no two float32 numbers, of a channel, can come out in the wrong order;
    rising in some channels and falling in others is monotone.
    """

    where: str
    compute: Callable[..., Float]
    monotone: bool


@dataclass(frozen=True, eq=False)
class Accumulator:
    """Where a chain begins: integer · ``scale``, float64 scalar or (C,), rounded to float32."""

    scale: Real

    @property
    def doubtful(self) -> None:
        """See `Applied.doubtful`."""
        return None

    def evaluate(self, integers: Int, known: dict[int, Float]) -> Float:
        """See `evaluate`."""
        return (integers * self.scale).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Applied:
    """A step on what chains before it make; all of them begin at one accumulator."""

    step: Step
    arguments: tuple[Chain, ...]

    @property
    def doubtful(self) -> Step | None:
        """The first step that may not be monotone; None where the whole chain is."""
        found = next((a.doubtful for a in self.arguments if a.doubtful), None)
        return found or (None if self.step.monotone and len(self.arguments) == 1 else self.step)

    def evaluate(self, integers: Int, known: dict[int, Float]) -> Float:
        """See `evaluate`; ``known`` holds what parts have made, by their identity."""
        for argument in self.arguments:
            if id(argument) not in known:
                known[id(argument)] = argument.evaluate(integers, known)
        return self.step.compute(*(known[id(argument)] for argument in self.arguments))


Chain = Accumulator | Applied


def evaluate(chain: Chain, integers: Int) -> Float:
    """The values of ``chain`` for ``integers``, int64 (n, C); float32 of that shape."""
    with np.errstate(all="ignore"):
        return chain.evaluate(integers, {})


def accumulator_of(chain: Chain) -> Accumulator:
    """Where ``chain`` begins."""
    while isinstance(chain, Applied):
        chain = chain.arguments[0]
    return chain


@dataclass(frozen=True, eq=False)
class Quantizer:
    """The end of a chain: integers of float32 (n, C), from ``low`` to ``high``."""

    where: str
    round: Callable[[Float], Float]
    low: int
    high: int


def add(where: str, constant: Float) -> Step:
    """x + constant."""
    return Step(where, lambda x: x + constant, monotone=True)


def subtract(where: str, constant: Float) -> Step:
    """x − constant."""
    return Step(where, lambda x: x - constant, monotone=True)


def subtract_from(where: str, constant: Float) -> Step:
    """constant − x."""
    return Step(where, lambda x: constant - x, monotone=True)


def multiply(where: str, constant: Float) -> Step:
    """x · constant."""
    return Step(where, lambda x: x * constant, monotone=True)


def divide(where: str, constant: Float) -> Step:
    """x / constant; raises SephwError where that has a 0."""
    _require_divisor(where, constant)
    return Step(where, lambda x: x / constant, monotone=True)


def product(where: str) -> Step:
    """x · y, of two chains from one accumulator, as x · sigmoid(x)."""
    return Step(where, lambda x, y: x * y, monotone=False)


def total(where: str) -> Step:
    """x + y, of two chains from one accumulator."""
    return Step(where, lambda x, y: x + y, monotone=False)


def batch_norm(
    where: str, scale: Float, bias: Float, mean: Float, variance: Float, *, epsilon: float
) -> Step:
    """BatchNormalization: one factor and one constant are made first, as onnxruntime does."""
    factor = np.float32(1) / np.sqrt(variance + np.float32(epsilon)) * scale
    constant = bias - mean * factor
    return Step(where, lambda x: x * factor + constant, monotone=True)


def relu(where: str) -> Step:
    """max(x, 0)."""
    return Step(where, lambda x: np.maximum(x, np.float32(0)), monotone=True)


def clip(where: str, low: float, high: float) -> Step:
    """Clip; Relu6 is 0 to 6, HardTanh −1 to 1. An end may be infinite."""
    ends = np.float32(low), np.float32(high)
    return Step(where, lambda x: np.minimum(np.maximum(x, ends[0]), ends[1]), monotone=True)


def leaky_relu(where: str, alpha: float) -> Step:
    """x, or alpha · x where x is negative."""
    slope = np.float32(alpha)
    return Step(where, lambda x: np.where(x < 0, x * slope, x), monotone=alpha >= 0)


def hard_sigmoid(where: str, alpha: float = 0.2, beta: float = 0.5) -> Step:
    """alpha · x + beta within 0 and 1."""
    return Step(where, lambda x: _hard_sigmoid(x, alpha, beta), monotone=True)


def hard_swish(where: str) -> Step:
    """x · hard_sigmoid(x), with x / 6 + 1/2; it falls before it rises."""
    return Step(where, lambda x: _hard_sigmoid(x, 1 / 6, 0.5) * x, monotone=False)


def sign(where: str) -> Step:
    """−1, 0 or 1."""
    return Step(where, np.sign, monotone=True)


def runtime_function(where: str, operator: str) -> Step:
    """Sigmoid, Tanh or Erf."""
    return Step(where, lambda x: _runtime(operator, x), monotone=False)


def uniform_quantizer(
    where: str,
    scale: Float,
    zero_point: Float,
    bits: int,
    *,
    signed: bool,
    narrow: bool,
    rounding_mode: str,
) -> Quantizer:
    """QONNX' Quant, without the product with ``scale`` at its end.

    ``scale`` and ``zero_point``: one number, or (C,). Raises SephwError for a rounding mode that is
    none of QONNX', for one signed bit, which tools read in different ways, and for a scale of 0.
    """
    mode = rounding_mode.upper()
    if mode not in ROUNDERS:
        raise SephwError(
            f"{where}: rounding_mode {mode} is none of QONNX'; use one of " + ", ".join(ROUNDERS)
        )
    if signed and bits == 1:
        raise SephwError(
            f"{where}: 1 signed bit, which tools read in different ways; use BipolarQuant"
        )
    _require_divisor(where, scale)
    low = (-(2 ** (bits - 1)) + narrow) if signed else 0
    high = (2 ** (bits - 1) - 1) if signed else 2**bits - 1 - narrow
    ends = np.float32(low), np.float32(high)

    def rounded(x: Float) -> Float:
        # Clipped first, as QONNX does; what is out of range could be infinite.
        levels = np.minimum(np.maximum(x / scale + zero_point, ends[0]), ends[1])
        return ROUNDERS[mode](levels)

    return Quantizer(where, rounded, low, high)


def bipolar_quantizer(where: str) -> Quantizer:
    """QONNX' BipolarQuant: 1 stands for +scale, 0 for −scale."""
    return Quantizer(where, lambda x: (x >= 0).astype(np.float32), 0, 1)


def multi_threshold(where: str, thresholds: Float) -> Quantizer:
    """QONNX' MultiThreshold: how many of ``thresholds``, float32 (C, n) or (1, n), x reaches."""

    def counted(x: Float) -> Float:
        reached = np.zeros(x.shape, np.float32)
        for column in thresholds.T:
            reached += x >= column
        return reached

    return Quantizer(where, counted, 0, thresholds.shape[1])


def _require_divisor(where: str, constant: Float) -> None:
    if not np.all(constant):
        raise SephwError(f"{where}: divides by 0; give it a scale that is not 0")


def _hard_sigmoid(x: Float, alpha: float, beta: float) -> Float:
    raised = x * np.float32(alpha) + np.float32(beta)
    return np.minimum(np.maximum(raised, np.float32(0)), np.float32(1))


def _runtime(operator: str, x: Float) -> Float:
    (found,) = _session(operator).run(None, {"x": np.ascontiguousarray(x)})
    result: Float = found
    return result


@cache
def _session(operator: str) -> Any:
    """onnxruntime with a graph of ``operator`` alone."""
    # Loaded where a file has such an operator, which takes longer than reading most files.
    import onnxruntime
    from onnx import TensorProto, helper

    if operator not in _RUNTIME_FUNCTIONS:
        raise ValueError(f"{operator} is none of {_RUNTIME_FUNCTIONS}")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy"]
    node = helper.make_node(operator, ["x"], ["y"])
    graph = helper.make_graph([node], operator, ends[:1], ends[1:])
    opset = helper.make_opsetid("", _OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


__all__ = [
    "Accumulator",
    "Applied",
    "Chain",
    "Quantizer",
    "Step",
    "accumulator_of",
    "add",
    "batch_norm",
    "bipolar_quantizer",
    "clip",
    "divide",
    "evaluate",
    "hard_sigmoid",
    "hard_swish",
    "leaky_relu",
    "multi_threshold",
    "multiply",
    "product",
    "relu",
    "runtime_function",
    "sign",
    "subtract",
    "subtract_from",
    "total",
    "uniform_quantizer",
]
