"""binarize: torch networks rewritten, their values, tables and refusals."""

import copy
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from torch import nn

from sephw.errors import SephwError
from sephw.frontend import export_qonnx, read_qonnx
from sephw.nn import (
    AveragePool2d,
    PatternConv2d,
    PointwiseConv2d,
    QuantConv2d,
    QuantReLU,
    SEPNet,
    Stage,
    binarize,
    freeze,
    to_stage,
)
from tests.nn.networks import enliven, image_batch
from tests.nn.test_freeze import assert_float32_is_exact
from tests.nn.torch_networks import BasicBlock, Branchy, Plain, TorchResNet

ZOO = {
    "resnet": (lambda: TorchResNet(1, (4, 8)), (3, 11, 10)),
    "branchy": (Branchy, (3, 21, 22)),
    "plain": (Plain, (1, 14, 12)),
}


def made(name):
    torch.manual_seed(5)
    build, shape = ZOO[name]
    return enliven(build()).eval(), shape


@pytest.mark.parametrize("name", ZOO)
def test_rewriting_alone_changes_no_value(name):
    model, shape = made(name)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    network, _ = binarize(model, input_shape=shape, stage="R")
    images = image_batch(shape)
    with torch.no_grad():
        got, want = network.eval()(images), model(images)
    if name == "plain":  # its logits are the pool's: 3×3 pixels, counted as 16
        got = got * (2 ** int(np.ceil(np.log2(3 * 3))) / 9)
    assert torch.allclose(got, want, rtol=1e-4, atol=1e-5)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert network.stage is Stage.R


@pytest.mark.parametrize("name", ZOO)
def test_rewritten_networks_go_all_the_way_to_exact_integers(name):
    model, shape = made(name)
    images = image_batch(shape)
    network, _ = binarize(model, input_shape=shape, stage="BQ", calibration=images)
    deploy = freeze(copy.deepcopy(network).eval())
    assert_float32_is_exact(deploy, images)
    with torch.no_grad():
        got, want = deploy(images), network.eval()(images)
    assert (got - want).abs().max() <= 0.02 * want.abs().max()


def test_a_rewritten_network_is_read_back_from_qonnx(tmp_path):
    model, shape = made("resnet")
    network, _ = binarize(model, input_shape=shape, stage="BQ", calibration=image_batch(shape))
    deploy = freeze(network.eval())
    export_qonnx(deploy, tmp_path / "resnet.onnx", shape)
    graph = read_qonnx(tmp_path / "resnet.onnx").graph
    modules = {node.module for node in graph.nodes if type(node.operator).__name__ == "PatternConv"}
    assert modules == {"layers.0.conv1", "layers.0.conv2", "layers.1.conv1", "layers.1.conv2"}


def test_patterns_are_the_papers_formula():
    """B = sign(W) with sign(0) = +1, α = Σ|W| / (c·k·k), from the weights of the torch model."""
    model, shape = made("resnet")
    with torch.no_grad():
        model.layers[0].conv1.weight[0, 0, 0, 0] = 0
    network, _ = binarize(model, input_shape=shape)
    kinds = {n: m for n, m in network.named_modules() if isinstance(m, PatternConv2d)}
    assert list(kinds) == ["layers.0.conv1", "layers.0.conv2", "layers.1.conv1", "layers.1.conv2"]
    for path, layer in kinds.items():
        weight = model.get_submodule(path).weight.detach().double().numpy()
        alpha = np.abs(weight).sum(axis=(1, 2, 3)) / np.prod(weight.shape[1:])
        want = np.where(weight >= 0, 1.0, -1.0) * alpha[:, None, None, None]
        got = layer.quant_weight().value.detach().double().numpy()
        assert np.allclose(got, want, rtol=1e-6, atol=0)
        assert (np.sign(got) == np.sign(want)).all() and not layer.weight.requires_grad


def test_one_constant_for_all_filters():
    model, shape = made("resnet")
    network, _ = binarize(model, input_shape=shape, alpha=0.07)
    for path, layer in network.named_modules():
        if isinstance(layer, PatternConv2d):
            sign = torch.where(model.get_submodule(path).weight < 0, -1.0, 1.0)
            assert torch.allclose(layer.quant_weight().value, 0.07 * sign, rtol=1e-6)


def test_resnet20_table_by_hand():
    network, table = binarize(TorchResNet(), input_shape=(3, 32, 32))
    patterns = 9 * (16 * 16 * 6 + 16 * 32 + 32 * 32 * 5 + 32 * 64 + 64 * 64 * 5)
    others = 9 * (3 * 16 + 16 * 32 + 32 * 64) + 64 * 10 + 10
    assert (table.patterns, table.parameters) == (patterns, patterns + others)
    assert table.bits_before == 32 * (patterns + others)
    assert table.bits_after == patterns + 32 * others
    assert table.compression == table.bits_before / table.bits_after
    kept = [row.layer for row in table.rows if row.bits_after == 32]
    assert kept == ["conv1", "layers.3.downsample.0", "layers.6.downsample.0", "fc"]
    text = str(table).splitlines()
    assert text[0].split() == [
        "layer",
        "kind",
        "parameters",
        "bits",
        "before",
        "after",
        "compression",
    ]
    assert text[2].split() == ["layers.0.conv1", "PatternConv2d", "2,304", "32", "1", "32.0"]
    assert text[-1].split()[:4] == ["total", "267,264", "patterns", "291,386"]
    with pytest.raises(FrozenInstanceError):
        table.rows = ()
    images = image_batch((3, 32, 32), 4)
    to_stage(network, "BQ", calibration=images)
    assert str(network.stage) == "BQ"


