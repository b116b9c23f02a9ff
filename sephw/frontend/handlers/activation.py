"""Functions of one activation: steps of the chain between an accumulator and a quantizer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sephw.errors import SephwError
from sephw.frontend import chain
from sephw.frontend.call import NodeCall
from sephw.frontend.handler import NoAttributes
from sephw.frontend.values import Curve, Value


@dataclass(frozen=True)
class BatchNormAttributes:
    """The attributes of BatchNormalization; ``momentum`` has no effect at inference."""

    epsilon: float = 1e-5
    momentum: float = 0.9
    training_mode: bool = False


@dataclass(frozen=True)
class LeakyReluAttributes:
    """The attributes of LeakyRelu."""

    alpha: float = 0.01


@dataclass(frozen=True)
class HardSigmoidAttributes:
    """The attributes of HardSigmoid."""

    alpha: float = 0.2
    beta: float = 0.5


def batch_norm(call: NodeCall, given: BatchNormAttributes) -> Value:
    """BatchNormalization of inference."""
    if given.training_mode:
        raise SephwError(f"{call.where}: training_mode is set; export in evaluation mode")
    curve = _curve(call)
    channels = call.builder.tensors[curve.tensor].channels
    scale, bias, mean, variance = (call.constant(index) for index in (1, 2, 3, 4))
    for values in (scale, bias, mean, variance):
        if values.shape != (channels,):
            raise SephwError(
                f"{call.where}: constants of shape {values.shape} for {channels} channels; export "
                "it again"
            )
    if not (variance + np.float32(given.epsilon) > 0).all():
        raise SephwError(f"{call.where}: a variance is negative; export it again")
    made = chain.batch_norm(call.where, scale, bias, mean, variance, epsilon=given.epsilon)
    return _after(curve, made)


def clip(call: NodeCall, given: NoAttributes) -> Value:
    """Clip to two constants, either of which may be missing."""
    ends = [-np.inf, np.inf]
    for index in (1, 2):
        if call.optional(index) is not None:
            ends[index - 1] = call.scalar(index)
    return _after(_curve(call), chain.clip(call.where, ends[0], ends[1]))


def leaky_relu(call: NodeCall, given: LeakyReluAttributes) -> Value:
    """LeakyRelu."""
    return _after(_curve(call), chain.leaky_relu(call.where, given.alpha))


def hard_sigmoid(call: NodeCall, given: HardSigmoidAttributes) -> Value:
    """HardSigmoid."""
    return _after(_curve(call), chain.hard_sigmoid(call.where, given.alpha, given.beta))


def hard_swish(call: NodeCall, given: NoAttributes) -> Value:
    """HardSwish."""
    return _after(_curve(call), chain.hard_swish(call.where))


def runtime_function(call: NodeCall, given: NoAttributes) -> Value:
    """Sigmoid, Tanh, Erf."""
    return _after(_curve(call), chain.runtime_function(call.where, call.node.op_type))


def sign(call: NodeCall, given: NoAttributes) -> Value:
    """Sign."""
    return _after(_curve(call), chain.sign(call.where))


def _after(curve: Curve, step: chain.Step) -> Curve:
    return replace(curve, chain=chain.Applied(step, (curve.chain,)))


def _curve(call: NodeCall) -> Curve:
    """Input 0; SephwError where it is not a function of one exact accumulator."""
    curve = call.curve(0)
    if curve is None:
        # What else it is has its own words.
        call.sum(0)
        raise SephwError(
            f"{call.where}: reads a sum of several activations or of a layer's own bias, which "
            "float32 may round in any order; put a quantizer (Quant; sephw.nn.QuantReLU) between "
            "them, or the bias into an Add"
        )
    return curve
