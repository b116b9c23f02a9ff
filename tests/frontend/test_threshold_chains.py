"""Thresholds of random chains: equal to what onnxruntime and qonnx compute, at every integer."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import NodeProto, TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.general.intquant import int_quant
from qonnx.custom_op.general.multithreshold import multithreshold
from qonnx.transformation.infer_shapes import InferShapes

from sephw.errors import SephwError
from sephw.frontend import chain as c
from sephw.frontend.rounding import ROUNDERS
from sephw.frontend.thresholds import MOST_VALUES, MonotoneProof, find_thresholds
from sephw.ir import IntType
from sephw.ops import Thresholds

F = np.float32
CHANNELS = 3
ROUND_NUMBERS = (-2, -1, -0.5, -0.25, 0.125, 0.25, 0.5, 1, 1.5, 2, 3)
ROUNDING_MODES = ("ROUND", "HALF_UP", "FLOOR", "CEIL", "UP", "DOWN", "HALF_DOWN", "HALF_EVEN")


@dataclass
class Both:
    """A chain as steps and as ONNX nodes, which grow together."""

    rng: np.random.Generator
    chain: c.Chain
    name: str = "x"
    nodes: list[NodeProto] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)

    def numbers(self, spread: float = 1.0) -> np.ndarray:
        """Per channel or one; dyadic ones give ties."""
        shape = (CHANNELS,) if self.rng.random() < 0.6 else ()
        if self.rng.random() < 0.4:
            return np.asarray(self.rng.choice(ROUND_NUMBERS, shape), F)
        return np.asarray(self.rng.normal(0, spread, shape), F)

    def constant(self, values: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(values, F)
        return name

    def node(self, kind: str, *inputs: str, **attributes: float) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def then(self, step: c.Step, name: str, *others: c.Chain) -> None:
        self.chain, self.name = c.Applied(step, (self.chain, *others)), name


def add(b: Both) -> None:
    value = b.numbers()
    b.then(c.add("Add", value), b.node("Add", b.name, b.constant(value)))


def subtract(b: Both) -> None:
    value = b.numbers()
    b.then(c.subtract("Sub", value), b.node("Sub", b.name, b.constant(value)))


def subtract_from(b: Both) -> None:
    value = b.numbers()
    b.then(c.subtract_from("Sub", value), b.node("Sub", b.constant(value), b.name))


def multiply(b: Both) -> None:
    value = b.numbers()
    b.then(c.multiply("Mul", value), b.node("Mul", b.name, b.constant(value)))


def divide(b: Both) -> None:
    value = b.numbers()
    b.then(c.divide("Div", value), b.node("Div", b.name, b.constant(value)))


def batch_norm(b: Both) -> None:
    scale, bias, mean = b.rng.normal(0, 1, (3, CHANNELS)).astype(F)
    variance = b.rng.uniform(0, 2, CHANNELS).astype(F)
    epsilon = float(b.rng.choice([1e-5, 1e-3]))
    step = c.batch_norm("BatchNormalization", scale, bias, mean, variance, epsilon=epsilon)
    inputs = [b.constant(values) for values in (scale, bias, mean, variance)]
    b.then(step, b.node("BatchNormalization", b.name, *inputs, epsilon=epsilon))


def relu(b: Both) -> None:
    b.then(c.relu("Relu"), b.node("Relu", b.name))


def clip(b: Both) -> None:
    low, high = b.rng.choice([(0, 6), (-1, 1), (-0.3, 2.7)])
    ends = b.constant(low), b.constant(high)
    b.then(c.clip("Clip", low, high), b.node("Clip", b.name, *ends))


def leaky_relu(b: Both) -> None:
    alpha = float(b.rng.choice([0.1, 0.01, 0.25, -0.1]))
    b.then(c.leaky_relu("LeakyRelu", alpha), b.node("LeakyRelu", b.name, alpha=alpha))


def hard_sigmoid(b: Both) -> None:
    alpha = float(b.rng.choice([0.2, 1 / 6, -0.5]))
    step = c.hard_sigmoid("HardSigmoid", alpha, 0.5)
    b.then(step, b.node("HardSigmoid", b.name, alpha=alpha, beta=0.5))


def hard_swish(b: Both) -> None:
    b.then(c.hard_swish("HardSwish"), b.node("HardSwish", b.name))


def sign(b: Both) -> None:
    b.then(c.sign("Sign"), b.node("Sign", b.name))


def runtime(b: Both) -> None:
    kind = str(b.rng.choice(["Sigmoid", "Tanh", "Erf"]))
    b.then(c.runtime_function(kind, kind), b.node(kind, b.name))


def silu(b: Both) -> None:
    before, name = b.chain, b.name
    b.then(c.runtime_function("Sigmoid", "Sigmoid"), b.node("Sigmoid", name))
    b.then(c.product("Mul"), b.node("Mul", b.name, name), before)


def gelu(b: Both) -> None:
    before, name = b.chain, b.name
    root, one, half = F(np.sqrt(2)), F(1), F(0.5)
    b.then(c.divide("Div", root), b.node("Div", name, b.constant(root)))
    b.then(c.runtime_function("Erf", "Erf"), b.node("Erf", b.name))
    b.then(c.add("Add", one), b.node("Add", b.name, b.constant(one)))
    b.then(c.product("Mul"), b.node("Mul", b.name, name), before)
    b.then(c.multiply("Mul", half), b.node("Mul", b.name, b.constant(half)))


def residual(b: Both) -> None:
    before, name = b.chain, b.name
    leaky_relu(b)
    b.then(c.total("Add"), b.node("Add", b.name, name), before)


STEPS = (
    add,
    subtract,
    subtract_from,
    multiply,
    divide,
    batch_norm,
    relu,
    clip,
    leaky_relu,
    hard_sigmoid,
    hard_swish,
    sign,
    runtime,
    silu,
    gelu,
    residual,
)


@dataclass
class Drawn:
    """A chain with its quantizer, and the integers that it is asked for."""

    both: Both
    quantizer: c.Quantizer
    quant: dict[str, object]
    low: np.ndarray
    high: np.ndarray
    scale: np.ndarray

    def grid(self) -> np.ndarray:
        """Every integer of every channel, (n, C); shorter channels stay at their ends."""
        steps = np.arange((self.high - self.low).max() + 1)[:, None]
        return np.minimum(self.low + steps, self.high)

    def expected(self) -> np.ndarray:
        """By a session of the nodes without rewriting, and qonnx' own functions."""
        x = (self.grid() * np.asarray(self.scale, np.float64)).astype(F)
        values = x
        if self.both.nodes:
            options = onnxruntime.SessionOptions()
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            options.intra_op_num_threads, options.log_severity_level = 1, 3
            model = model_of(self.both, self.both.nodes, self.both.name, x.shape)
            session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            (values,) = session.run(None, {"x": x})
        with np.errstate(all="ignore"):
            values = np.broadcast_to(values, x.shape)
            if "thresholds" in self.quant:
                return multithreshold(values, self.quant["thresholds"])
            zero_point, scale = self.quant["zero_point"], self.quant["scale"]
            rest = {k: v for k, v in self.quant.items() if k not in ("zero_point", "scale", "bits")}
            # Without the product behind the rounding: that of a scale of 1.
            bits = F(self.quant["bits"])
            return int_quant(values / scale, F(1), zero_point, bits, **rest) + zero_point


