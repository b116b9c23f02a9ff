"""What a refusal of the QONNX reader tells its reader to do: done, the network is exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx_networks import OnnxNetwork
from plain_onnx import outcome

Net = OnnxNetwork
Step = Callable[[Net, str], str]


def weights(net: Net, *shape: int, scale: float = 1 / 8) -> str:
    return net.constant(f"w{len(net.initializers)}", net.rng.integers(-3, 4, shape) * scale)


def op(kind: str, *constants: Any, module: str = "op", **attributes: Any) -> Step:
    """A node that reads ``x`` and constants, named after itself."""

    def build(net: Net, x: str) -> str:
        names = [
            net.constant(
                f"{module}.{i}",
                c,
                np.asarray(c).dtype if np.asarray(c).dtype.kind == "i" else np.float32,
            )
            for i, c in enumerate(constants)
        ]
        return net.made(net.node(kind, module, [x, *names], **attributes), net.shapes[x])

    return build


def chain(*steps: Step) -> Step:
    def build(net: Net, x: str) -> str:
        for step in steps:
            x = step(net, x)
        return x

    return build


def conv(outputs: int = 4, kernel: int = 1, **attributes: Any) -> Step:
    def build(net: Net, x: str) -> str:
        name = weights(net, outputs, net.shapes[x], kernel, kernel)
        return net.made(net.node("Conv", "op", [x, name], **attributes), outputs)

    return build


def quant(name: str = "q", step_bits: int = 4, bits: int = 8) -> Step:
    return lambda net, x: net.quant(name, x, step_bits=step_bits, bits=bits)


def rounded(net: Net, x: str) -> str:
    """A quantizer that rounds half to even."""
    inputs = [x, net.constant("step", 2.0**-4), "zero", net.constant("bits", 8)]
    made = net.node("Quant", "q", inputs, signed=0, narrow=0, rounding_mode="ROUND")
    return net.made(made, net.shapes[x])


def summed(other: Step) -> Step:
    """The sum of a convolution and what ``other`` makes."""

    def build(net: Net, x: str) -> str:
        return net.made(net.node("Add", "sum", [net.conv("side", x, 4), other(net, x)]), 4)

    return build


def squared(net: Net, x: str) -> str:
    return net.made(net.node("Mul", "op", [x, x]), net.shapes[x])


def divided(net: Net, x: str) -> str:
    return net.made(net.node("Div", "op", [net.constant("one", 1.0), x]), net.shapes[x])


def norm(**attributes: Any) -> Step:
    def build(net: Net, x: str) -> str:
        names = [net.constant(f"n{i}", net.rng.uniform(0.1, 2, 4)) for i in range(4)]
        return net.made(net.node("BatchNormalization", "op", [x, *names], **attributes), 4)

    return build


def pooled(net: Net, x: str) -> str:
    return net.quant("sums", net.global_sum("pool", x, 36), step_bits=4)


def linear(kind: str = "MatMul", *more: Any, **attributes: Any) -> Step:
    def build(net: Net, x: str) -> str:
        names = [weights(net, 4, 4), *(net.constant(f"op.{i}", c) for i, c in enumerate(more))]
        return net.made(net.node(kind, "op", [x, *names], **attributes), 4)

    return build


def wide(kind: str = "MatMul") -> Step:
    """A linear layer on all 6 × 6 × 4 values."""
    return lambda net, x: net.made(net.node(kind, "op", [x, weights(net, 144, 3)]), 3)


def joined_image(step_bits: int) -> Step:
    """Features beside the image itself."""

    def build(net: Net, x: str) -> str:
        x = net.act("other", net.conv("other.conv", x, 2), step_bits=step_bits)
        return net.made(net.node("Concat", "op", ["input_quant.Quant", x], axis=1), 4)

    return build


def two(kind: str, other: Step, **attributes: Any) -> Step:
    return lambda net, x: net.made(net.node(kind, "op", [x, other(net, x)], **attributes), 4)


def joined(other: Step, **attributes: Any) -> Step:
    return lambda net, x: net.made(net.node("Concat", "op", [x, other(net, x)], **attributes), 8)


def branches(count: int, split: bool = False) -> Step:
    """A sum of as many convolutions; ``split``: quantized half-way."""

    def build(net: Net, x: str) -> str:
        total = ""
        for i in range(count):
            one = net.conv(f"branch{i}", x, 4)
            total = one if not total else net.made(net.node("Add", f"sum{i}", [total, one]), 4)
            if split and i == count // 2:
                total = net.quant("half", total)
        return net.quant("op", total)

    return build


def of_weights(kind: str, *constants: Any, scale: float = 1 / 8, **attributes: Any) -> Step:
    def build(net: Net, x: str) -> str:
        names = [net.constant(f"op.{i}", c) for i, c in enumerate(constants)]
        made = net.node(kind, "op", [weights(net, 4, 4, 1, 1, scale=scale), *names], **attributes)
        return net.made(net.node("Conv", "conv", [x, made]), 4)

    return build


FLAT = op("Flatten", module="flat", axis=1)
CODE = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}

# What is wrong, what the line says to do, and that done.
FIXES: dict[str, tuple[Step, str, Step]] = {
    "unknown operator": (op("Neg"), "express it with Add", op("Mul", -1.0)),
    "division": (op("Div", 4.0), "put a quantizer (Quant", chain(op("Div", 4.0), quant())),
    "by an activation": (divided, "use Mul by a constant", op("Mul", 0.25)),
    "from an activation": (
        two("Sub", lambda net, x: net.conv("other", x, 4)),
        "use Mul by -1 and Add",
        two(
            "Add",
            lambda net, x: op("Mul", -1.0, module="m")(net, net.conv("other", x, 4)),
        ),
    ),
    "curve of a sum": (
        chain(summed(conv()), op("LeakyRelu", module="leaky"), quant()),
        "put a quantizer (Quant",
        chain(summed(conv()), quant("half"), op("LeakyRelu", module="leaky"), quant()),
    ),
    "curve of a curve": (
        chain(conv(), op("Tanh", module="t"), op("MaxPool", kernel_shape=[2, 2])),
        "put a quantizer (Quant",
        chain(conv(), op("Tanh", module="t"), quant(), op("MaxPool", kernel_shape=[2, 2])),
    ),
    "sum of curves": (
        chain(summed(op("Tanh", module="t")), quant()),
        "put a quantizer (Quant",
        chain(summed(chain(op("Tanh", module="t"), quant("half"))), quant()),
    ),
    "not monotone": (
        chain(conv(), squared, quant()),
        "Quant 'q': Mul 'op' before it is not monotone: channel 0 rises and falls",
        chain(conv(), op("Relu", module="r"), quant()),
    ),
    "rounding of a sum": (
        chain(summed(conv()), rounded),
        "use FLOOR, and add half a step to the bias before it",
        chain(summed(conv()), op("Add", 1 / 32, module="half"), quant()),
    ),
    "training norm": (
        norm(training_mode=1),
        "export in evaluation mode",
        chain(norm(training_mode=0), quant()),
    ),
    "not quantized": (
        chain(conv(), op("MaxPool", kernel_shape=[2, 2])),
        "put a quantizer (Quant",
        chain(conv(), quant(), op("MaxPool", kernel_shape=[2, 2])),
    ),
    "ReLU alone": (
        chain(op("Relu", module="r"), conv(), op("Relu", module="s"), op("Mul", 0.5)),
        "put a quantizer (Quant; sephw.nn.QuantReLU) behind it",
        chain(conv(), op("Relu", module="s"), op("Mul", 0.5), quant()),
    ),
    "average of nine": (
        chain(op("AveragePool", kernel_shape=[3, 3]), quant()),
        "multiply it by 9·2^-4 first",
        chain(op("AveragePool", kernel_shape=[3, 3]), op("Mul", 9 / 16, module="m"), quant()),
    ),
    "average of 25": (
        chain(op("AveragePool", kernel_shape=[5, 5]), op("Mul", 25 / 32, module="m"), quant()),
        "or pool 3×3",
        chain(op("AveragePool", kernel_shape=[3, 3]), op("Mul", 9 / 16, module="m"), quant()),
    ),
    "border": (
        chain(op("AveragePool", kernel_shape=[2, 2], pads=[1, 1, 0, 0]), quant()),
        "use count_include_pad=1",
        chain(
            op("AveragePool", kernel_shape=[2, 2], pads=[1, 1, 0, 0], count_include_pad=1), quant()
        ),
    ),
    "mean of 36": (
        op("ReduceMean", [2, 3]),
        "ReduceSum over axes 2 and 3 and a Mul by 2^-6",
        chain(op("ReduceSum", [2, 3]), op("Mul", 2.0**-6, module="m")),
    ),
    "global mean": (
        op("GlobalAveragePool"),
        "ReduceSum over axes 2 and 3 and a Mul by 2^-6",
        chain(op("ReduceSum", [2, 3]), op("Mul", 2.0**-6, module="m")),
    ),
    "all axes": (op("ReduceSum"), "give axes=[2, 3]", op("ReduceSum", [2, 3])),
    "one axis": (op("ReduceSum", [3]), "give axes=[2, 3]", op("ReduceSum", [2, 3])),
    "flattened sum": (
        chain(conv(), FLAT, wide()),
        "put a quantizer (Quant; sephw.nn.QuantReLU) before it",
        chain(conv(), quant(), FLAT, wide()),
    ),
    "pooled after Flatten": (
        chain(FLAT, op("Relu"), quant()),
        "put it before Flatten",
        chain(op("Relu"), quant(), FLAT, wide()),
    ),
    "quantized after Flatten": (
        chain(FLAT, quant(step_bits=3), wide()),
        "put it before Flatten",
        chain(quant(step_bits=3), FLAT, wide()),
    ),
    "flattened end": (FLAT, "end the network with the map itself, without Flatten", op("Identity")),
    "linear on a map": (wide(), "put Flatten (axis 1) before it", chain(FLAT, wide())),
    "with the image": (
        joined_image(5),
        "the image's are fixed, give the other quantizer the same",
        joined_image(8),
    ),
    "squeezed map": (chain(op("Squeeze"), wide()), "use Flatten", chain(FLAT, wide())),
    "four axes": (
        chain(pooled, linear()),
        "put Flatten (axis 1) before it",
        chain(pooled, FLAT, linear()),
    ),
    "axis 0": (
        chain(pooled, op("Flatten", axis=0), linear()),
        "use axis 1",
        chain(pooled, op("Flatten", axis=1), linear()),
    ),
    "squeezed": (
        chain(pooled, op("Squeeze", [3])),
        "give axes=[2, 3]",
        chain(pooled, op("Squeeze", [2, 3])),
    ),
    "split": (
        chain(pooled, op("Reshape", [2, 2])),
        "only all of an image is flattened, to (1, 4)",
        chain(pooled, op("Reshape", [1, 4])),
    ),
    "pooled flat": (
        chain(pooled, FLAT, op("MaxPool", kernel_shape=[1, 1])),
        "pool before Flatten",
        chain(pooled, op("MaxPool", kernel_shape=[1, 1]), FLAT),
    ),
    "alpha": (
        chain(pooled, FLAT, linear("Gemm", [1, 2, 3, 4], alpha=0.5)),
        "put the factors into weights and bias",
        chain(pooled, FLAT, linear("Gemm", [1, 2, 3, 4])),
    ),
    "dilation": (conv(4, 3, dilations=[2, 2]), "use dilations of 1", conv(4, 3, dilations=[1, 1])),
    "strides": (conv(4, 3, strides=[2, 1]), "use one stride", conv(4, 3, strides=[2, 2])),
    "padding": (conv(4, 2, pads=[2, 2, 2, 2]), "use a padding below 2", conv(4, 2, pads=[1] * 4)),
    "padded 1x1": (conv(4, 1, pads=[1] * 4), "use a padding below 1", conv()),
    "kernel": (conv(4, 7), "a smaller kernel or more padding", conv(4, 7, pads=[3] * 4)),
    "both paddings": (
        conv(4, 3, auto_pad="SAME_UPPER", pads=[1] * 4),
        "use pads alone",
        conv(4, 3, pads=[1] * 4),
    ),
    "no padding word": (
        conv(4, 3, auto_pad="ALL"),
        "ONNX has NOTSET",
        conv(4, 3, auto_pad="NOTSET"),
    ),
    "kernel_shape": (
        conv(4, 3, kernel_shape=[2, 2]),
        "its weights are (4, 4, 3, 3)",
        conv(4, 3, kernel_shape=[3, 3]),
    ),
    "constant's shape": (
        op("Add", np.arange(4.0)),
        "give it the shape (1, 4, 1, 1)",
        op("Add", np.arange(4.0).reshape(1, 4, 1, 1)),
    ),
    "map constant": (
        op("Add", np.ones((6, 6))),
        "give it the shape (1, 4, 1, 1)",
        op("Add", np.ones((1, 4, 1, 1))),
    ),
    "two activations": (
        two("Mul", lambda net, x: net.conv("c", x, 4)),
        "only a constant",
        op("Mul", 0.5),
    ),
    "sizes": (
        two("Add", lambda net, x: net.max_pool("p", x, 2, 2)),
        "make them equal",
        two("Add", lambda net, x: net.max_pool("p", x, 1, 1)),
    ),
    "concatenated steps": (
        joined(lambda net, x: net.act("other", x, step_bits=3), axis=1),
        "one scale and bit width",
        joined(lambda net, x: net.act("other", x, step_bits=5), axis=1),
    ),
    "concatenated rows": (
        joined(lambda net, x: x, axis=2),
        "use axis 1",
        joined(lambda net, x: x, axis=1),
    ),
    "concatenated sizes": (
        joined(lambda net, x: net.max_pool("p", x, 2, 2), axis=1),
        "make them equal",
        joined(lambda net, x: net.max_pool("p", x, 1, 1), axis=1),
    ),
    "five branches": (
        branches(5),
        "quantize a sum of some of them before",
        branches(5, split=True),
    ),
    "float weights": (
        of_weights("Identity", scale=0.1234),
        "a Quant of at most 8 bits and a power-of-two scale",
        of_weights("Quant", 2.0**-5, 0.0, 8.0, scale=0.1234, **CODE),
    ),
    "one signed bit": (
        of_weights("Quant", 0.5, 0.0, 1.0, **CODE),
        "use BipolarQuant",
        of_weights("BipolarQuant", 0.5),
    ),
    "scale of 0": (
        of_weights("Quant", 0.0, 0.0, 8.0, **CODE),
        "any other scale",
        of_weights("Quant", 0.5, 0.0, 8.0, **CODE),
    ),
    "weights' bits": (
        of_weights("Quant", 0.5, 0.0, 2.5, **CODE),
        "a whole number from 1 to 24",
        of_weights("Quant", 0.5, 0.0, 2.0, **CODE),
    ),
    "training": (op("Dropout", 0.5, np.array(1)), "export in evaluation mode", op("Dropout", 0.5)),
    "bipolar activation": (
        chain(conv(), op("BipolarQuant", 1.0)),
        "use Relu and a Quant of 1 unsigned bit",
        chain(conv(), op("Relu", module="r"), quant(bits=1)),
    ),
    "third": (
        chain(summed(op("Mul", 1 / 3, module="m")), quant()),
        "use weights, scales and biases of fewer bits",
        chain(summed(op("Mul", 11 / 32, module="m")), quant()),
    ),
    "coarse step": (
        chain(summed(conv()), quant(step_bits=-50)),
        "use a smaller scale",
        chain(summed(conv()), quant(step_bits=4)),
    ),
    "far": (op("Mul", 2.0**70), "rescale the layer", op("Mul", 2.0**-7)),
    "spread": (
        op("Mul", np.array([2.0**55, 2.0**-55, 1, 1]).reshape(1, 4, 1, 1)),
        "that are closer",
        op("Mul", np.array([2.0**5, 2.0**-5, 1, 1]).reshape(1, 4, 1, 1)),
    ),
    "channels last": (
        op("Transpose", perm=[0, 2, 3, 1]),
        "export the network with channels first",
        conv(),
    ),
    "infinite": (op("Mul", np.inf), "give it finite numbers", op("Mul", 1.0)),
    "unknown attribute": (conv(4, 3, keep=1), "Unrecognized attribute: keep", conv(4, 3)),
}


def network(step: Step, opset: int = 18) -> onnx.ModelProto:
    net = OnnxNetwork(6, 6, 2, seed=4)
    x = net.act("first", net.conv("first.conv", net.image(), 4, (3, 3)), step_bits=5)
    step(net, x)
    model = net.model(opset)
    for tensor in model.graph.initializer:
        if tensor.name == "op.1" and any(n.op_type == "Dropout" for n in model.graph.node):
            flag = onnx.numpy_helper.from_array(np.array(True), "op.1")
            tensor.CopyFrom(flag)
    return model


@pytest.mark.parametrize("name", FIXES)
def test_the_fix_that_a_refusal_names(name, tmp_path):
    broken, fix, fixed = FIXES[name]
    found = outcome(network(broken), tmp_path)
    assert fix in found and "\n" not in found, found
    assert outcome(network(fixed), tmp_path) == "exact"


def test_inputs_and_outputs_of_files(tmp_path):
    """Refused by what is wrong with the file's ends; each mended by what the line says."""

    def ends(change: Callable[[onnx.ModelProto], Any]) -> str:
        model = network(conv())
        change(model)
        return outcome(model, tmp_path)

    def dim(model: onnx.ModelProto, index: int) -> Any:
        return model.graph.input[0].type.tensor_type.shape.dim[index]

    assert ends(lambda m: None) == "exact"
    assert "export with a batch of 1" in ends(lambda m: setattr(dim(m, 0), "dim_value", 0))
    assert ends(lambda m: setattr(dim(m, 0), "dim_value", 1)) == "exact"
    text = ends(lambda m: setattr(dim(m, 2), "dim_param", "rows"))
    assert "is (1, 2, ?, 6)" in text and "export with an example of that shape" in text
    text = ends(lambda m: setattr(dim(m, 2), "dim_value", 1 << 17))
    assert "export with a smaller one" in text
    text = ends(lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", 2))
    assert "is uint8; it must be float32" in text
    text = ends(lambda m: m.graph.output.append(m.graph.output[0]))
    assert "1 inputs and 2 outputs; a network here has one of each" in text
    text = ends(lambda m: setattr(m.graph.output[0], "name", "first.conv.w"))
    assert text.endswith("export it again") or "export" in text
    text = outcome(network(conv(), opset=6), tmp_path)
    assert "opset 6; opsets 7 to " in text and "export it with one of them" in text
    assert outcome(network(conv(), opset=8), tmp_path) == "exact"


def test_counts_and_sizes_are_looked_at_before_anything_is_built(tmp_path):
    """More nodes than any network has; constants whose product would not fit into memory."""
    model = network(conv())
    model.graph.node.extend(
        onnx.helper.make_node("Identity", ["x"], [f"i{i}"]) for i in range(20_000)
    )
    text = outcome(model, tmp_path)
    assert "nodes, more than 20,000; export a smaller network" in text

    def outer(net: Net, x: str) -> str:
        column = net.constant("column", np.ones((1 << 17, 1)))
        product = net.node("Mul", "op", [column, net.constant("row", np.ones((1, 1 << 17)))])
        return net.made(net.node("Mul", "use", [x, product]), 4)

    text = outcome(network(outer), tmp_path)
    assert text.startswith("Mul 'op': its constants do not fit together (ValueError: shapes ")


def test_parts_that_no_output_needs_are_left_out(tmp_path):
    """A branch that ends in the air, whatever is in it, and its constants."""

    def dangling(net: Net, x: str) -> str:
        net.node("Sigmoid", "odd", [x])
        net.node("Mul", "odd.more", [x, net.constant("unread", 0.3)])
        return conv()(net, x)

    assert outcome(network(dangling), tmp_path) == "exact"
    written = onnx.load(tmp_path / "copy.onnx")
    assert "Sigmoid" not in {node.op_type for node in written.graph.node}
    assert (
        len(written.graph.initializer)
        == len(onnx.load(tmp_path / "given.onnx").graph.initializer) - 1
    )
