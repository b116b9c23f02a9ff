"""What freeze takes, the QONNX reader and lowering take: sums near the limits of every number."""

import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from benchmarks.random_networks.build import trained
from benchmarks.random_networks.draw import draw
from sephw.errors import SephwError
from sephw.frontend import capture_qonnx, capture_torch, export_qonnx
from sephw.nn import (
    AveragePool2d,
    GlobalPool2d,
    PatternConv2d,
    PointwiseConv2d,
    QuantConv2d,
    QuantLinear,
    QuantReLU,
    freeze,
)
from sephw.nn.freeze.budget import BranchSum, fit_all
from sephw.nn.freeze.terms import Grid, IdentityTerm, PatternTerm, PoolTerm, WeightTerm
from sephw.passes import FoldingFile, LoweringStage, lower
from tests.nn.networks import OneBlock, image_batch, to_bq

CHANNELS, SIZE = 3, (4, 5)
KINDS = ("pattern", "point", "conv", "skip", "average")


class Branch(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        if kind == "pattern":
            self.layer = PatternConv2d(CHANNELS, CHANNELS, 3, padding=1)
        elif kind == "point":
            self.layer = PointwiseConv2d(CHANNELS, CHANNELS)
        elif kind == "conv":
            self.layer = QuantConv2d(CHANNELS, CHANNELS, 3, padding=1)
        else:
            self.layer = AveragePool2d(3, 1, 1) if kind == "average" else nn.Identity()

    def forward(self, x):
        return self.layer(x)


def added(values):
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


class Joined(nn.Module):
    """Two sums that share their first branch; then one that is the output, of maps or classes."""

    def __init__(self, kinds, shared, last, bits, pooled):
        super().__init__()
        self.entry, self.act, self.other = (QuantReLU(b) for b in bits)
        self.branches = nn.ModuleList(Branch(kind) for kind in kinds)
        self.extra = Branch(shared)
        self.last = nn.ModuleList(Branch(kind) for kind in last)
        self.pools = nn.ModuleList([GlobalPool2d(), GlobalPool2d()])
        self.pooled = QuantReLU(8)
        self.classes = nn.ModuleList(QuantLinear(CHANNELS, 4) for _ in last) if pooled else None

    def forward(self, x):
        x = self.entry(x)
        values = [branch(x) for branch in self.branches]
        both = self.act(added(values))
        alone = self.other(values[0] + self.extra(x))
        if self.classes is None:
            return added([last(v) for last, v in zip(self.last, [both, alone] * 2, strict=False)])
        row = self.pooled(self.pools[0](both) + self.pools[1](alone))
        return added([classes(row) for classes in self.classes])


def powers(pick, count, spread):
    """Powers of two near 1, or far from it, and zeros."""
    exponents = pick(st.lists(st.integers(-spread, spread), min_size=count, max_size=count))
    return np.array([0.0 if e == spread else 2.0**e for e in exponents])


@st.composite
def networks(pick):
    """A network in stage BQ whose scales, weights and steps are drawn near the limits."""
    kinds = pick(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    last = pick(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    bits = pick(st.tuples(*[st.integers(2, 8)] * 3))
    joined = Joined(kinds, pick(st.sampled_from(KINDS)), last, bits, pick(st.booleans()))
    torch.manual_seed(pick(st.integers(0, 99)))
    network = OneBlock(joined, CHANNELS, SIZE)
    images = image_batch((CHANNELS, *SIZE), 4)
    to_bq(network, images)
    spread = pick(st.sampled_from([2, 6, 12, 40, 70]))
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, PatternConv2d):
                scale = torch.tensor(powers(pick, CHANNELS, spread)).float()
                module.pattern_scale.mul_(scale)
                module.pattern_bias.copy_(torch.tensor(biases(pick, CHANNELS, spread)))
            elif isinstance(module, QuantConv2d | QuantLinear):
                count = len(module.weight)
                scale = torch.tensor(powers(pick, count, spread)).float()
                module.weight.mul_(scale.view(-1, *[1] * (module.weight.dim() - 1)))
                module.bias.copy_(torch.tensor(biases(pick, count, spread)))
    # Steps as they fit the sums, or not.
    if pick(st.booleans()):
        to_bq(network, images)
    else:
        for act in (joined.entry, joined.act, joined.other, joined.pooled):
            act.exponent = pick(st.integers(-12, 20))
    return network


def biases(pick, count, spread):
    wanted = powers(pick, count, spread) * np.array(pick(st.sampled_from([0.0, 1.0, -3.0, 0.7])))
    return wanted.astype(np.float32)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_what_freeze_takes_is_read_lowered_and_equal(network):
    try:
        deploy = freeze(network)
    except SephwError as error:
        assert "\n" not in str(error) and "; " in str(error)
        return
    with tempfile.TemporaryDirectory() as folder:
        assert_taken_and_equal(deploy, Path(folder))


def assert_taken_and_equal(deploy, folder):
    path = folder / "model.onnx"
    read = export_qonnx(deploy, path, deploy.input_shape)
    folded = lower(read.graph, FoldingFile(), until=LoweringStage.WIDTH_CONVERTERS)
    pixels = (image_batch(deploy.input_shape, 3, 5) * 256).numpy().astype(np.int64)
    pixels = pixels.transpose(0, 2, 3, 1)
    integers = folded.run(pixels)
    for found in (
        capture_torch(deploy, read.layers, pixels),
        capture_qonnx(path, read.layers, pixels),
    ):
        (output,) = (layer.tensor for layer in read.layers if layer.is_output)
        assert output in found and len(found) > 1
        for tensor, values in found.items():
            assert np.array_equal(values, integers[tensor]), tensor


@pytest.mark.parametrize("index", [683, 895])
def test_zeros_are_on_every_grid(index, tmp_path):
    """Channels of zeros, and offsets of 0, beside sums whose steps are above 1."""
    network = draw(1, index).network
    shape = (network.channels, network.height, network.width)
    assert_taken_and_equal(freeze(trained(network), shape), tmp_path)


def block_network(block, shape=(CHANNELS, *SIZE)):
    images = image_batch(shape, 4)
    network = OneBlock(block, shape[0], shape[1:])
    torch.manual_seed(0)
    return to_bq(network, images), images


def refusal(network):
    with pytest.raises(SephwError) as error:
        freeze(network)
    return str(error.value)


@pytest.mark.parametrize("bias", [3e7, 1e25])
def test_a_bias_beyond_every_integer_is_refused(bias):
    block = nn.Sequential(QuantConv2d(CHANNELS, 4, 3), QuantReLU())
    network, images = block_network(block)
    with torch.no_grad():
        block[0].bias[2] = bias
    text = refusal(network)
    assert text.startswith("join 'block.1', channel 2: the sum with 'block.0' needs ")
    assert text.endswith(
        "more than the 24 that are exact; calibrate again (to_stage with calibration images), or "
        "train it with smaller weights and scales"
    )
    if bias < 1e10:
        to_bq(network, images)
    else:
        with torch.no_grad():
            block[0].bias[2] = 1.0
    freeze(network)


@pytest.mark.parametrize("exponent", [-90, 61, 10**9])
def test_steps_out_of_range_are_refused(exponent):
    block = nn.Sequential(QuantConv2d(CHANNELS, 4, 3), QuantReLU())
    network, images = block_network(block)
    block[1].exponent = exponent
    assert refusal(network) == (
        f"QuantReLU 'block.1': a step of 2^{-exponent} is farther from 1 than 2^±60, where "
        "float32 may round; calibrate again (to_stage with calibration images)"
    )
    freeze(to_bq(network, images))


@pytest.mark.parametrize("what", ["weight", "bias", "both"])
def test_logits_out_of_range_are_refused(what, tmp_path):
    block = QuantConv2d(CHANNELS, 4, 3, bias=True)
    network, _ = block_network(block)
    with torch.no_grad():
        if what != "bias":
            block.weight[1] *= 2.0**80
        if what != "weight":
            block.bias[1] = 2.0**90
    named = "'block'" if what != "bias" else "the bias"
    assert refusal(network) == (
        f"join 'logits': {named} is farther from 1 than 2^±60, where float32 may round; train it "
        "with smaller weights and scales"
    )
    with torch.no_grad():
        block.weight[1] *= 2.0**-40 if what != "bias" else 1
        block.bias[1] = 0.5
    assert_taken_and_equal(freeze(network), tmp_path)


@pytest.mark.parametrize("scale", [2.0**-80, 2.0**-120])
def test_scales_that_are_too_small_become_zero(scale, tmp_path):
    """Behind a constant of exactly 0 nothing else limits how fine a grid is."""
    block = nn.Sequential(PatternConv2d(CHANNELS, 4, 3), QuantReLU())
    network, _ = block_network(block)
    with torch.no_grad():
        block[0].pattern_scale[1] = scale
        block[0].pattern_bias[1] = -(2.0 ** -(block[1].exponent + 1))
    deploy = freeze(network)
    assert float(deploy.get_submodule("block.0").factor.reshape(-1)[1]) == 0
    assert_taken_and_equal(deploy, tmp_path)


def test_a_pool_of_too_many_pixels_is_refused():
    block = nn.Sequential(QuantReLU(8), GlobalPool2d(), QuantReLU(8), QuantLinear(1, 2))
    network, images = block_network(block, (1, 300, 301))
    assert refusal(network) == (
        "join 'block.2': the sums of 'block.1' need 25 bits, more than the 24 that are exact; "
        "let it read fewer activation bits, a smaller map or fewer channels"
    )
    freeze(block_network(nn.Sequential(QuantReLU(7), *block[1:]), (1, 300, 301))[0])


def test_a_branch_of_two_sums_has_the_constants_of_both(tmp_path):
    """One sum is so wide that the branch gives up bits; the other one reads the same weights."""

    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.wide = QuantConv2d(CHANNELS, 4, 3), QuantConv2d(CHANNELS, 4, 3)
            self.one, self.two = QuantReLU(), QuantReLU()

        def forward(self, x):
            shared = self.conv(x)
            return self.one(shared) + self.two(shared + self.wide(x))

    block = Twice()
    network, images = block_network(block)
    with torch.no_grad():
        block.wide.weight *= 2.0**12
    to_bq(network, images)
    alone = freeze(network)
    assert [b.coarsened_channels for b in alone.budgets[:2]] == [4, 4]
    assert_taken_and_equal(alone, tmp_path)


def grids(rng, count):
    return Grid(int(rng.integers(-8, 17)), int(rng.integers(2, 9)), count)


def random_term(rng, count, spread):
    """A branch whose constants are near 1, or far from it."""
    grid = grids(rng, count)
    exponents = rng.integers(-spread, spread + 1, count)
    bias = rng.normal(0, 1, count) * np.exp2(rng.integers(-spread, spread + 1, count))
    bias[rng.random(count) < 0.3] = 0
    kind = rng.integers(4)
    if kind == 0:
        return IdentityTerm("skip", grid)
    if kind == 1:
        return PoolTerm("pool", grid, 35, 6)
    if kind == 2:
        weights = rng.integers(-127, 128, (count, int(rng.integers(1, 65))))
        weights[rng.random(count) < 0.2] = 0
        weights[rng.random(count) < 0.2] *= 0 if rng.random() < 0.2 else 1
        return WeightTerm("conv", grid, weights, exponents, bias)
    patterns = rng.choice([-1, 1], (count, int(rng.integers(2, 65))))
    odd = 2 * rng.integers(0, 8, count) + 1
    mantissa = np.where(rng.random(count) < 0.2, 0, rng.choice([-1, 1], count) * odd)
    return PatternTerm(
        "pattern", grid, patterns, mantissa, np.where(mantissa == 0, 0, exponents), bias
    )


def lowest(value):
    """Exponent e of the coarsest grid 2^-e that holds a dyadic fraction other than 0."""
    if value.denominator > 1:
        return value.denominator.bit_length() - 1
    return 1 - (value.numerator & -value.numerator).bit_length()


def numbers(term, channel):
    """Factor of what the engine sums, least and most of the sum, its weights, in fractions."""
    top = term.grid.top
    if isinstance(term, WeightTerm):
        rows = [Fraction(int(w)) for w in term.weights[channel]]
        step = Fraction(2) ** -int(term.grid.exponent + term.weight_exponent[channel])
    elif isinstance(term, PatternTerm):
        rows = [Fraction(int(w)) for w in term.patterns[channel]]
        step = Fraction(2) ** -int(term.grid.exponent + term.scale_exponent[channel])
        step *= int(term.mantissa[channel])
    else:
        rows = [Fraction(1)] * getattr(term, "pixels", 1)
        step = Fraction(2) ** -int(term.exponent[channel])
    low, high = (sum(end(w, 0) for w in rows) * top for end in (min, max))
    return step, low, high, rows


def fits(terms, constant, channel, step):
    """By the definition, in fractions: float32 holds every sum of any of these numbers."""
    parts = [numbers(term, channel) for term in terms]
    steps = [factor * w for factor, _, _, rows in parts for w in rows if factor * w != 0]
    steps += [constant] if constant else []
    finest = max([lowest(s) for s in steps], default=step or 0)
    finest = finest if step is None else max(finest, step)
    widest = sum(abs(factor) * max(-low, high) for factor, low, high, _ in parts) + abs(constant)
    return widest * Fraction(2) ** finest < 2**24


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from([1, 4, 10, 20, 45]), st.booleans())
def test_a_join_is_exact_and_no_coarser_than_it_has_to_be(seed, spread, ends):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 4))
    terms = tuple(random_term(rng, count, spread) for _ in range(rng.integers(1, 5)))
    step = None if ends else int(rng.integers(-8, 17))
    try:
        (join,) = fit_all([BranchSum("join", terms, step)])
    except SephwError as error:
        # Logits without skips and pools can always be rounded.
        rigid = any(isinstance(term, IdentityTerm | PoolTerm) for term in terms)
        assert step is not None or rigid or "farther from 1" in str(error)
        return
    for channel in range(count):
        exponent = int(join.exponent[channel])
        constant = Fraction(int(join.offset[channel])) * Fraction(2) ** -exponent
        assert fits(join.terms, constant, channel, step)
    finest = np.max([term.exponent for term in terms], axis=0)
    apart = int(finest.max() - finest.min())
    for channel in range(count):
        unrounded = int(max(finest[channel], -100 if step is None else step + 3))
        bias = sum(Fraction(float(term.bias[channel])) for term in terms)
        bias += 0 if step is None else Fraction(2) ** -(step + 1)
        constant = Fraction(round(bias * 2**unrounded if unrounded >= 0 else bias / 2**-unrounded))
        constant *= Fraction(2) ** -unrounded
        # What fits as it is, on grids near each other, keeps its constants.
        small = abs(constant) * Fraction(2) ** (unrounded + 1) < 2**24
        if apart <= 4 and abs(unrounded) < 30 and small and fits(terms, constant, channel, step):
            for before, after in zip(terms, join.terms, strict=True):
                if before.addend.largest[channel] * before.addend.mantissa[channel]:
                    assert before.exponent[channel] == after.exponent[channel]
