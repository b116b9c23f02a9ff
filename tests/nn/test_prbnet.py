"""PRBNet: shapes in every stage, weight counts, exactness, refusals."""

import pytest
import torch

from sephw.nn import PatternConv2d, PRBNet, Stage, freeze, to_stage

from .networks import enliven, image_batch, to_bq
from .test_freeze import assert_float32_is_exact


@pytest.mark.parametrize("pool", [False, True])
def test_any_size_in_every_stage(pool):
    network = PRBNet(
        height=17,
        width=12,
        in_channels=3,
        classes=5,
        stem_pool=pool,
        widths=(4, 8, 12),
        strides=(2, 1),
        groups=2,
    )
    images = image_batch((3, 17, 12))
    for stage in Stage:
        to_stage(network, stage, calibration=images)
        assert network(images).shape == (8, 5)
        assert network.stage is stage


def test_patterns_are_most_of_the_weights():
    network = PRBNet(stem_kernel=5, stem_stride=2, widths=(8, 32), strides=(2,), kernel_size=7)
    patterns = [m for m in network.modules() if isinstance(m, PatternConv2d)]
    assert sum(m.weight.numel() for m in patterns) == 32 * 8 * 7 * 7
    others = {name: p.numel() for name, p in network.named_parameters() if "norm" not in name}
    assert others.pop("blocks.0.pattern.weight") == 12544
    # Stem 8·1·5·5, pointwise 32·8, classifier 10·32 and its 10 biases.
    assert sum(others.values()) == 200 + 256 + 330


def test_pointwise_branches_may_have_groups_of_their_own():
    network = PRBNet(widths=(8, 16), strides=(2,), groups=2, pointwise_groups=4)
    (block,) = network.blocks
    assert tuple(block.pattern.weight.shape) == (16, 4, 3, 3)
    assert tuple(block.pointwise.weight.shape) == (16, 2, 1, 1)
    assert PRBNet(**network.arguments).arguments == network.arguments


def test_frozen_network_is_exact_in_float32():
    torch.manual_seed(5)
    network = enliven(
        PRBNet(height=14, width=11, widths=(8, 16, 8), strides=(2, 1), kernel_size=5, groups=4)
    )
    images = image_batch((1, 14, 11), 16)
    assert_float32_is_exact(freeze(to_bq(network, images)), images)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"widths": (8,), "strides": ()}, "needs at least two entries"),
        ({"widths": (8, 16), "strides": (1, 2)}, r"strides=\[1, 2\] one fewer"),
        ({"widths": (8, 18), "groups": 4}, "PRBNet: width 18 is not a multiple of groups = 4"),
        (
            {"widths": (8, 18), "pointwise_groups": 4},
            "PRBNet: width 18 is not a multiple of pointwise_groups = 4; change widths or "
            "pointwise_groups",
        ),
        ({"kernel_size": 1}, "kernel_size odd and at least 3"),
    ],
)
def test_names_wrong_arguments(arguments, text):
    with pytest.raises(ValueError, match=text):
        PRBNet(**arguments)
