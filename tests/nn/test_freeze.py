"""freeze: exactness against float64 and against the contract's formula in Python integers."""

import copy
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sephw.errors import SephwError
from sephw.frontend import capture_torch, export_qonnx, read_qonnx
from sephw.nn import (
    PatternResidualBlock,
    SEPModule,
    SEPNet,
    freeze,
    to_stage,
)
from tests.nn.networks import JoinNetwork, enliven, image_batch, to_bq

quick = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


def every_output(network, images):
    """Output of every module of a deploy network, by path."""
    outputs = {}
    hooks = [
        module.register_forward_hook(lambda m, i, o, name=name: outputs.setdefault(name, o))
        for name, module in network.named_modules()
        if "quant" not in name
    ]
    with torch.no_grad():
        network(images)
    for hook in hooks:
        hook.remove()
    return outputs


def assert_float32_is_exact(deploy, images):
    """float64 has 29 bits more; equality everywhere means that float32 never rounded."""
    single = every_output(deploy, images)
    double = every_output(copy.deepcopy(deploy).double(), images.double())
    assert single.keys() == double.keys()
    assert len(single) > 3
    for name, value in single.items():
        assert torch.equal(value.double(), double[name]), name


@quick
@given(
    kernel=st.sampled_from([3, 5]),
    stride=st.integers(1, 2),
    groups=st.sampled_from([1, 2, 4]),
    bits=st.integers(2, 8),
    scale_bits=st.integers(1, 6),
    seed=st.integers(0, 999),
    size=st.tuples(st.integers(5, 9), st.integers(5, 9)),
)
def test_random_prbs_are_exact_in_float32(kernel, stride, groups, bits, scale_bits, seed, size):
    torch.manual_seed(seed)
    block = PatternResidualBlock(4, 8, kernel, stride, groups, bits, scale_bits)
    network = enliven(JoinNetwork(block, 4, size), seed)
    images = image_batch((4, *size), seed=seed)
    assert_float32_is_exact(freeze(to_bq(network, images)), images)


def test_whole_network_is_exact_in_float32():
    torch.manual_seed(3)
    network = enliven(
        SEPNet(
            height=18,
            width=22,
            widths=(16, 32),
            modules=(1, 1),
            stem_kernel=5,
            stem_stride=2,
            stem_pool=True,
            transition_groups=4,
        )
    )
    images = image_batch((3, 18, 22), 16)
    deploy = freeze(to_bq(network, images))
    assert_float32_is_exact(deploy, images)
    assert all(b.widest_bits <= 25 for b in deploy.budgets)


def test_join_follows_the_contract_in_exact_arithmetic():
    """q' = clip(floor(Σ branch + bias + ½ LSB)), recomputed with Python fractions."""
    torch.manual_seed(5)
    network = enliven(JoinNetwork(PatternResidualBlock(4, 4, 3, 1, 2), 4, (4, 5)), 5)
    images = image_batch((4, 4, 5), 3)
    bq = to_bq(network, images)
    deploy = freeze(bq)
    layer, act = bq.block.pattern, bq.block.act
    x = every_output(deploy, images)["entry"].double().numpy()
    got = every_output(deploy, images)["block.act"].double().numpy()
    pointwise = bq.block.pointwise
    weights = pointwise.quant_weight().value.detach().double().numpy()
    patterns = layer.patterns().double().numpy()
    factor = deploy.block.pattern.factor.double().view(-1).numpy()
    offset = deploy.block.act.offset.double().view(-1).numpy()
    # the frozen constants are the trained ones up to their stated rounding
    scale = layer.pattern_scale.detach().double().numpy()
    assert (np.abs(factor - scale) <= np.abs(scale) * 2.0**-layer.scale_bits).all()
    bias = (layer.pattern_bias + pointwise.bias).detach().double().numpy()
    half = 2.0 ** -(act.exponent + 1)
    assert (np.abs(offset - bias - half) <= 2.0 ** -(act.exponent + 3)).all()
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    for n, c, i, j in np.ndindex(got.shape):
        group = c // 2
        window = padded[n, 2 * group : 2 * group + 2, i : i + 3, j : j + 3]
        total = Fraction(offset[c])
        response = sum(
            Fraction(a) * int(b) for a, b in zip(window.flat, patterns[c].flat, strict=True)
        )
        total += Fraction(factor[c]) * response
        pixel = x[n, 2 * group : 2 * group + 2, i, j]
        total += sum(Fraction(a) * Fraction(b) for a, b in zip(pixel, weights[c].flat, strict=True))
        q = min(max((total * 2**act.exponent).__floor__(), 0), 255)
        assert Fraction(got[n, c, i, j]) == Fraction(q) / 2**act.exponent


def test_deploy_tracks_the_trained_network():
    torch.manual_seed(1)
    network = enliven(SEPNet(height=12, width=12, widths=(16,), modules=(2,)))
    images = image_batch((3, 12, 12), 32)
    bq = to_bq(network, images)
    deploy = freeze(bq)
    with torch.no_grad():
        error = (deploy(images) - bq(images)).abs().max() / bq(images).abs().max()
    assert error < 0.02
    assert all(b.coarsened_channels == 0 for b in deploy.budgets)


