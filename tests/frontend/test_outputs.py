"""Outputs of every kind: classes, maps, ReLU, quantizers, pools; biases on what is compared."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx_networks import OnnxNetwork
from plain_onnx import check_written, outcome, run_plain
from torch import nn
from torch.nn import functional

from sephw.export.compare import checked_tensors, compare, representations
from sephw.export.samples import Samples
from sephw.frontend import capture_qonnx, capture_torch, export_qonnx
from sephw.nn import (
    ConvBlock,
    GlobalPool2d,
    PointwiseConv2d,
    QuantLinear,
    QuantReLU,
    freeze,
)
from tests.nn.networks import OneBlock, enliven, image_batch, to_bq


def started() -> tuple[OnnxNetwork, str]:
    net = OnnxNetwork(6, 5, 2)
    return net, net.act("first", net.conv("first.conv", net.image(), 4, (3, 3)), step_bits=5)


def biased(net, x, relu=False, shape=(4, 4, 3, 3)):
    """A convolution with a bias of its own, of more fraction bits than its sums."""
    weights = net.constant("w", net.rng.integers(-3, 4, shape) / 8)
    bias = net.constant("b", net.rng.integers(-400, 400, shape[0]) * 2.0**-9)
    x = net.node("Conv", "head", [x, weights, bias], pads=[shape[2] // 2] * 4)
    return net.made(net.node("Relu", "end", [x]) if relu else x, shape[0])


def flat(net, x):
    return net.made(net.node("Flatten", "flat", [x]), net.shapes[x])


def linear(net, x, bias=True):
    weights = net.constant("v", net.rng.integers(-3, 4, (4, 4)) / 8)
    inputs = [x, weights, net.constant("c", np.array([1, -2, 0.5, 2**-9]))]
    kind = "Gemm" if bias else "MatMul"
    return net.made(net.node(kind, "linear", inputs[: 3 if bias else 2]), 4)


OUTPUTS = {
    "map": lambda net, x: net.conv("head", x, 3),
    "map of one channel": lambda net, x: net.conv("head", x, 1),
    "map with bias": lambda net, x: biased(net, x),
    "ReLU on a map": lambda net, x: net.made(net.node("Relu", "end", [net.conv("head", x, 3)]), 3),
    "ReLU with bias": lambda net, x: biased(net, x, relu=True),
    "quantizer": lambda net, x: net.act("end", net.conv("head", x, 3), bits=5),
    "quantized skip": lambda net, x: net.act("end", net.conv("head", x, 4), x),
    "max-pool": lambda net, x: net.max_pool("end", x, 3, 2, ceil_mode=1),
    "average pool": lambda net, x: net.average_pool("end", x, 2, 1, 0),
    "3x3 average": lambda net, x: net.average_pool("end", x, 3, 1, 1),
    "concatenation": lambda net, x: net.concat("end", x, net.max_pool("p", x, 1, 1)),
    "pool to 1x1": lambda net, x: net.global_sum("end", x, 30),
    "flattened pool": lambda net, x: flat(net, net.global_sum("end", x, 30)),
    "flattened quantizer": lambda net, x: flat(net, net.quant("q", net.global_sum("end", x, 30))),
    "classes": lambda net, x: linear(net, flat(net, net.quant("q", net.global_sum("g", x, 30)))),
    "classes without bias": lambda net, x: linear(
        net, flat(net, net.quant("q", net.global_sum("g", x, 30))), bias=False
    ),
    "sum of maps": lambda net, x: net.made(net.node("Add", "s", [net.conv("head", x, 4), x]), 4),
    "identity": lambda net, x: net.made(net.node("Identity", "e", [net.conv("head", x, 3)]), 3),
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_outputs_are_exact(kind, tmp_path):
    net, x = started()
    OUTPUTS[kind](net, x)
    assert outcome(net.model(), tmp_path) == "exact"


def test_biases_inside_are_compared(tmp_path):
    """A bias of the convolution, in front of a quantizer, beside another branch."""
    net, x = started()
    net.act("end", biased(net, x), x)
    assert outcome(net.model(), tmp_path) == "exact"


def test_constants_that_cancel_are_proved_one_by_one(tmp_path):
    """float32 cannot hold the sum on the way, though the constants add up to nothing."""
    net, x = started()
    x = net.conv("head", x, 3)
    for name, value in (("up", 1 + 2.0**-30), ("down", -1 - 2.0**-30)):
        x = net.made(net.node("Add", name, [x, net.constant(name, value)]), 3)
    net.quant("end", x)
    assert outcome(net.model(), tmp_path) == "exact"  # float32 has rounded the constants to ±1
    net, x = started()
    x = net.conv("head", x, 3)
    for name, value in (("up", 2.0**-30), ("down", -(2.0**-30))):
        x = net.made(net.node("Add", name, [x, net.constant(name, value)]), 3)
    net.quant("end", x)
    # What float32 makes of one accumulator is found by trying it, that of two is not.
    assert outcome(net.model(), tmp_path) == "exact"
    net, x = started()
    x = net.made(net.node("Add", "both", [net.conv("head", x, 3), net.conv("side", x, 3)]), 3)
    for name, value in (("up", 2.0**-30), ("down", -(2.0**-30))):
        x = net.made(net.node("Add", name, [x, net.constant(name, value)]), 3)
    net.quant("end", x)
    assert "more than float32 holds exactly" in outcome(net.model(), tmp_path)


@pytest.mark.parametrize("kind", ["MatMul", "Gemm", "BipolarQuant"])
@pytest.mark.parametrize("how", ["Flatten", "Reshape", "Flatten behind Dropout"])
def test_linear_layers_on_flattened_maps(kind, how, tmp_path):
    """A convolution as large as the map; ONNX flattens channel by channel."""
    net, x = started()
    if how == "Reshape":
        x = net.node("Reshape", "flat", [x, net.constant("target", [1, -1], np.int64)])
    elif how == "Flatten":
        x = net.node("Flatten", "flat", [x])
    else:
        x = net.node("Dropout", "drop", [net.node("Flatten", "flat", [x])])
    values = net.constant("v", net.rng.integers(-3, 4, (4 * 30, 7)) / 8)
    if kind == "BipolarQuant":
        values = net.node(kind, "head", [values, net.constant("one", 0.5)])
    kind = "Gemm" if kind == "Gemm" else "MatMul"
    x = net.act("hidden", net.made(net.node(kind, "head", [x, values]), 7), step_bits=2)
    assert outcome(without_map_bias(net), tmp_path) == "exact"


def without_map_bias(net):
    """Biases of `OnnxNetwork.act` are those of maps; rows take (1, C)."""
    model = net.model()
    for tensor in model.graph.initializer:
        if tensor.name == "hidden.bias":
            del tensor.dims[2:]
    return model


@pytest.mark.parametrize("batch", [1, 3, "N"])
def test_files_that_hold_a_batch(batch, tmp_path):
    """torch's newer exporter writes Reshape with the batch that it saw: any batch runs it."""
    net, x = started()
    x = net.quant("q", net.global_sum("g", x, 30))
    size = 1 if batch == "N" else batch
    target = net.constant("target", [size, 4], np.int64)
    linear(net, net.made(net.node("Reshape", "flat", [x, target], allowzero=1), 4))
    model = net.model()
    dim = model.graph.input[0].type.tensor_type.shape.dim[0]
    if batch == "N":
        dim.dim_param = batch
    else:
        dim.dim_value = batch
    if batch == 3:
        # The file itself cannot be run with one image; its copy can.
        onnx.save(model, tmp_path / "three.onnx")
        from sephw.frontend import copy_qonnx

        read = copy_qonnx(tmp_path / "three.onnx", tmp_path / "copy.onnx")
        images = np.random.default_rng(0).integers(0, 256, (5, 6, 5, 2))
        values = read.graph.run(images)
        found = capture_qonnx(tmp_path / "copy.onnx", read.layers, images)
        assert all(np.array_equal(found[x.tensor], values[x.tensor]) for x in read.layers)
        check_written(tmp_path / "copy.onnx")
    else:
        assert outcome(model, tmp_path) == "exact"


