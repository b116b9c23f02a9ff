"""Networks whose batch norms and activations float32 rounds: one Thresholds each, and exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx_networks import OnnxNetwork
from plain_onnx import outcome

from sephw.frontend import read_qonnx
from sephw.passes import FoldingFile, lower
from sephw.sim import cycles

ACTIVATIONS = ("Relu", "LeakyRelu", "Clip", "HardSigmoid", "HardSwish")
MODES = ("ROUND", "HALF_UP", "FLOOR", "CEIL", "UP", "DOWN")


def norm(net: OnnxNetwork, module: str, source: str) -> str:
    """A batch norm as training leaves it; a third of its factors is negative."""
    channels = net.shapes[source]
    scale = net.rng.normal(0.5, 1, channels)
    values = (scale, *net.rng.normal(0, 0.3, (2, channels)), net.rng.uniform(0.1, 3, channels))
    names = [net.constant(f"{module}.{i}", value) for i, value in enumerate(values)]
    return net.made(net.node("BatchNormalization", module, [source, *names]), channels)


def activation(net: OnnxNetwork, module: str, source: str, kind: str) -> str:
    inputs = [source]
    if kind == "Clip":
        inputs += [net.constant(f"{module}.low", 0.0), net.constant(f"{module}.high", 6.0)]
    return net.made(net.node(kind, module, inputs), net.shapes[source])


def quantizer(net: OnnxNetwork, module: str, source: str, mode: str, bits: int) -> str:
    names = [
        net.constant(f"{module}.step", 2.0**-bits * 4),
        "zero",
        net.constant(f"{module}.bits", bits),
    ]
    settings = {"signed": 0, "narrow": 0, "rounding_mode": mode}
    return net.made(net.node("Quant", module, [source, *names], **settings), net.shapes[source])


def network(seed: int) -> OnnxNetwork:
    """Three convolutions with batch norms, a pool and a classifier; every part drawn."""
    net = OnnxNetwork(7, 6, 3, seed)
    draw = net.rng
    x = net.image()
    for i, channels in enumerate((5, 4, 6)):
        pattern = bool(draw.random() < 0.5)
        x = net.conv(f"c{i}", x, channels, (3, 3), pattern=pattern)
        x = norm(net, f"n{i}", x)
        x = activation(net, f"a{i}", x, str(draw.choice(ACTIVATIONS)))
        x = quantizer(net, f"q{i}", x, str(draw.choice(MODES)), int(draw.integers(1, 9)))
    x = net.global_sum("pool", net.max_pool("p", x, 2, 2), 9)
    x = quantizer(net, "last", x, "ROUND", 6)
    return net if draw.random() < 0.5 else with_classifier(net, x)


def with_classifier(net: OnnxNetwork, x: str) -> OnnxNetwork:
    flat = net.made(net.node("Flatten", "flat", [x], axis=1), net.shapes[x])
    weights = net.constant("w", net.rng.integers(-60, 61, (net.shapes[x], 5)) / 64)
    net.made(net.node("MatMul", "head", [flat, weights]), 5)
    return net


@pytest.mark.parametrize("seed", range(24))
def test_random_networks_equal_their_file(seed: int, tmp_path: Path) -> None:
    assert outcome(network(seed).model(), tmp_path) == "exact"


@pytest.mark.parametrize("kind", ["Sigmoid", "Tanh", "Erf"])
def test_functions_that_onnxruntime_rounds_its_own_way(kind: str, tmp_path: Path) -> None:
    """Coarse steps: where its last bits go up and down, a finer quantizer may see it."""
    net = OnnxNetwork(5, 5, 2, 3)
    x = norm(net, "n", net.conv("conv", net.image(), 4, (3, 3)))
    quantizer(net, "q", activation(net, "a", x, kind), "ROUND", 4)
    assert outcome(net.model(), tmp_path) == "exact"


def gelu(net: OnnxNetwork, x: str) -> str:
    root, one, half = (net.constant(n, v) for n, v in (("r", 2**0.5), ("o", 1.0), ("h", 0.5)))
    found = net.node("Div", "g", [x, root])
    found = net.node("Add", "g", [net.node("Erf", "g", [found]), one])
    return net.node("Mul", "g", [net.node("Mul", "g", [x, found]), half])


def silu(net: OnnxNetwork, x: str) -> str:
    return net.node("Mul", "s", [net.node("Sigmoid", "s", [x]), x])


def decomposed_hard_swish(net: OnnxNetwork, x: str) -> str:
    three, ends = net.constant("t", 3.0), [net.constant("l", 0.0), net.constant("h", 6.0)]
    gate = net.node("Clip", "s", [net.node("Add", "s", [three, x]), *ends])
    return net.node("Div", "s", [net.node("Mul", "s", [gate, x]), net.constant("six", 6.0)])


@pytest.mark.parametrize("function", [gelu, silu, decomposed_hard_swish])
def test_functions_of_several_nodes(function, tmp_path: Path) -> None:
    net = OnnxNetwork(5, 5, 2, 3)
    x = net.conv("conv", net.image(), 4, (3, 3))
    quantizer(net, "q", net.made(function(net, x), 4), "ROUND", 6)
    assert outcome(net.model(), tmp_path) == "exact"


def test_one_node_between_convolution_and_convolution(tmp_path: Path) -> None:
    """What the graph consists of, and that the cycle simulator moves the same integers."""
    net = OnnxNetwork(6, 6, 2, 8)
    x = quantizer(net, "q", norm(net, "n", net.conv("c", net.image(), 4, (3, 3))), "ROUND", 4)
    quantizer(net, "r", norm(net, "m", net.conv("d", x, 3)), "HALF_UP", 8)
    graph = read_qonnx(net.save(tmp_path / "net.onnx")).graph
    kinds = [node.operator.kind for node in graph.nodes]
    assert kinds == ["sliding_window", "conv8", "thresholds", "conv8", "thresholds"]
    images = np.random.default_rng(0).integers(0, 256, (3, 6, 6, 2))
    lowered = lower(graph, FoldingFile({}, 1 << 9))
    found = cycles.run(lowered, images)
    golden = graph.run(images)
    for name in graph.outputs:
        assert np.array_equal(found.values[name].reshape(golden[name].shape), golden[name])


def test_exact_sums_stay_joins(tmp_path: Path) -> None:
    net = OnnxNetwork(6, 6, 2, 8)
    net.act("end", net.act("first", net.conv("c", net.image(), 4, (3, 3))))
    kinds = {n.operator.kind for n in read_qonnx(net.save(tmp_path / "net.onnx")).graph.nodes}
    assert "join" in kinds and "thresholds" not in kinds


def test_an_accumulator_that_float32_rounds(tmp_path: Path) -> None:
    """Sums of more than 24 bits are no file's integers."""

    def wide(bits: int) -> OnnxNetwork:
        net = OnnxNetwork(1, 1, 64, 2)
        x = net.quant("x", net.conv("a", net.image(), 640), bits=bits)
        weights = net.constant("w", np.full((1, 640, 1, 1), 127 / 128))
        x = net.made(net.node("Conv", "big", [x, weights]), 1)
        quantizer(net, "q", norm(net, "n", x), "ROUND", 8)
        return net

    assert outcome(wide(12).model(), tmp_path) == (
        "Quant 'q': its accumulator needs 29 bits, more than float32 holds exactly; use weights of "
        "fewer bits, or fewer input channels"
    )
    assert outcome(wide(7).model(), tmp_path) == "exact"