def test_wide_layers_are_coarsened_and_stay_exact():
    """A branch with a far finer grid than 24 bits allow must give up bits, not exactness."""
    torch.manual_seed(2)
    network = enliven(JoinNetwork(SEPModule(32), 32, (5, 5)), 2)
    images = image_batch((32, 5, 5))
    bq = to_bq(network, images)
    with torch.no_grad():
        bq.block.recover.weight.data *= 2.0**-14
    deploy = freeze(bq)
    assert sum(b.coarsened_channels for b in deploy.budgets) > 0
    assert_float32_is_exact(deploy, images)


def test_a_sum_that_cannot_fit_is_refused_by_name():
    network = JoinNetwork(PatternResidualBlock(4, 4), 4, (5, 5))
    images = image_batch((4, 5, 5))
    bq = to_bq(network, images)
    bq.block.act.exponent = 16
    with torch.no_grad():
        bq.block.pattern.pattern_scale.fill_(64.0)
    with pytest.raises(SephwError) as error:
        freeze(bq)
    assert str(error.value) == (
        "join 'block.act', channel 0: the sum with 'block.pattern' needs 28 bits at steps of "
        "2^-17, more than the 24 that are exact; calibrate again (to_stage with calibration "
        "images), or train it with smaller weights and scales"
    )
    to_stage(bq, "BQ", calibration=images)
    assert_float32_is_exact(freeze(bq), images)


@pytest.mark.parametrize("scale", [0.0, 1e-9, 1e-42])
@pytest.mark.parametrize("bias", [5.0, -300.0, 1e6])
def test_a_class_of_almost_no_weights_keeps_its_bias(scale, bias, tmp_path):
    """A pruned class, or one that starts at zero: its logit is its bias, rounded to 24 bits."""
    torch.manual_seed(4)
    network = enliven(SEPNet(height=8, width=8, widths=(16,), modules=(0,), classes=4))
    images = image_batch((3, 8, 8))
    bq = to_bq(network, images)
    with torch.no_grad():
        bq.classifier.weight[2] *= scale
        bq.classifier.bias[2] = bias
        want = bq(images)
    deploy = freeze(bq)
    assert_float32_is_exact(deploy, images)
    with torch.no_grad():
        got = deploy(images)
    most = want.abs().max()
    assert torch.allclose(got[:, 2], want[:, 2], rtol=2.0**-16, atol=float(most) * 2.0**-16)
    # the other classes lose nothing but what lies 2^-24 below the largest logit
    error = (got - want)[:, [0, 1, 3]].abs().max()
    assert error <= 0.02 * want[:, [0, 1, 3]].abs().max() + 2.0**-20 * most
    if scale == 0 and bias > 5:
        export_qonnx(deploy, tmp_path / "network.onnx", deploy.input_shape)
        result = read_qonnx(tmp_path / "network.onnx")
        pixels = (images * 256).numpy().astype(np.int64).transpose(0, 2, 3, 1)
        (logits,) = (layer.tensor for layer in result.layers if layer.is_output)
        expected = capture_torch(deploy, result.layers, pixels)
        assert np.array_equal(result.graph.run(pixels)[logits], expected[logits])


def test_a_classifier_of_zeros_returns_its_bias():
    network = SEPNet(height=8, width=8, widths=(16,), modules=(0,), classes=4)
    images = image_batch((3, 8, 8))
    bq = to_bq(network, images)
    bias = torch.tensor([1.5, -0.25, 0.0, 1000.0])
    with torch.no_grad():
        bq.classifier.weight.zero_()
        bq.classifier.bias.copy_(bias)
        assert torch.equal(freeze(bq)(images), bias.expand(8, 4))


def test_a_filter_without_scale_fits_behind_every_grid():
    """A dead filter (gamma 0) of an input that is finer than the sum's grid."""
    network = enliven(JoinNetwork(PatternResidualBlock(4, 4), 4, (5, 5)))
    images = image_batch((4, 5, 5))
    bq = to_bq(network, images)
    bq.entry.exponent = 16
    with torch.no_grad():
        for factor in (0.0, 1e-30):
            bq.block.pattern.pattern_scale[1] = factor
            bq.block.pointwise.weight[1] *= factor
            bq.block.pointwise.bias[1] = 1e3
            assert_float32_is_exact(freeze(bq), images)


def test_freeze_leaves_the_network_alone_and_needs_bq():
    network = SEPNet(height=8, width=8, widths=(16,), modules=(1,))
    with pytest.raises(SephwError) as error:
        freeze(network)
    assert str(error.value) == "SEPNet: stage R cannot be frozen; train it to stage BQ first"
    images = image_batch((3, 8, 8))
    bq = to_bq(network, images)
    before = {k: v.clone() for k, v in bq.state_dict().items()}
    freeze(bq)
    assert all(torch.equal(v, before[k]) for k, v in bq.state_dict().items())
