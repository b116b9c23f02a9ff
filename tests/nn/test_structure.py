"""What cannot be frozen and lowered is refused before anything is trained; what is taken, is."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from torch import nn

from sephw.errors import SephwError
from sephw.frontend import capture_torch, export_qonnx, read_qonnx
from sephw.nn import (
    AveragePool2d,
    GlobalPool2d,
    PatternConv2d,
    PointwiseConv2d,
    QuantConv2d,
    QuantLinear,
    QuantReLU,
    binarize,
    freeze,
    to_stage,
)
from tests.nn.networks import OneBlock, image_batch, to_bq

SHAPE = (3, 8, 7)


LAYERS = {
    "a": lambda: PatternConv2d(3, 3, 3, padding=1),
    "b": lambda: QuantConv2d(3, 3, 3, padding=1),
    **dict.fromkeys("cde", lambda: PointwiseConv2d(3, 3)),
    "whole": lambda: QuantConv2d(3, 4, (8, 7)),
    "fc": lambda: QuantLinear(3, 4),
    "wide": lambda: QuantLinear(168, 4),
    "act": QuantReLU,
    "act2": QuantReLU,
    "norm": lambda: nn.BatchNorm2d(3),
    "pool": GlobalPool2d,
    "conv": lambda: nn.Conv2d(3, 3, 3),
    "flat_pool": lambda: nn.MaxPool2d((8, 7)),
    "wide_pool": lambda: nn.MaxPool2d(2, dilation=2),
    "five": lambda: AveragePool2d(5),
    "six": lambda: AveragePool2d(6),
}


class Own(OneBlock):
    """Layers of this package, those that a forward, which a test brings, or its fix names."""

    def __init__(self, forward, fixed=None):
        super().__init__(None, 3, SHAPE[1:])
        named = {*forward.__code__.co_names, *(fixed.__code__.co_names if fixed else ())}
        for name, make in LAYERS.items():
            if name in named:
                setattr(self, name, make())
        object.__setattr__(self, "function", forward)

    def forward(self, x):
        return self.function(self, x)


def aliased(m, x):
    y = m.a(m.act(x))
    other = y
    y += m.b(x)
    return m.act2(other)


def added(m, x):
    y = m.a(m.act(x))
    y += m.b(x)
    return m.act2(y)


REFUSED = [
    (
        lambda m, x: m.act(m.a(x) + 1),
        "'add': adds a constant; put it into the bias of the layer before it",
        lambda m, x: m.act(m.a(x)),
    ),
    (
        lambda m, x: m.b(m.a(x)),
        "QuantConv2d 'b': its input is not quantized; put a QuantReLU before it",
        lambda m, x: m.b(m.act(m.a(x))),
    ),
    (
        lambda m, x: m.conv(m.act(x)),
        "Conv2d 'conv': not supported in a pattern network; use the layers of sephw.nn",
        lambda m, x: m.b(m.act(x)),
    ),
    (
        lambda m, x: m.a(m.act(m.a(x))),
        "PatternConv2d 'a': called twice; give each use a module of its own",
        lambda m, x: m.a(m.act(m.b(x))),
    ),
    (
        aliased,
        "'iadd': changes 'a' in place, which is read again behind it; write y = y + x",
        added,
    ),
    (
        lambda m, x: m.act2(m.a(x) + m.b(x) + m.c(x) + m.d(x) + m.e(x)),
        "QuantReLU 'act2': rounds a "
        "sum of 5 branches, at most 4 meet in one; put a QuantReLU behind some of them",
        lambda m, x: m.act2(m.act(m.a(x) + m.b(x)) + m.c(x) + m.d(x) + m.e(x)),
    ),
    (
        lambda m, x: m.act2(m.a(x) + m.fc(m.act(m.pool(x)))[:, :3]),
        "'getitem' (<built-in function "
        "getitem>): not supported in a pattern network; supported: the layers of sephw.nn, "
        "max-pool, "
        "concatenation of channels, flatten and +",
        None,
    ),
    (
        lambda m, x: m.act2(m.a(x) + functional.max_pool2d(m.act(m.b(x)), (8, 7), 1)),
        "'add': adds tensors of shapes (3, 8, 7) and (3, 1, 1); give both the same",
        lambda m, x: m.act2(m.a(x) + functional.max_pool2d(m.act(m.b(x)), 3, 1, 1)),
    ),
    (
        lambda m, x: m.b(torch.cat([x, m.act(m.a(x))], 1)[:, :3]),
        "concatenation 'cat': joins the "
        "image and quantized tensors, whose scales differ; put a QuantReLU behind the image",
        lambda m, x: torch.cat([m.act2(x), m.act(m.a(x))], 1),
    ),
    (
        lambda m, x: m.wide(torch.flatten(m.act(m.a(x)), 1)),
        "QuantLinear 'wide': reads a flattened "
        "map of (3, 8, 7); use QuantConv2d(3, 4, (8, 7)) before the flattening instead",
        lambda m, x: torch.flatten(m.whole(m.act(m.a(x))), 1),
    ),
    (
        lambda m, x: m.b(torch.flatten(m.act(m.pool(x)), 1).unsqueeze(2)),
        "'unsqueeze' (unsqueeze): "
        "not supported in a pattern network; supported: the layers of sephw.nn, max-pool, "
        "concatenation of channels, flatten and +",
        None,
    ),
    (
        lambda m, x: m.flat_pool(m.act(m.a(x))),
        "MaxPool2d 'flat_pool': unequal strides (8, 7); use one stride",
        lambda m, x: functional.max_pool2d(m.act(m.a(x)), (8, 7), 1),
    ),
    (
        lambda m, x: functional.max_pool2d(m.act(m.a(x)), (2, 3)),
        "max_pool2d 'max_pool2d': unequal strides (2, 3); use one stride",
        lambda m, x: functional.max_pool2d(m.act(m.a(x)), kernel_size=(2, 3), stride=2),
    ),
    (
        lambda m, x: m.wide_pool(m.act(m.a(x))),
        "MaxPool2d 'wide_pool': dilation (2, 2); use a dilation of 1",
        lambda m, x: functional.max_pool2d(m.act(m.a(x)), 2),
    ),
    (
        lambda m, x: m.act2(m.five(m.act(m.a(x)))),
        "AveragePool2d 'five': an average over 25 pixels "
        "is not exact in float32; use kernel_size 2, 3, 4, 6, 8 or 12, or a GlobalPool2d",
        lambda m, x: m.act2(m.six(m.act(m.a(x)))),
    ),
    (
        lambda m, x: m.norm(m.act(m.a(x))),
        "BatchNorm2d 'norm': no convolution of its own before it; "
        "place it right after a PatternConv2d, PointwiseConv2d or QuantConv2d",
        lambda m, x: m.act(m.norm(m.a(x))),
    ),
    (
        lambda m, x: (m.act(x), m.act2(x)),
        "output: the network returns several tensors; return the logits only",
        lambda m, x: m.act(m.a(x)),
    ),
    (
        lambda m, x: m.act(x) if x.sum() > 0 else x,
        "Own: torch.fx cannot trace it (symbolically "
        "traced variables cannot be used as inputs to control flow); make its forward free of "
        "branches that depend on values",
        lambda m, x: m.act(m.a(x)),
    ),
]


@pytest.mark.parametrize(
    ("forward", "text", "fixed"), REFUSED, ids=[text[:40] for _, text, _ in REFUSED]
)
def test_own_networks_are_refused_before_they_are_trained(forward, text, fixed):
    network = Own(forward, fixed)
    images = image_batch(SHAPE)
    before = copy.deepcopy(network.state_dict())
    for stage in ("B", "BQ"):
        with pytest.raises(SephwError) as error:
            to_stage(network, stage, calibration=images)
        assert str(error.value) == text
    after = network.state_dict()
    assert network.stage == "R" and after.keys() == before.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    if fixed is not None:
        object.__setattr__(network, "function", fixed)
        freeze(to_bq(network, images))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: PatternConv2d(3, 4, 3, padding=3),
            "a padding of 3 rows for a kernel of 3; "
            "windows outside the map compute nothing, use at most 2",
        ),
        (
            lambda: QuantConv2d(3, 4, (1, 3), padding=(1, 1)),
            "a padding of 1 rows for a kernel of "
            "1; windows outside the map compute nothing, use at most 0",
        ),
        (
            lambda: AveragePool2d(2, padding=2),
            "padding=2 of a 2×2 average; use at most 1, half the kernel",
        ),
    ],
)
def test_layers_refuse_windows_outside_the_map(make, text):
    with pytest.raises(ValueError, match="use at most") as error:
        make()
    assert str(error.value) == text


def test_weights_that_are_not_finite_stop_the_next_stage():
    network = Own(lambda m, x: m.act(m.norm(m.a(x))))
    network.norm.running_var[1] = float("nan")
    with pytest.raises(SephwError) as error:
        to_stage(network, "B")
    assert str(error.value) == (
        "BatchNorm2d 'norm': its running_var holds NaN or infinity; load a checkpoint from before "
        "the training diverged"
    )


def random_network(seed):
    """A float torch network of random, often illegal, geometry, and its image's shape."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)

    def pick(*choices):
        return choices[rng.integers(len(choices))]

    shape = (int(pick(1, 3, 4)), int(rng.integers(4, 11)), int(rng.integers(4, 11)))
    channels, layers = shape[0], []
    for _ in range(int(rng.integers(1, 4))):
        kernel = pick((1, 1), (3, 3), (3, 3), (5, 3), (1, 3), (2, 2))
        padding = (int(rng.integers(0, 3)), 1) if rng.random() < 0.4 else (kernel[0] // 2,) * 2
        wide, groups = channels * pick(1, 2), pick(1, 1, channels)
        layers += [
            nn.Conv2d(
                channels,
                wide,
                kernel,
                pick(1, 1, 2),
                padding,
                groups=groups,
                bias=pick(True, False),
            )
        ]
        channels = wide
        layers += pick([], [nn.BatchNorm2d(channels)])
        layers += pick([], *[[nn.ReLU(inplace=True)]] * 6)
        layers += pick(
            [],
            [],
            [nn.MaxPool2d(pick(2, 3, (3, 1)), pick(1, 2), pick(0, 1))],
            [nn.AvgPool2d(pick(2, 3, 5, 6), pick(1, 2), pick(0, 1))],
        )
    tail = pick("flat", "pool", "pooled conv", "average")
    if tail == "pool":
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 3)]
    elif tail == "pooled conv":
        layers += [
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, 3, pick(1, 1, 3), padding=pick(0, 1)),
        ]
    elif tail == "flat":
        layers += [nn.Flatten(), nn.LazyLinear(3)]
    else:
        layers += [nn.AvgPool2d(shape[1:]), nn.Conv2d(channels, 3, 1)]
    return nn.Sequential(*layers), shape


def test_what_binarize_takes_is_frozen_exported_and_lowered(tmp_path):
    """Of random networks: refused by binarize, or exact integers all the way."""
    taken = 0
    for seed in range(36):
        model, shape = random_network(seed)
        images = image_batch(shape, 3, seed)
        try:
            with torch.no_grad():
                model.eval()(images)
        except RuntimeError:  # torch itself cannot run it
            continue
        try:
            network, _ = binarize(model, input_shape=shape, stage="R")
        except SephwError as error:
            assert ";" in str(error) and "\n" not in str(error)
            continue
        taken += 1
        to_stage(network, "BQ", calibration=images)
        deploy = freeze(network.eval())
        path = tmp_path / "network.onnx"
        export_qonnx(deploy, path, shape)
        result = read_qonnx(path)
        pixels = (images * 256).numpy().astype(np.int64).transpose(0, 2, 3, 1)
        integers = result.graph.run(pixels)
        for name, values in capture_torch(deploy, result.layers, pixels).items():
            assert np.array_equal(values, integers[name]), (seed, name)
    assert taken >= 5