def test_bq_table_counts_everything_else_as_8_bit():
    model, shape = made("resnet")
    _, table = binarize(model, input_shape=shape, stage="BQ", calibration=image_batch(shape))
    assert {row.bits_after for row in table.rows} == {1, 8}
    assert table.parameters == sum(
        m.weight.numel() for m in model.modules() if isinstance(m, nn.Conv2d)
    ) + sum(p.numel() for p in model.fc.parameters())


def test_names_choose_layers():
    model, shape = made("resnet")
    network, _ = binarize(
        model, input_shape=shape, keep=("layers.0.*",), patterns=("conv1", "*.downsample.?")
    )
    taken = [n for n, m in network.named_modules() if isinstance(m, PatternConv2d)]
    assert taken == ["conv1", "layers.1.conv1", "layers.1.conv2", "layers.1.downsample.0"]
    with pytest.raises(SephwError) as error:
        binarize(model, input_shape=shape, keep=("layer.0.conv1",))
    assert str(error.value) == (
        "keep='layer.0.conv1': fits no k×k convolution; the nearest is 'layers.0.conv1'"
    )


def test_modules_keep_their_paths_and_become_the_packages_layers():
    model, shape = made("branchy")
    network, _ = binarize(model, input_shape=shape)
    kinds = {n: type(m) for n, m in network.named_modules()}
    assert kinds["stem"] is QuantConv2d and kinds["a"] is PointwiseConv2d
    assert kinds["b"] is PatternConv2d and kinds["pool"] is AveragePool2d
    assert network.b.kernel_size == (1, 7) and network.c.padding == (1, 1)
    assert network.arguments == {"in_channels": 3, "height": 21, "width": 22}
    again = copy.deepcopy(network)
    assert (again.stage, again.arguments) == (network.stage, network.arguments)


def test_the_average_pools_factor_goes_into_the_next_weights():
    model, shape = made("branchy")
    network, _ = binarize(model, input_shape=shape, stage="R")
    want = model.d.weight.detach().clone()
    want[:, 10:] *= 16 / 9
    assert torch.allclose(network.d.weight, want)
    pixels = 6 * 6  # 21×22 → stem 11×11 → pool 6×6
    assert torch.allclose(network.fc1.weight, model.fc1.weight * (64 / pixels))


def test_a_network_of_the_package_is_moved_in_place():
    network = SEPNet(height=8, width=8, widths=(16,), modules=(1,))
    same, table = binarize(network, alpha=0.05)
    assert same is network and network.stage is Stage.B
    assert table.patterns == 9 * (8 * 8 + 8 * 4) // 4
    assert torch.allclose(network.stages[0][0].prb1.pattern.weight.abs(), torch.tensor(0.05))
    with pytest.raises(SephwError) as error:
        binarize(network, keep=("*",))
    assert str(error.value) == (
        "SEPNet: its classes say which layers are patterns; "
        "patterns= and keep= choose in float torch networks only"
    )


def test_a_rewritten_network_trains_in_every_stage():
    model, shape = made("branchy")
    images = image_batch(shape)
    network, _ = binarize(model, input_shape=shape, straight_through=True)
    for stage in ("B", "BQ"):
        if stage == "BQ":
            to_stage(network, "BQ", calibration=images)
        network.train()
        functional.cross_entropy(network(images), torch.arange(8) % 5).backward()
        learns = [p for p in network.parameters() if p.requires_grad and p.ndim > 1]
        assert learns and all(p.grad is not None for p in learns)
    assert [m for m in network.modules() if isinstance(m, QuantReLU)]


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_callers_gradient_mode_does_not_matter(mode):
    model, shape = made("branchy")
    images = image_batch(shape)
    with mode():
        network, _ = binarize(model, input_shape=shape)
        to_stage(network, "BQ", calibration=images)
        deploy = freeze(network)
    network(images).sum().backward()
    assert all(p.grad is not None for p in network.parameters() if p.requires_grad and p.ndim > 1)
    want = freeze(network)
    assert torch.equal(deploy(torch.floor(images)), want(torch.floor(images)))


def test_a_strided_block_without_a_projection_relu_is_a_projection():
    """1×1 projections are 8-bit pointwise, 3×3 ones 8-bit convolutions; neither is a pattern."""
    for kernel, kind in ((1, PointwiseConv2d), (3, QuantConv2d)):
        model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), BasicBlock(4, 8, 2, kernel))
        network, _ = binarize(model, input_shape=(3, 8, 8))
        assert type(network.get_submodule("2.downsample.0")) is kind
        assert isinstance(network.get_submodule("2.conv1"), PatternConv2d)
