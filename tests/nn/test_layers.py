"""Layers against plain torch, and the stage transitions."""

import pytest
import torch
import torch.nn.functional as functional
from torch import nn

from sephw.errors import SephwError
from sephw.nn import (
    GlobalPool2d,
    PatternConv2d,
    PointwiseConv2d,
    QuantConv2d,
    QuantReLU,
    SEPNet,
    to_stage,
)
from sephw.nn.stage import Patterns, Stage
from tests.nn.networks import enliven, image_batch


def test_pattern_conv_is_float_in_stage_r():
    layer = PatternConv2d(8, 12, 3, stride=2, padding=1, groups=4)
    x = torch.rand(2, 8, 9, 7)
    want = functional.conv2d(x, layer.weight, stride=2, padding=1, groups=4)
    assert torch.equal(layer(x), want)


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_pattern_conv_is_alpha_sign_in_stage_b(kernel):
    layer = PatternConv2d(4, 6, kernel, padding=kernel // 2, groups=2)
    with torch.no_grad():
        layer.weight[0, 0, 0, 0] = 0.0  # sign(0) = +1
    layer.set_stage(Stage.B, Patterns.FROZEN)
    x = torch.rand(2, 4, 9, 8)
    alpha = layer.weight.detach().double().abs().mean(dim=(1, 2, 3))
    sign = torch.where(layer.weight >= 0, 1.0, -1.0).double()
    want = functional.conv2d(
        x.double(), sign * alpha.view(-1, 1, 1, 1), padding=kernel // 2, groups=2
    )
    assert torch.allclose(layer(x).double(), want, rtol=1e-5, atol=1e-6)
    assert not layer.weight.requires_grad


def test_straight_through_trains_the_weights_behind_the_patterns():
    layer = PatternConv2d(2, 2, 3)
    layer.set_stage(Stage.B, Patterns.STRAIGHT_THROUGH)
    layer(torch.rand(1, 2, 5, 5)).square().sum().backward()
    assert layer.weight.grad.abs().sum() > 0


def test_pattern_conv_refuses_1x1():
    with pytest.raises(ValueError, match="use PointwiseConv2d for 1×1 convolutions"):
        PatternConv2d(4, 4, 1)


def test_pointwise_and_conv_weights_are_8_bit_powers_of_two_in_stage_bq():
    for layer in (PointwiseConv2d(8, 6, groups=2), QuantConv2d(3, 4, 5, stride=2, padding=2)):
        layer.set_stage(Stage.BQ, Patterns.FROZEN)
        quantized = layer.quant_weight()
        assert (torch.log2(quantized.scale) % 1 == 0).all()
        integers = quantized.value / quantized.scale
        assert (integers == integers.round()).all() and integers.abs().max() <= 127
        # the largest weight of a channel uses the upper half of the range
        assert integers.flatten(1).abs().amax(dim=1).min() >= 64


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_quant_relu_rounds_half_up_and_saturates(bits):
    layer = QuantReLU(bits)
    layer.set_stage(Stage.BQ, Patterns.FROZEN)
    layer.exponent = 3
    x = torch.arange(-40, 4000).float() / 64
    want = torch.clamp(torch.floor(x.double() * 8 + 0.5), 0, 2**bits - 1) / 8
    assert torch.equal(layer(x).double(), want)


def test_global_pool_is_a_sum_times_a_power_of_two():
    x = torch.randint(0, 256, (2, 3, 5, 7)).float()
    assert torch.equal(GlobalPool2d()(x), x.sum(dim=(2, 3)) / 64)


def test_folding_keeps_the_function():
    """BQ with quantization off would be R's function for 8-bit layers: check the folded affine."""
    network = enliven(SEPNet(height=10, width=14, widths=(16,), modules=(1,))).eval()
    images = image_batch((3, 10, 14))
    before = network.stem.norm(network.stem.conv(images))
    to_stage(network, "BQ", calibration=images)
    conv = network.stem.conv
    after = functional.conv2d(images, conv.weight, conv.bias, conv.stride, conv.padding)
    assert torch.allclose(before, after, rtol=1e-4, atol=1e-5)
    assert isinstance(network.stem.norm, nn.Identity)


@pytest.mark.parametrize(("height", "width"), [(9, 13), (28, 28), (17, 8)])
def test_sepnet_takes_any_size_in_every_stage(height, width):
    network = SEPNet(
        height=height,
        width=width,
        in_channels=1,
        classes=7,
        widths=(16, 32),
        modules=(1, 1),
        transition_groups=4,
        stem_pool=True,
    )
    images = image_batch((1, height, width))
    for stage in Stage:
        to_stage(network, stage, calibration=images)
        assert network(images).shape == (8, 7)
        assert network.stage is stage


def test_a_bq_state_dict_loads_into_a_new_network():
    images = image_batch((3, 12, 12))
    arguments = {"height": 12, "width": 12, "widths": [16], "modules": [1]}
    network = enliven(SEPNet(**arguments)).eval()
    to_stage(network, "BQ", calibration=images)
    other = SEPNet(**arguments)
    to_stage(other, "BQ")
    other.load_state_dict(network.state_dict())
    assert torch.equal(network.eval()(images), other.eval()(images))


def test_stages_only_go_forward():
    network = SEPNet(widths=(16,), modules=(1,))
    to_stage(network, "B")
    with pytest.raises(SephwError) as error:
        to_stage(network, "R")
    assert str(error.value) == (
        "SEPNet: stage B cannot go back to R; build a new network and load its checkpoint"
    )


def test_batch_norm_without_a_convolution_is_named():
    class Net(nn.Module):
        stage = Stage.R

        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm2d(3)

        def forward(self, x):
            return self.norm(x)

    with pytest.raises(SephwError) as error:
        to_stage(Net(), "BQ")
    assert str(error.value) == (
        "BatchNorm2d 'norm': no convolution of its own before it; place it right after a "
        "PatternConv2d, PointwiseConv2d or QuantConv2d"
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"widths": (20,), "modules": (1,)}, "SEPNet: width 20 is not a multiple of 4·groups = 16"),
        ({"widths": (16, 32), "modules": (1,)}, "must have the same, non-zero length"),
        ({"widths": (16,), "modules": (1,), "stem_kernel": 4}, "stem_kernel must be odd"),
    ],
)
def test_sepnet_names_wrong_arguments(arguments, text):
    with pytest.raises(ValueError, match=text):
        SEPNet(**arguments)
