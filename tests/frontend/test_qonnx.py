"""torch, QONNX and the integer graph agree on every layer, for both exporters' files."""

import filecmp
import hashlib

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from sephw.frontend import capture_qonnx, capture_torch, export_qonnx, read_qonnx
from sephw.frontend.export_qonnx import to_network_input
from sephw.ir.serialize import save_graph
from sephw.nn import (
    ConvBlock,
    GlobalPool2d,
    PatternResidualBlock,
    QuantLinear,
    QuantReLU,
    SEPNet,
    freeze,
)
from tests.nn.networks import OneBlock, enliven, image_batch, to_bq


class Mixed(OneBlock):
    """Max-pool with overlap and padding, strided PRB, 4-bit activations, skip, odd sizes."""

    def __init__(self):
        super().__init__(nn.Identity(), 2, (13, 10))
        self.entry = ConvBlock(2, 8, 3, activation_bits=4)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.prb = PatternResidualBlock(8, 8, 5, 1, 8, activation_bits=5, scale_bits=2)
        self.skip_act = QuantReLU(6)
        self.down = PatternResidualBlock(8, 12, 3, 2, 4)
        self.gather = GlobalPool2d()
        self.gather_act = QuantReLU(7)
        self.head = QuantLinear(12, 3)

    def forward(self, x):
        x = self.pool(self.entry(x))
        x = self.skip_act(self.prb(x) + x)
        return self.head(self.gather_act(self.gather(self.down(x))))


def frozen(network, seed=0):
    shape = tuple(network.arguments[k] for k in ("in_channels", "height", "width"))
    images = image_batch(shape, 12, seed)
    deploy = freeze(to_bq(enliven(network, seed), images))
    integers = (images * 256).long().numpy().transpose(0, 2, 3, 1)
    return deploy, integers


@pytest.fixture(scope="module", params=["sepnet", "mixed"])
def network(request):
    torch.manual_seed(4)
    if request.param == "mixed":
        return frozen(Mixed(), 4)
    return frozen(
        SEPNet(
            height=14,
            width=18,
            widths=(16, 32),
            modules=(1, 1),
            stem_kernel=5,
            stem_stride=2,
            stem_pool=True,
            transition_groups=4,
        ),
        1,
    )


def test_every_layer_is_equal(network, tmp_path):
    deploy, images = network
    path = tmp_path / "model.onnx"
    export_qonnx(deploy, path, deploy.input_shape)
    result = read_qonnx(path)
    values = result.graph.run(images)
    from_torch = capture_torch(deploy, result.layers, images)
    from_qonnx = capture_qonnx(path, result.layers, images)
    assert len(result.layers) >= 10
    for layer in result.layers:
        want = values[layer.tensor]
        assert np.array_equal(from_torch[layer.tensor], want), layer.module
        assert np.array_equal(from_qonnx[layer.tensor], want), layer.module
        dtype = result.graph.tensors[layer.tensor].dtype
        assert dtype.min <= want.min() and want.max() <= dtype.max
        assert want.any(), "a layer that is all zero proves nothing"


def test_both_exporters_lead_to_one_hardware_graph(network, tmp_path):
    deploy, images = network
    found = {}
    for dynamo in (False, True):
        folder = tmp_path / str(dynamo)
        folder.mkdir()
        export_qonnx(deploy, folder / "model.onnx", deploy.input_shape, dynamo=dynamo)
        found[dynamo] = read_qonnx(folder / "model.onnx")
        save_graph(found[dynamo].graph, folder / "graph.json", folder / "graph.npz")
    older, newer = found[False], found[True]
    for name in ("graph.json", "graph.npz"):
        files = [tmp_path / str(dynamo) / name for dynamo in (False, True)]
        assert filecmp.cmp(*files, shallow=False), name
    assert [(x.tensor, x.module, x.is_output) for x in older.layers] == [
        (x.tensor, x.module, x.is_output) for x in newer.layers
    ]
    for one, other in zip(older.layers, newer.layers, strict=True):
        assert np.array_equal(one.exponents, other.exponents)
    values = newer.graph.run(images)
    from_qonnx = capture_qonnx(tmp_path / "True" / "model.onnx", newer.layers, images)
    for layer in newer.layers:
        assert np.array_equal(from_qonnx[layer.tensor], values[layer.tensor]), layer.onnx_name
    with torch.no_grad():
        logits = deploy(to_network_input(images)).numpy()
    (output,) = [layer for layer in newer.layers if layer.is_output]
    scaled = logits.astype(np.float64) * np.exp2(output.exponents.astype(float))
    assert np.array_equal(values[output.tensor].reshape(scaled.shape), scaled)


@pytest.mark.parametrize("compiled", [False, True])
def test_the_faster_exporter_is_taken_where_it_can_be(network, tmp_path, monkeypatch, compiled):
    """Brevitas says that its compiled modules cannot be traced by the older one."""
    deploy, _ = network
    monkeypatch.setattr("brevitas.config.JIT_ENABLED", compiled)
    for name, dynamo in (("default", None), ("chosen", compiled)):
        export_qonnx(deploy, tmp_path / name, deploy.input_shape, dynamo=dynamo)
    assert (tmp_path / "default").read_bytes() == (tmp_path / "chosen").read_bytes()
    types = [node.op_type for node in onnx.load(tmp_path / "default").graph.node]
    assert ("Gemm" in types, "MatMul" in types) == (compiled, not compiled)


def test_modules_are_named_as_in_torch(network, tmp_path):
    deploy, _ = network
    path = tmp_path / "model.onnx"
    export_qonnx(deploy, path, deploy.input_shape)
    modules = dict(deploy.named_modules())
    for node in read_qonnx(path).graph.nodes:
        assert node.module in modules or node.module == "logits", node.module


def test_export_is_byte_identical_and_self_contained(network, tmp_path):
    deploy, _ = network
    digests = set()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "model.onnx"
        export_qonnx(deploy, path, deploy.input_shape)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
        assert [p.name for p in path.parent.iterdir()] == ["model.onnx"]
        assert str(tmp_path).encode() not in path.read_bytes()
    assert len(digests) == 1