class Ends(OneBlock):
    """Two blocks, a max-pool that is a function, and an end of choice."""

    def __init__(self, end):
        super().__init__(nn.Identity(), 2, (7, 6))
        self.entry = ConvBlock(2, 8, 3)
        self.body = ConvBlock(8, 8, 3)
        self.end = end
        if end == "map":
            self.head = PointwiseConv2d(8, 3, bias=True)
        elif end == "classes":
            self.gather, self.gather_act = GlobalPool2d(), QuantReLU(8)
            self.head = QuantLinear(8, 5)
        elif end == "rectified":
            self.head = PointwiseConv2d(8, 3, bias=True)
            self.last = QuantReLU(6)

    def forward(self, x):
        x = self.body(functional.max_pool2d(self.entry(x), 3, 2, 1, ceil_mode=True))
        if self.end == "map":
            return self.head(x)
        if self.end == "classes":
            return self.head(self.gather_act(self.gather(x)))
        if self.end == "rectified":
            return self.last(self.head(x))
        return functional.max_pool2d(x, 2, 1)


@pytest.mark.parametrize(
    ("end", "dynamo"),
    [
        ("map", False),
        ("classes", False),
        ("rectified", False),
        ("pooled", False),
        ("classes", True),
    ],
)
def test_networks_of_torch(end, dynamo, tmp_path):
    """torch, QONNX by either exporter, plain onnxruntime and the integers; what torch has."""
    torch.manual_seed(3)
    calibration = image_batch((2, 7, 6), 12, 1)
    deploy = freeze(to_bq(enliven(Ends(end), 2), calibration))
    path = tmp_path / "model.onnx"
    read = export_qonnx(deploy, path, (2, 7, 6), dynamo=dynamo)
    check_written(path)
    images = np.random.default_rng(0).integers(0, 256, (3, 7, 6, 2), np.uint8)
    tensors = checked_tensors(read.graph, read.layers)
    runs = representations(deploy, path, read.layers, read.graph, None)
    samples = Samples("noise", images, np.zeros(0, np.int64), ("a", "b", "c"))
    (output,) = (layer for layer in read.layers if layer.is_output)
    found, agreement = compare(
        runs, tensors, samples, output.tensor, output.exponents, lambda text: None
    )
    assert found.exact, found.first_mismatch
    by_torch = {check.name for check in found.checks if check.against == "torch"}
    assert {"entry_act", output.tensor} <= by_torch
    pools = [node.name for node in read.graph.nodes if type(node.operator).__name__ == "MaxPool"]
    # A function belongs to no module, so torch's hooks cannot see it: QONNX is the reference.
    assert not (set(pools) - {output.tensor}) & by_torch
    assert {check.name for check in found.checks if check.against == "qonnx"} >= set(
        pools
    ) - by_torch
    plain = run_plain(onnx.load(path), images)
    values = read.graph.run(images.astype(np.int64))[output.tensor]
    scaled = (values * np.exp2(-output.exponents.astype(float))).transpose(0, 3, 1, 2)
    assert np.array_equal(plain.reshape(scaled.shape), scaled)
    height, width, channels = values.shape[1:]
    assert agreement is not None and agreement.predicted == 3 * height * width
    assert agreement.same == agreement.predicted
    assert agreement.what == ("images" if end == "classes" else "pixels")
    assert capture_torch(deploy, read.layers, images.astype(np.int64)).keys() == by_torch