def model_of(both: Both, nodes: list[NodeProto], output: str, shape: tuple[int, ...]):
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", output)]
    held = [numpy_helper.from_array(values, name) for name, values in both.constants.items()]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], held)
    opsets = [
        helper.make_opsetid("", 14),
        helper.make_opsetid("qonnx.custom_op.general", 1),
    ]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


# SEPHW_CHAINS=2600 is the long sweep: a minute and a half.
CHAINS = int(os.environ.get("SEPHW_CHAINS", "400"))


def draw(names: list[int], seed: int) -> Drawn:
    rng = np.random.default_rng(seed)
    scale = np.asarray(np.exp(rng.uniform(-7, 0, rng.choice([1, CHANNELS]))).astype(F), np.float64)
    if rng.random() < 0.3:
        scale = np.asarray([2.0 ** rng.integers(-6, 1)])
    both = Both(rng, c.Accumulator(scale))
    for number in names:
        STEPS[number](both)
    reach = int(np.exp(rng.uniform(1, 6.2)))
    low = -rng.integers(0, reach, CHANNELS)
    high = low + rng.integers(0, reach, CHANNELS)
    if rng.random() < 0.15:
        levels = np.sort(rng.normal(0, 2, (int(rng.choice([1, CHANNELS])), 7)).astype(F), axis=1)
        quantizer = c.multi_threshold("MultiThreshold 'q'", levels)
        return Drawn(both, quantizer, {"thresholds": levels}, low, high, scale)
    signed = bool(rng.random() < 0.5)
    given = {
        "bits": int(rng.integers(1 + signed, 9)),
        "signed": signed,
        "narrow": bool(rng.random() < 0.3),
        "rounding_mode": str(rng.choice(ROUNDING_MODES)),
    }
    step = np.abs(both.numbers(0.3))
    step = np.where(step == 0, F(1), step).astype(F)
    zero_point = F(rng.choice([0, 0, 0, 1, 3]))
    quantizer = c.uniform_quantizer("Quant 'q'", step, zero_point, **given)
    quant = {"scale": step, "zero_point": zero_point, **given}
    return Drawn(both, quantizer, quant, low, high, scale)


