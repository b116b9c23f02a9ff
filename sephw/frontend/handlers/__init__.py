"""ONNX operators → nodes of the hardware graph, one function per ONNX operator.

The functions follow values as sums of branches: a convolution starts a branch, Mul and Add scale
and join branches, a Quant rounds them in one Join.
"""

from __future__ import annotations

from collections.abc import Callable

from sephw.frontend.call import Call
from sephw.frontend.handlers.concat import concat
from sephw.frontend.handlers.conv import conv, gemm, matmul
from sephw.frontend.handlers.elementwise import add, multiply, relu
from sephw.frontend.handlers.pool import average_pool, max_pool, reduce_mean, reduce_sum
from sephw.frontend.handlers.quant import bipolar_quant, quant
from sephw.frontend.handlers.shape import identity, reshape, transpose
from sephw.frontend.values import Value

HANDLERS: dict[str, Callable[[Call], Value]] = {
    "Add": add,
    "AveragePool": average_pool,
    "BipolarQuant": bipolar_quant,
    "Concat": concat,
    "Conv": conv,
    "Dropout": identity,
    "Flatten": reshape,
    "Gemm": gemm,
    "GlobalAveragePool": reduce_mean,
    "Identity": identity,
    "MatMul": matmul,
    "MaxPool": max_pool,
    "Mul": multiply,
    "Quant": quant,
    "ReduceMean": reduce_mean,
    "ReduceSum": reduce_sum,
    "Relu": relu,
    "Reshape": reshape,
    "Squeeze": reshape,
    "Transpose": transpose,
}
