"""Every attribute and input that ONNX knows of an operator is understood, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, defs, helper
from onnx_networks import OnnxNetwork
from plain_onnx import outcome

from sephw.frontend.handlers import HANDLERS
from sephw.frontend.rounding import ROUNDERS

Build = Callable[[OnnxNetwork, str], str]


def _weights(net: OnnxNetwork, *shape: int) -> str:
    return net.constant("w", net.rng.integers(-3, 4, shape) / 8)


def _linear(kind: str, *shape: int) -> Build:
    def build(net: OnnxNetwork, x: str) -> str:
        total = net.quant("sums", net.global_sum("pool", x, 25), step_bits=4)
        flat = net.made(net.node("Flatten", "flat", [total], axis=1), 4)
        return net.made(net.node(kind, "op", [flat, _weights(net, *shape)]), 4)

    return build


def _pooled(kind: str, *more: str, **given: Any) -> Build:
    def build(net: OnnxNetwork, x: str) -> str:
        inputs = [x]
        for name in more:
            net.constant(name, [2, 3], np.int64)
            inputs.append(name)
        return net.made(net.node(kind, "op", inputs, **given), 4)

    return build


def _moved(kind: str, *, target: Any = None, **given: Any) -> Build:
    def build(net: OnnxNetwork, x: str) -> str:
        total = net.quant("sums", net.global_sum("pool", x, 25), step_bits=4)
        inputs = [total]
        if target is not None:
            inputs.append(net.constant("target", target, np.int64))
        flat = net.made(net.node(kind, "op", inputs, **given), 4)
        return net.made(net.node("MatMul", "head", [flat, _weights(net, 4, 4)]), 4)

    return build


def _two(kind: str) -> Build:
    return lambda net, x: net.made(
        net.node(kind, "op", [x, net.constant("c", np.full((1, 4, 1, 1), 0.5))]), 4
    )


def _of_weights(kind: str, **given: Any) -> Build:
    def build(net: OnnxNetwork, x: str) -> str:
        made = net.node(kind, "op", [_weights(net, 4, 4, 1, 1)], **given)
        return net.made(net.node("Conv", "conv", [x, made]), 4)

    return build


def _constant(net: OnnxNetwork, x: str) -> str:
    half = net.node("Constant", "op", [], value_float=0.5)
    return net.made(net.node("Mul", "mul", [x, half]), 4)


def _conv(net: OnnxNetwork, x: str) -> str:
    return net.made(net.node("Conv", "op", [x, _weights(net, 4, 4, 3, 3)], pads=[1] * 4), 4)


def _batch_norm(net: OnnxNetwork, x: str) -> str:
    names = [net.constant(f"n{i}", net.rng.uniform(0.1, 2, 4)) for i in range(4)]
    return net.made(net.node("BatchNormalization", "op", [x, *names]), 4)


def _clip(net: OnnxNetwork, x: str) -> str:
    return net.made(net.node("Clip", "op", [x, net.constant("l", 0.1), net.constant("h", 3)]), 4)


NETWORKS: dict[str, Build] = {
    "Add": _two("Add"),
    "AveragePool": _pooled("AveragePool", kernel_shape=[2, 2]),
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Concat": lambda net, x: net.made(net.node("Concat", "op", [x, x], axis=1), 8),
    "Constant": _constant,
    "Conv": _conv,
    "Div": _two("Div"),
    "Dropout": _pooled("Dropout"),
    "Erf": _pooled("Erf"),
    "Flatten": _moved("Flatten", axis=1),
    "Gemm": _linear("Gemm", 4, 4),
    "GlobalAveragePool": lambda net, x: net.made(
        net.node("GlobalAveragePool", "op", [net.max_pool("half", x, 2, 1)]), 4
    ),
    "HardSigmoid": _pooled("HardSigmoid"),
    "HardSwish": _pooled("HardSwish"),
    "Identity": _of_weights("Identity"),
    "LeakyRelu": _pooled("LeakyRelu"),
    "MatMul": _linear("MatMul", 4, 4),
    "MaxPool": _pooled("MaxPool", kernel_shape=[2, 2]),
    "Mul": _two("Mul"),
    "ReduceMean": lambda net, x: _pooled("ReduceMean", "axes")(net, net.max_pool("h", x, 2, 1)),
    "ReduceSum": _pooled("ReduceSum", "axes"),
    "Relu": _pooled("Relu"),
    "Reshape": _moved("Reshape", target=[1, 4]),
    "Sigmoid": _pooled("Sigmoid"),
    "Sign": _pooled("Sign"),
    "Squeeze": _moved("Squeeze", target=[2, 3]),
    "Sub": _two("Sub"),
    "Tanh": _pooled("Tanh"),
    "Transpose": _of_weights("Transpose", perm=[1, 0, 2, 3]),
}

# Other values of each type: small, zero, negative, lists of several lengths, words of any operator.
VALUES: dict[int, list[Any]] = {
    AttributeProto.INT: [0, 1, 2, -1, -3],
    AttributeProto.FLOAT: [0.0, 1.0, 0.5],
    AttributeProto.STRING: ["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET", "x"],
    AttributeProto.INTS: [
        [1, 1],
        [2, 2],
        [3, 3],
        [2, 1],
        [0, 0, 1, 1],
        [1, 0, 1, 0],
        [0, 1],
        [1],
        [2, 3],
        [-1, -2],
        [1, 0, 2, 3],
        [0, 1, 2, 3],
    ],
    AttributeProto.FLOATS: [[0.5], [0.5, 0.25, 0.5, 1.0]],
}


def network(kind: str) -> OnnxNetwork:
    """5×5 images, a quantized tensor of 4 channels, the operator, a quantizer where it may."""
    net = OnnxNetwork(5, 5, 2)
    x = net.act("first", net.conv("first.conv", net.image(), 4, (3, 3)), step_bits=5)
    made = NETWORKS[kind](net, x)
    net.quant("last", made, step_bits=4)
    return net


def variants(kind: str, opset: int):
    """The network with the operator's attributes changed, one at a time; what was changed."""
    schema = defs.get_schema(kind, opset)
    for name, attribute in schema.attributes.items():
        for value in VALUES.get(int(attribute.type.value), []):
            net = network(kind)
            (node,) = (n for n in net.nodes if n.name.startswith("/op/"))
            # auto_pad stands for pads.
            gone = {name, "pads"} if name == "auto_pad" else {name}
            kept = [a for a in node.attribute if a.name not in gone]
            if kind == "Constant":
                kept = []
            del node.attribute[:]
            node.attribute.extend([*kept, helper.make_attribute(name, value)])
            yield f"{name}={value}", net


