"""ONNX operators → nodes of the hardware graph, one handler per ONNX operator.

The handlers follow values as sums of branches: a convolution starts a branch, Mul and Add scale
and join branches, a Quant rounds them in one Join. What float32 rounds on the way follows as a
chain of steps of one accumulator, which a Quant turns into Thresholds. Each declares the attributes
and inputs that it understands; `dispatch` refuses nodes that have others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sephw.frontend.handler import Handler, NoAttributes, quantizer
from sephw.frontend.handlers.activation import (
    BatchNormAttributes,
    HardSigmoidAttributes,
    LeakyReluAttributes,
    batch_norm,
    clip,
    hard_sigmoid,
    hard_swish,
    leaky_relu,
    runtime_function,
    sign,
)
from sephw.frontend.handlers.concat import ConcatAttributes, concat
from sephw.frontend.handlers.conv import ConvAttributes, GemmAttributes, conv, gemm, matmul
from sephw.frontend.handlers.elementwise import add, divide, multiply, relu, subtract
from sephw.frontend.handlers.pool import (
    AveragePoolAttributes,
    MaxPoolAttributes,
    ReduceAttributes,
    average_pool,
    global_average_pool,
    max_pool,
    reduce_mean,
    reduce_sum,
)
from sephw.frontend.handlers.quant import QuantAttributes, bipolar_quant, quant
from sephw.frontend.handlers.shape import (
    ConstantAttributes,
    DropoutAttributes,
    FlattenAttributes,
    ReshapeAttributes,
    SqueezeAttributes,
    TransposeAttributes,
    constant,
    dropout,
    flatten,
    identity,
    reshape,
    squeeze,
    transpose,
)

HANDLERS: Mapping[str, Handler[Any]] = {
    "Add": Handler(add, NoAttributes, inputs=2),
    "AveragePool": Handler(average_pool, AveragePoolAttributes, inputs=1),
    "BatchNormalization": Handler(batch_norm, BatchNormAttributes, inputs=5),
    "BipolarQuant": quantizer(bipolar_quant, NoAttributes, inputs=2),
    "Clip": Handler(clip, NoAttributes, inputs=3),
    "Concat": Handler(concat, ConcatAttributes, inputs=None),
    "Constant": Handler(constant, ConstantAttributes, inputs=0),
    "Conv": Handler(conv, ConvAttributes, inputs=3),
    "Div": Handler(divide, NoAttributes, inputs=2),
    "Dropout": Handler(dropout, DropoutAttributes, inputs=3, passes_image=True),
    "Erf": Handler(runtime_function, NoAttributes, inputs=1),
    "Flatten": Handler(flatten, FlattenAttributes, inputs=1),
    "Gemm": Handler(gemm, GemmAttributes, inputs=3),
    "GlobalAveragePool": Handler(global_average_pool, NoAttributes, inputs=1),
    "HardSigmoid": Handler(hard_sigmoid, HardSigmoidAttributes, inputs=1),
    "HardSwish": Handler(hard_swish, NoAttributes, inputs=1),
    "Identity": Handler(identity, NoAttributes, inputs=1, passes_image=True),
    "IntQuant": quantizer(quant, QuantAttributes, inputs=4, passes_image=True),
    "LeakyRelu": Handler(leaky_relu, LeakyReluAttributes, inputs=1),
    "MatMul": Handler(matmul, NoAttributes, inputs=2),
    "MaxPool": Handler(max_pool, MaxPoolAttributes, inputs=1),
    "Mul": Handler(multiply, NoAttributes, inputs=2),
    "Quant": quantizer(quant, QuantAttributes, inputs=4, passes_image=True),
    "ReduceMean": Handler(reduce_mean, ReduceAttributes, inputs=2),
    "ReduceSum": Handler(reduce_sum, ReduceAttributes, inputs=2),
    "Relu": Handler(relu, NoAttributes, inputs=1),
    "Reshape": Handler(reshape, ReshapeAttributes, inputs=2),
    "Sigmoid": Handler(runtime_function, NoAttributes, inputs=1),
    "Sign": Handler(sign, NoAttributes, inputs=1),
    "Squeeze": Handler(squeeze, SqueezeAttributes, inputs=2),
    "Sub": Handler(subtract, NoAttributes, inputs=2),
    "Tanh": Handler(runtime_function, NoAttributes, inputs=1),
    "Transpose": Handler(transpose, TransposeAttributes, inputs=1, passes_image=True),
}
