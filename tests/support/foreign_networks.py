"""Small files of the forms that other tools write, none of which is taken whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx_networks import OnnxNetwork

CHANNELS_LAST = "qonnx.custom_op.channels_last"


class ForeignNetwork(OnnxNetwork):
    """Nodes as foreign exporters name them, and an input of any shape."""

    def model_of(self, shape: tuple[int, ...], opset: int = 13) -> onnx.ModelProto:
        """The model with an input of ``shape``; every domain is declared."""
        model = self.model(opset)
        entry = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
        model.graph.input[0].CopyFrom(entry)
        domains = {node.domain for node in model.graph.node} - {"", "qonnx.custom_op.general"}
        model.opset_import.extend(helper.make_opsetid(name, 1) for name in sorted(domains))
        return model

    def norm(self, module: str, source: str, channels: int) -> str:
        """BatchNormalization."""
        names = [
            self.constant(f"{module}.{part}", np.full(channels, value))
            for part, value in (("scale", 0.7), ("bias", 0.1), ("mean", 0.2), ("var", 1.3))
        ]
        return self.made(self.node("BatchNormalization", module, [source, *names]), channels)

    def rounded(self, module: str, source: str, scale: float, bits: int, **how: Any) -> str:
        """Quant as Brevitas' own layers have it: rounded to the nearest."""
        step, width = self.constant(f"{module}.s", scale), self.constant(f"{module}.b", bits)
        given = {"signed": 0, "narrow": 0, "rounding_mode": "ROUND"} | how
        return self.node("Quant", module, [source, step, "zero", width], **given)

    def linear(self, module: str, source: str, inputs: int, outputs: int, scale: float) -> str:
        """MatMul with 2-bit weights."""
        weights = self.constant(f"{module}.w", self.rng.normal(0, 1, (inputs, outputs)))
        found = self.rounded(f"{module}.weights", weights, scale, 2, signed=1)
        return self.made(self.node("MatMul", module, [source, found]), outputs)


def mlp_of_bits() -> onnx.ModelProto:
    """FINN's MNIST MLPs: a shape that is computed, 2x − 1, bipolar, batch norms."""
    net = ForeignNetwork(4, 4, 1)
    shape = net.node("Shape", "shape", ["x"])
    batch = net.node("Gather", "batch", [shape, net.constant("at", 0, np.int64)], axis=0)
    axes = net.constant("axes", [0], np.int64)
    column = net.node("Unsqueeze", "column", [batch, axes])
    target = net.node("Concat", "target", [column, net.constant("rest", [-1], np.int64)], axis=0)
    x = net.node("Reshape", "flat", ["x", target])
    x = net.node("Sub", "centre", [x, net.constant("half", 0.5)])
    one = net.constant("one", 1.0)
    x = net.node("BipolarQuant", "in", [x, one])
    x = net.norm("norm", net.linear("fc", x, 16, 4, 0.5), 4)
    net.node("BipolarQuant", "out", [x, one])
    return net.model_of((1, 1, 4, 4))


def speech() -> onnx.ModelProto:
    """A keyword-spotting MLP: signed input, scales that are no powers of two, batch norms."""
    net = ForeignNetwork(2, 3, 1)
    x = net.rounded("in", "x", 0.83, 8, signed=1, narrow=1)
    x = net.node("Flatten", "flat", [x], axis=1)
    x = net.norm("norm1", net.linear("fc1", x, 6, 4, 0.3), 4)
    x = net.made(net.rounded("act1", net.node("Relu", "relu1", [x]), 1 / 7, 3), 4)
    net.norm("norm2", net.linear("fc2", x, 4, 3, 0.5), 3)
    return net.model_of((1, 1, 2, 3))


def jet_tagger() -> onnx.ModelProto:
    """An input of features, signed 6-bit activations, a softmax."""
    net = ForeignNetwork(1, 1, 5)
    x = net.rounded("in", "x", 2.0**-5, 6, signed=1)
    x = net.made(net.linear("fc1", x, 5, 4, 0.5), 4)
    x = net.rounded("act1", net.node("Relu", "relu1", [x]), 2.0**-5, 6, signed=1)
    net.node("Softmax", "softmax", [net.linear("fc2", x, 4, 3, 0.5)], axis=1)
    return net.model_of((1, 5))


def one_bit_layer() -> onnx.ModelProto:
    """One binary layer on three numbers."""
    net = ForeignNetwork(1, 1, 3)
    one = net.constant("one", 1.0)
    x = net.node("BipolarQuant", "in", ["x", one])
    weights = net.node("BipolarQuant", "weights", [net.constant("w", np.eye(3, 2) - 0.5), one])
    x = net.node("MatMul", "fc", [x, weights])
    net.node("BipolarQuant", "out", [x, one])
    return net.model_of((1, 3))


def channels_last() -> onnx.ModelProto:
    """QKeras' branches: (N, H, W, C), LeakyReLU, nearest up-sampling, a concatenation."""
    net = ForeignNetwork(4, 4, 1)
    x = net.rounded("in", "x", 1 / 16, 4, signed=1)
    weights = net.constant("w", np.ones((1, 1, 1, 1)) / 4)
    x = net.node("Conv", "conv", [x, weights], domain=CHANNELS_LAST, kernel_shape=[1, 1])
    x = net.node("LeakyRelu", "leaky", [x], alpha=0.1)
    x = net.rounded("act", x, 1 / 16, 4, signed=1)
    scales = net.constant("scales", [1, 2, 2, 1])
    x = net.node("Resize", "up", [x, "", scales], mode="nearest")
    net.node("Concat", "join", [x, x], axis=3)
    return net.model_of((1, 4, 4, 1))


def keras_image() -> onnx.ModelProto:
    """A float CNN of Keras: transposed first, SELU, a batch norm, a softmax."""
    net = ForeignNetwork(4, 4, 1)
    x = net.node("Transpose", "turn", ["x"], perm=[0, 3, 1, 2])
    x = net.node("Conv", "conv", [x, net.constant("w", np.ones((2, 1, 3, 3)) / 3)])
    x = net.norm("norm", net.node("Selu", "selu", [x]), 2)
    net.node("Softmax", "softmax", [net.node("Flatten", "flat", [x], axis=1)])
    return net.model_of((1, 4, 4, 1))


def keras_series() -> onnx.ModelProto:
    """A float 1-D CNN."""
    net = ForeignNetwork(1, 4, 2)
    x = net.node("Conv", "conv", ["x", net.constant("w", np.ones((2, 2, 3)) / 3)])
    net.node("Softmax", "softmax", [net.node("Relu", "relu", [x])])
    return net.model_of((1, 2, 4))


def float_mlp() -> onnx.ModelProto:
    """A float MLP with a huge batch in the file."""
    net = ForeignNetwork(1, 1, 3)
    x = net.node("MatMul", "fc1", ["x", net.constant("w1", np.full((3, 4), 0.3))])
    x = net.node("Relu", "relu1", [net.node("Add", "fc1", [x, net.constant("b1", np.ones(4))])])
    x = net.node("MatMul", "fc2", [x, net.constant("w2", np.full((4, 2), 0.25))])
    net.node("Sigmoid", "sigmoid", [x])
    return net.model_of((70_000, 3))


def old_opset() -> onnx.ModelProto:
    """A float layer of an opset that is not read."""
    net = ForeignNetwork(1, 1, 3)
    net.node("MatMul", "fc", ["x", net.constant("w", np.eye(3))])
    return net.model_of((1, 1, 1, 3), opset=6)