def test_every_standard_operator_has_a_network():
    assert set(NETWORKS) == {k for k, h in HANDLERS.items() if "" in h.domains}


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_attribute_is_understood_or_refused(kind, tmp_path):
    """Whatever onnx' schema allows: read and equal to onnxruntime, or refused in one line."""
    assert outcome(network(kind).model(), tmp_path) == "exact"
    seen = {}
    for changed, net in variants(kind, 18):
        found = outcome(net.model(), tmp_path)
        assert found != "mismatch" and "\n" not in found, changed
        assert "defect" not in found, f"{changed}: {found}"
        seen[changed] = found
    schema = defs.get_schema(kind, 18)
    assert bool(seen) == any(int(a.type.value) in VALUES for a in schema.attributes.values())


@pytest.mark.parametrize("kind", NETWORKS)
def test_what_no_handler_declares_is_refused(kind, tmp_path):
    """An attribute of a later opset, another domain's operator, one input more."""
    net = network(kind)
    (node,) = (n for n in net.nodes if n.name.startswith("/op/"))
    node.domain = "com.example"
    model = net.model()
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    assert f"operator com.example.{kind} is not supported" in outcome(model, tmp_path)
    node.domain = "qonnx.custom_op.channels_last"
    assert "export the network with channels first" in outcome(net.model(), tmp_path)
    handler = HANDLERS[kind]
    if handler.inputs is not None:
        node.domain = ""
        node.input.extend(["zero"] * (handler.inputs + 1 - len(node.input)))
        found = outcome(net.model(), tmp_path)
        assert "inputs" in found or "input size" in found, found


def test_quant_by_its_other_name(tmp_path):
    """qonnx calls it IntQuant as well."""
    net = network("MaxPool")
    for node in net.nodes:
        node.op_type = node.op_type.replace("Quant", "IntQuant")
    assert outcome(net.model(), tmp_path) == "exact"


@pytest.mark.parametrize(
    ("kind", "attribute"), [("Quant", "axis"), ("BipolarQuant", "signed"), ("Conv", "block_size")]
)
def test_attributes_that_onnx_does_not_check(kind, attribute, tmp_path):
    """onnx knows nothing of QONNX' operators: what is not declared is refused all the same."""
    net = OnnxNetwork(4, 4, 2)
    net.act("act", net.conv("conv", net.image(), 3, (3, 3), pattern=True))
    node = next(n for n in net.nodes if n.op_type == kind)
    node.attribute.append(helper.make_attribute(attribute, 1))
    found = outcome(net.model(), tmp_path)
    assert attribute in found and "\n" not in found


# What of a Quant is changed, and the fix that the message names; None: understood as it is.
QUANTS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "narrow": ({"narrow": 1}, "set narrow=0", {"narrow": 0}),
    "signed": ({"signed": 1}, "set signed=0", {"signed": 0}),
    "no mode": (
        {"rounding_mode": "TIE"},
        "use one of ROUND, HALF_EVEN, FLOOR",
        {"rounding_mode": "FLOOR"},
    ),
    "half a bit": ({"bits": 3.5}, "a whole number from 1 to 16", {"bits": 3}),
    "no bits": ({"bits": 0}, "a whole number from 1 to 16", {"bits": 1}),
    "many bits": ({"bits": 17}, "a whole number from 1 to 16", {"bits": 16}),
    "third": ({"step": 1 / 3}, "round it to one", {"step": 0.25}),
    "two steps": ({"step": [[[0.5]], [[0.5]], [[0.25]]]}, "round it to one", {"step": 0.5}),
    "shifted": ({"zero": 2.0}, "it must be 0", {"zero": 0.0}),
    "missing": ({"signed": None}, "'signed' is missing", {"signed": 0}),
    "endless": ({"step": np.inf}, "infinity or NaN", {"step": 0.5}),
}