def check(drawn: Drawn) -> str:
    """Which of the three things came out, each compared with what was expected."""
    expected = drawn.expected()
    chain, quantizer = drawn.both.chain, drawn.quantizer
    steps = np.diff(expected, axis=0)
    if np.isnan(expected).any():
        with pytest.raises(SephwError, match="reads NaN"):
            find_thresholds(chain, quantizer, drawn.low, drawn.high)
        return "NaN"
    if ((steps > 0).any(axis=0) & (steps < 0).any(axis=0)).any():
        with pytest.raises(SephwError, match="is not monotone"):
            find_thresholds(chain, quantizer, drawn.low, drawn.high)
        return "not monotone"
    found = find_thresholds(chain, quantizer, drawn.low, drawn.high)
    grid = drawn.grid()
    highest = found.offset + found.thresholds.shape[1]
    operator = Thresholds(
        height=len(grid),
        width=1,
        channels=CHANNELS,
        input_dtype=IntType.covering(int(grid.min()), int(grid.max())),
        thresholds=found.thresholds,
        decreasing=found.decreasing,
        offset=found.offset,
        output_dtype=IntType.covering(found.offset, highest),
    )
    (made,) = operator.reference(grid[None, :, None, :])
    assert np.array_equal(made[0, :, 0], expected.astype(np.int64))
    return "monotone"


def test_random_chains_at_every_integer() -> None:
    outcomes: Counter[str] = Counter()

    @settings(
        max_examples=CHAINS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.lists(st.integers(0, len(STEPS) - 1), max_size=5),
        st.integers(0, 2**32 - 1),
    )
    def every_chain(names: list[int], seed: int) -> None:
        outcomes[check(draw(names, seed))] += 1

    every_chain()
    assert outcomes["monotone"] >= 0.75 * CHAINS, outcomes
    assert outcomes["not monotone"] >= CHAINS // 130, outcomes


@pytest.mark.parametrize("seed", range(12))
def test_qonnx_executes_the_same(seed: int) -> None:
    """A whole graph with its Quant, by qonnx' executor."""
    rng = np.random.default_rng(seed)
    drawn = draw(rng.integers(0, len(STEPS), 3).tolist(), 1000 + seed)
    while "thresholds" in drawn.quant:
        drawn = draw(rng.integers(0, len(STEPS), 3).tolist(), int(rng.integers(1 << 30)))
    both, quant = drawn.both, drawn.quant
    inputs = [both.constant(np.asarray(quant[key])) for key in ("scale", "zero_point", "bits")]
    node = helper.make_node(
        "Quant",
        [both.name, *inputs],
        ["y"],
        domain="qonnx.custom_op.general",
        signed=int(quant["signed"]),
        narrow=int(quant["narrow"]),
        rounding_mode=quant["rounding_mode"],
    )
    x = (drawn.grid() * drawn.scale).astype(F)
    model = ModelWrapper(model_of(both, [*both.nodes, node], "y", x.shape)).transform(InferShapes())
    made = execute_onnx(model, {"x": x})["y"]
    assert np.array_equal(made, (drawn.expected() - quant["zero_point"]) * quant["scale"])
    check(drawn)


def byte(scale: float, signed: bool = False) -> c.Quantizer:
    return c.uniform_quantizer(
        "Quant 'q'", F(scale), F(0), 8, signed=signed, narrow=False, rounding_mode="ROUND"
    )


