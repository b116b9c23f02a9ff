"""The networks: sizes against hand calculation and the literature, exactness of the frozen form."""

from pathlib import Path

import numpy as np
import pytest
import torch
from plain_onnx import check_written

from sephw.errors import SephwError
from sephw.frontend import export_qonnx
from sephw.networks import NETWORK_NAMES, make_network
from sephw.nn import PatternConv2d, QuantConv2d, freeze, to_stage
from sephw.train.evaluate import parameter_counts
from tests.nn.networks import enliven, image_batch, to_bq
from tests.nn.test_freeze import assert_float32_is_exact

SMALL = {
    "ResNet": {"depth": 8, "widths": (4, 8), "height": 12, "width": 10},
    "GoogLeNet": {"shrink": 16, "height": 48, "width": 40, "classes": 7},
    "Inception": {"shrink": 32, "height": 48, "width": 40, "classes": 7, "blocks": (1, 1, 1)},
}


def frozen(name):
    torch.manual_seed(0)
    network = enliven(make_network(name, SMALL[name]))
    a = network.arguments
    images = image_batch((a["in_channels"], a["height"], a["width"]), 4)
    return freeze(to_bq(network, images)), network, images


def resnet_by_hand(depth):
    """(patterns, others): 3×3 everywhere, stem and two strided projections are no patterns."""
    blocks = (depth - 2) // 6
    patterns = 9 * sum(
        before * width + (2 * blocks - 1) * width * width
        for before, width in ((16, 16), (16, 32), (32, 64))
    )
    return patterns, 9 * (3 * 16 + 16 * 32 + 32 * 64) + 64 * 10 + 10


@pytest.mark.parametrize("depth", [20, 32, 44, 56])
def test_resnet_sizes_by_hand(depth):
    network = make_network(f"ResNet-{depth}", {})
    assert parameter_counts(network) == resnet_by_hand(depth)
    if depth == 20:  # the authors' file holds that many kernels
        assert parameter_counts(network)[0] == 29_696 * 9
    kept = [n for n, m in network.named_modules() if isinstance(m, QuantConv2d)]
    assert kept == ["stem.conv", "stages.1.0.shortcut", "stages.2.0.shortcut"]


def test_sepnet_reconstructions_have_the_computed_sizes():
    assert parameter_counts(make_network("SEPNet-1.3M", {})) == (183_168, 1_326_504 - 183_168)
    assert parameter_counts(make_network("SEPNet-full", {})) == (349_056, 1_658_280 - 349_056)


def test_sepnet_sizes_by_hand():
    """CIFAR-S: 32, 64, 128 channels, one module each, 4 groups in the PRBs."""

    def module(c):
        half, quarter = c // 2, c // 4
        return 9 * (half * half + half * quarter) // 4, (
            c * half + (half * half + half * quarter) // 4 + quarter * c
        )

    modules = [module(c) for c in (32, 64, 128)]
    others = 9 * (3 * 32 + 32 * 64 + 64 * 128) + 128 * 10 + 10
    want = sum(m[0] for m in modules), sum(m[1] for m in modules) + others
    assert parameter_counts(make_network("SEPNet-CIFAR-S", {})) == want


def test_googlenet_size_is_the_papers():
    """The paper: 3.59 M of about 6.99 M weights are inception 3×3 and 5×5."""
    patterns, others = parameter_counts(make_network("GoogLeNet", {}))
    assert (round(patterns / 1e6, 2), round((patterns + others) / 1e6, 2)) == (3.59, 6.99)
    only = [parameter_counts(make_network("GoogLeNet", {"patterns": [k]}))[0] for k in (3, 5)]
    assert sum(only) == patterns and all(only)
    assert parameter_counts(make_network("GoogLeNet", {"patterns": []})) == (0, patterns + others)