def quantized(changed: dict[str, Any]) -> onnx.ModelProto:
    """A convolution whose sum one Quant takes, with these attributes and constants."""
    given = {"narrow": 0, "signed": 0, "rounding_mode": "FLOOR"} | {
        k: v for k, v in changed.items() if k not in ("bits", "step", "zero")
    }
    net = OnnxNetwork(4, 4, 2)
    x = net.conv("conv", net.image(), 3, (3, 3))
    inputs = [
        x,
        net.constant("step", changed.get("step", 0.25)),
        net.constant("point", changed.get("zero", 0.0)),
        net.constant("width", changed.get("bits", 8)),
    ]
    kept = {k: v for k, v in given.items() if v is not None}
    net.made(net.node("Quant", "act", inputs, **kept), 3)
    return net.model()


@pytest.mark.parametrize("name", QUANTS)
def test_quantizers_and_their_fixes(name, tmp_path):
    broken, fix, fixed = QUANTS[name]
    found = outcome(quantized(broken), tmp_path)
    assert found.startswith("Quant 'act': ") and fix in found and "\n" not in found
    assert outcome(quantized(broken | fixed), tmp_path) == "exact"


@pytest.mark.parametrize("mode", ROUNDERS)
def test_every_rounding_of_one_accumulator(mode, tmp_path):
    for step in (0.25, 4.0):
        assert outcome(quantized({"rounding_mode": mode, "step": step}), tmp_path) == "exact"


@pytest.mark.parametrize(
    "changed",
    [
        {"scale": 1 / 128},
        {"scale": 1.0},
        {"bits": 7},
        {"bits": 9, "scale": 1 / 512},
        {"narrow": 1},
        {"signed": 1},
        {"scale": 1 / 255},
    ],
)
def test_the_input_is_what_images_are(changed, tmp_path):
    """uint8/256 and nothing else; rounding does not matter there."""
    for given, exact in ((changed, False), ({"rounding_mode": "ROUND"}, True)):
        net = OnnxNetwork(4, 4, 2)
        inputs = [
            "x",
            net.constant("step", given.get("scale", 1 / 256)),
            "zero",
            net.constant("width", given.get("bits", 8)),
        ]
        known = {k: v for k, v in given.items() if k not in ("scale", "bits")}
        attributes = {"signed": 0, "narrow": 0, "rounding_mode": "FLOOR"} | known
        x = net.made(net.node("Quant", "input", inputs, **attributes), 2)
        net.act("act", net.conv("conv", x, 3, (3, 3)))
        found = outcome(net.model(), tmp_path)
        if exact:
            assert found == "exact"
        else:
            assert found.startswith("Quant 'input': takes the input as ") and "1/256" in found


@pytest.mark.parametrize(
    "shape", [(), (4, 1, 1, 1), (1, 4, 1, 1), (1, 1, 3, 3), (4, 4, 3, 3), (4, 1, 3, 1)]
)
@pytest.mark.parametrize("low", [1, -3])
def test_scales_of_bipolar_weights(shape, low, tmp_path):
    """Per tensor and filter they are patterns; else 8-bit weights, where they fit; 0 is allowed."""
    net = OnnxNetwork(5, 5, 2)
    x = net.act("first", net.conv("first.conv", net.image(), 4))
    scale = net.constant("scale", net.rng.integers(low, 4, shape) / 8)
    data = net.constant("data", net.rng.normal(0, 1, (4, 4, 3, 3)))
    weights = net.node("BipolarQuant", "conv", [data, scale])
    net.act("act", net.made(net.node("Conv", "conv", [x, weights], pads=[1] * 4), 4))
    assert outcome(net.model(), tmp_path) == "exact"


@pytest.mark.parametrize("mode", ["ROUND", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN"])
@pytest.mark.parametrize("narrow", [0, 1])
def test_quantized_weights(mode, narrow, tmp_path):
    net = OnnxNetwork(5, 5, 2)
    names = ["data", "scale", "zero", "width"]
    net.constant("data", np.linspace(-2, 2, 3 * 2 * 9).reshape(3, 2, 3, 3))
    net.constant("scale", [[[[0.25]]], [[[0.5]]], [[[0.125]]]])
    net.constant("width", 4)
    weights = net.node("Quant", "conv", names, signed=1, narrow=narrow, rounding_mode=mode)
    bias = net.constant("bias", [0.25, -1, 2**-9])
    x = net.image()
    net.act("act", net.made(net.node("Conv", "conv", [x, weights, bias]), 3))
    assert outcome(net.model(), tmp_path) == "exact"