@pytest.mark.parametrize("mode", sorted(ROUNDERS))
def test_ranges_too_long_to_try(mode: str) -> None:
    """Proved step by step; each threshold is where the float32 chain changes."""
    chain = c.Applied(
        c.add("Add", np.array([0.3, -7.7], F)),
        (c.Applied(c.multiply("Mul", np.array([0.1, -0.37], F)), (c.Accumulator(1e-7),)),),
    )
    quantizer = c.uniform_quantizer(
        "Quant", F(0.07), F(0), 6, signed=True, narrow=False, rounding_mode=mode
    )
    low, high = np.full(2, -(1 << 34)), np.full(2, 1 << 34)
    found = find_thresholds(chain, quantizer, low, high)
    assert found.proof is MonotoneProof.EVERY_STEP
    assert found.decreasing.tolist() == [0, 1]
    inside = (found.thresholds > low[0]) & (found.thresholds < high[0])
    assert inside.sum() > 100
    for channel, falls in enumerate((False, True)):
        at = found.thresholds[channel][inside[channel]]
        both = np.stack([np.stack((at, at)), np.stack((at - 1, at + 1))])[:, 1 if falls else 0]
        values = np.zeros((2, len(at), 2), np.int64)
        values[..., channel] = both
        made = [quantizer.round(c.evaluate(chain, v))[:, channel] for v in values]
        # On the threshold the level is reached, beside it it is not.
        assert (made[0] > made[1]).all()


def test_every_value_is_tried_where_steps_prove_nothing() -> None:
    chain = c.Applied(c.runtime_function("Sigmoid 's'", "Sigmoid"), (c.Accumulator(1e-3),))
    ends = np.array([-5000]), np.array([5000])
    assert find_thresholds(chain, byte(1 / 255), *ends).proof is MonotoneProof.EVERY_VALUE
    far = np.array([-MOST_VALUES]), np.array([MOST_VALUES])
    with pytest.raises(SephwError) as error:
        find_thresholds(chain, byte(1 / 255), *far)
    assert str(error.value) == (
        "Quant 'q': Sigmoid 's' before it may not be monotone, and the accumulator has 2,097,153 "
        "values, of which at most 1,048,576 are tried; use Relu, Clip or HardSigmoid in its place, "
        "or weights and inputs of fewer bits before it"
    )
    easy = c.Applied(c.hard_sigmoid("HardSigmoid 's'"), chain.arguments)
    assert find_thresholds(easy, byte(1 / 255), *far).thresholds.shape == (1, 255)


def test_what_is_not_monotone_is_refused_by_name() -> None:
    start = c.Accumulator(1e-2)
    chain = c.Applied(c.hard_swish("HardSwish 'act'"), (start,))
    ends = np.array([-900, -900]), np.array([900, 900])
    # Unsigned levels do not see the dip.
    assert find_thresholds(chain, byte(0.05), *ends).proof is MonotoneProof.EVERY_VALUE
    with pytest.raises(SephwError) as error:
        find_thresholds(chain, byte(0.05, signed=True), *ends)
    assert str(error.value) == (
        "Quant 'q': HardSwish 'act' before it is not monotone: channel 0 rises and falls while the "
        "accumulator goes from -900 to 900; use Relu, Clip or HardSigmoid in its place"
    )
    find_thresholds(c.Applied(c.relu("Relu 'act'"), (start,)), byte(0.05, signed=True), *ends)


def test_other_refusals() -> None:
    ends = np.array([-900]), np.array([900])
    wide = c.uniform_quantizer(
        "Quant 'q'", F(0.5), F(0), 9, signed=False, narrow=False, rounding_mode="ROUND"
    )
    with pytest.raises(SephwError) as error:
        find_thresholds(c.Accumulator(1.0), wide, *ends)
    assert str(error.value) == (
        "Quant 'q': makes 512 different integers; thresholds make at most 256: quantize to 8 bits"
    )
    find_thresholds(c.Accumulator(1.0), byte(0.5), *ends)
    bad = c.Applied(c.multiply("Mul", np.array([np.inf], F)), (c.Accumulator(1.0),))
    with pytest.raises(SephwError) as error:
        find_thresholds(bad, byte(0.5), *ends)
    assert str(error.value) == (
        "Quant 'q': reads NaN where the accumulator is 0; give the nodes before it finite "
        "constants and no 0 to divide by"
    )
    with pytest.raises(SephwError) as error:
        c.divide("Div 'd'", np.array([1, 0], F))
    assert str(error.value) == "Div 'd': divides by 0; give it a scale that is not 0"