def test_inception_size_is_that_of_inception_v3():
    """Keras states 23,851,784 parameters, 3 · 17,216 of them in batch norms without scale."""
    assert sum(parameter_counts(make_network("Inception", {}))) == 23_851_784 - 3 * 17_216


@pytest.mark.parametrize("name", SMALL)
def test_small_networks_freeze_exactly(name, tmp_path):
    deploy, network, images = frozen(name)
    assert_float32_is_exact(deploy, images)
    if name != "Inception":  # that one's file is looked at below
        export_qonnx(deploy, tmp_path / "model.onnx", deploy.input_shape)
        check_written(tmp_path / "model.onnx")
    with torch.no_grad():
        got, want = deploy(images), network(images)
    assert got.shape == (4, network.arguments["classes"])
    assert (got - want).abs().max() <= 0.02 * want.abs().max()


def test_qonnx_says_concat_and_average_pool_exactly(tmp_path: Path):
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx

    deploy, _, images = frozen("Inception")
    export_qonnx(deploy, tmp_path / "inception.onnx", deploy.input_shape)
    check_written(tmp_path / "inception.onnx")
    model = ModelWrapper(str(tmp_path / "inception.onnx"))
    nodes = {node.name: node for node in model.graph.node}
    concat = nodes["blocks.0.concat.Concat"]
    assert [a.i for a in concat.attribute if a.name == "axis"] == [1]
    pool = nodes["blocks.0.branches.pooled.pool.AveragePool"]
    assert {a.name: a.i for a in pool.attribute}["count_include_pad"] == 1
    (factor,) = [n for n in model.graph.node if n.input[0] == pool.output[0]]
    assert factor.op_type == "Mul"
    assert float(model.get_initializer(factor.input[1])) == 9 / 16
    for image in images[:1].split(1):
        result = execute_onnx(model, {model.graph.input[0].name: image.numpy()})
        with torch.no_grad():
            want = deploy(image).numpy()
        assert np.array_equal(result[model.graph.output[0].name], want)


def test_every_name_builds_and_remembers_its_arguments():
    for name in NETWORK_NAMES:
        small = {"shrink": 32} if name in ("GoogLeNet", "Inception") else {}
        network = make_network(name, small)
        again = make_network(name, network.arguments)
        assert again.arguments == network.arguments
        assert any(isinstance(m, PatternConv2d) for m in network.modules())


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        (
            "ResNet",
            {"depth": 18},
            "network 'ResNet': depth=18 is not 6n + 2; use 20, 32, 44 or 56; correct its arguments",
        ),
        (
            "ResNet-20",
            {"shortcut_kernel": 2},
            "network 'ResNet-20': shortcut_kernel=2 must be odd; correct its arguments",
        ),
        (
            "GoogLeNet",
            {"patterns": [7]},
            "network 'GoogLeNet': patterns=[7] and shrink=1: patterns "
            "are of the kernels 3 and 5, shrink is at least 1; correct its arguments",
        ),
        (
            "Inception",
            {"blocks": [1, 2]},
            "network 'Inception': blocks=[1, 2] and shrink=1: three "
            "counts, and a shrink of at least 1; correct its arguments",
        ),
        (
            "SEPNet-1.3M",
            {"transition_groups": [1, 4]},
            "network 'SEPNet-1.3M': "
            "transition_groups=[1, 4] for 3 transitions; give one number, or one per transition; "
            "correct its arguments",
        ),
    ],
)
def test_wrong_arguments_are_one_line(name, arguments, text):
    with pytest.raises(SephwError) as error:
        make_network(name, arguments)
    assert str(error.value) == text


def test_a_state_dict_loads_into_the_same_stage():
    images = image_batch((3, 12, 10), 4)
    network = enliven(make_network("ResNet", SMALL["ResNet"]))
    to_bq(network, images)
    other = make_network("ResNet", SMALL["ResNet"])
    to_stage(other, "BQ")
    other.load_state_dict(network.state_dict())
    assert torch.equal(network(images), other.eval()(images))
