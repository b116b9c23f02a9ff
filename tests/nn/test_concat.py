"""Concatenation with one scale, and average pooling: values, scales, errors."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sephw.errors import SephwError
from sephw.nn import AveragePool2d, Concat, PatternConv2d, PointwiseConv2d, QuantReLU, freeze
from sephw.nn.geometry import average_is_exact
from sephw.nn.transition import best_exponent
from tests.nn.networks import OneBlock, image_batch, to_bq
from tests.nn.test_freeze import assert_float32_is_exact


class Branches(nn.Module):
    """Two quantized branches of very different size, one max-pooled, joined; then a 1×1."""

    def __init__(self, bits=(8, 8), function=False):
        super().__init__()
        self.small, self.large = PointwiseConv2d(3, 4), PatternConv2d(3, 6, 3, padding=1)
        self.small_act, self.large_act = QuantReLU(bits[0]), QuantReLU(bits[1])
        self.pool = nn.MaxPool2d(3, 1, 1)
        self.concat, self.function = Concat(), function
        self.after, self.act = PointwiseConv2d(10, 5), QuantReLU()

    def forward(self, x):
        y, z = self.small_act(self.small(x)), self.pool(self.large_act(self.large(x)))
        joined = torch.cat([y, z], dim=1) if self.function else self.concat(y, z)
        return self.act(self.after(joined))


@pytest.mark.parametrize("function", [False, True])
def test_branches_share_the_scale_that_is_best_for_both(function):
    torch.manual_seed(1)
    block = Branches(function=function)
    with torch.no_grad():
        block.small.weight *= 0.02
    network = OneBlock(block, 3, (6, 7))
    images = image_batch((3, 6, 7))
    with torch.no_grad():
        small = torch.relu(block.small(images))
    bq = to_bq(network, images)
    with torch.no_grad():
        large = torch.relu(block.large(images))
    assert block.small_act.exponent == block.large_act.exponent
    both = torch.cat([small.flatten(), large.flatten()])
    assert block.small_act.exponent == best_exponent(both, 8) < best_exponent(small.flatten(), 8)
    deploy = freeze(bq)
    assert_float32_is_exact(deploy, images)


def test_different_bits_are_refused():
    with pytest.raises(SephwError) as error:
        to_bq(OneBlock(Branches(bits=(8, 4)), 3, (6, 7)), image_batch((3, 6, 7)))
    assert str(error.value) == (
        "concatenation 'block.concat': QuantReLU 'block.small_act' has 8 bits, "
        "'block.large_act' 4; give both the same"
    )


def test_scales_moved_apart_are_refused():
    network = to_bq(OneBlock(Branches(), 3, (6, 7)), image_batch((3, 6, 7)))
    network.block.small_act.exponent, network.block.large_act.exponent = 9, 7
    with pytest.raises(SephwError) as error:
        freeze(network)
    assert str(error.value) == (
        "Concat 'block.concat': 'block.pool' has 8 bits at 2^-7, its first input 8 bits at 2^-9; "
        "to_stage with calibration images gives them one scale"
    )


class Unrounded(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = PointwiseConv2d(3, 2), PointwiseConv2d(3, 2)
        self.concat, self.act = Concat(), QuantReLU()

    def forward(self, x):
        return self.act(self.concat(self.a(x), self.b(x)))


class Rows(Branches):
    def forward(self, x):
        y = self.small_act(self.small(x))
        return self.act(self.after(torch.cat([y, y], dim=2)))


def test_concatenation_of_sums_and_of_rows_are_refused():
    with pytest.raises(SephwError) as error:
        freeze(to_bq(OneBlock(Unrounded(), 3, (4, 4)), image_batch((3, 4, 4))))
    assert str(error.value) == (
        "Concat 'block.concat': its input 'block.a' is not quantized; put a QuantReLU before it"
    )
    block = Rows()
    block.after = PointwiseConv2d(4, 5)
    with pytest.raises(SephwError) as error:
        freeze(to_bq(OneBlock(block, 3, (4, 4)), image_batch((3, 4, 4))))
    assert str(error.value) == (
        "concatenation 'cat': joins along axis 2; only channels (axis 1) can be joined"
    )


@settings(max_examples=25, deadline=None)
@given(
    kernel=st.sampled_from([2, 3, 4]),
    stride=st.integers(1, 3),
    data=st.data(),
    height=st.integers(5, 8),
    width=st.integers(5, 8),
)
def test_average_pool_is_a_windowed_integer_sum(kernel, stride, data, height, width):
    padding = data.draw(st.integers(0, kernel // 2))
    x = np.random.default_rng(height * 8 + width).integers(0, 256, (2, height, width))
    got = AveragePool2d(kernel, stride, padding)(torch.from_numpy(x[None] / 256).float())[0]
    padded = np.pad(x, ((0, 0), (padding,) * 2, (padding,) * 2))
    exponent = int(np.ceil(np.log2(kernel * kernel)))
    for c, i, j in np.ndindex(*got.shape):
        window = padded[c, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
        want = Fraction(int(window.sum()), 256 * 2**exponent)
        assert Fraction(float(got[c, i, j])) == want


class Pooled(nn.Module):
    def __init__(self, kernel):
        super().__init__()
        self.pool, self.act = AveragePool2d(kernel, 1, kernel // 2), QuantReLU()

    def forward(self, x):
        return self.act(self.pool(x))


def test_kernels_whose_average_float32_rounds_are_refused():
    assert [k for k in range(2, 15) if average_is_exact(k * k, 255)] == [2, 3, 4, 6, 8, 12]
    images = image_batch((3, 7, 7))
    assert_float32_is_exact(freeze(to_bq(OneBlock(Pooled(3), 3, (7, 7)), images)), images)
    with pytest.raises(SephwError) as error:
        freeze(to_bq(OneBlock(Pooled(5), 3, (7, 7)), images))
    assert str(error.value) == (
        "AveragePool2d 'block.pool': an average over 25 pixels is not exact in float32; "
        "use kernel_size 2, 3, 4, 6, 8 or 12, or a GlobalPool2d"
    )


def test_pattern_bias_is_kept_through_the_stages():
    layer = PatternConv2d(2, 3, 3, bias=True)
    bias = layer.bias.detach().clone()
    network = to_bq(OneBlock(layer, 2, (5, 5)), image_batch((2, 5, 5)))
    assert torch.equal(network.block.pattern_bias, bias) and network.block.bias is None


def test_a_dead_branch_gets_the_unit_range():
    assert best_exponent(torch.zeros(10), 8) == 8
