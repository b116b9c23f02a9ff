"""A described network as a torch module in stage BQ, and the images that it is checked with."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.random_networks.describe import (
    IMAGE,
    AveragePool,
    Branch,
    Concat,
    Convolution,
    GlobalPool,
    Join,
    Linear,
    MaxPool,
    Network,
    Norm,
    Shape,
    Skip,
    Weights,
    shapes_of,
    sources,
)
from sephw import nn as sep
from sephw.nn.stage import Stage

FRAMES = 2
_CALIBRATION_IMAGES = 8


class RandomNetwork(nn.Module):
    """The parts of a `Network`, called in order. (N, C, H, W) → its output."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.stage = Stage.R
        shapes = shapes_of(network)
        self.calls = [(part.name, sources(part)) for part in network.parts]
        self.parts = nn.ModuleDict({part.name: _part(part, shapes) for part in network.parts})
        self.output_sources = [branch.source for branch in network.output]
        self.output = _Sum(network.output, shapes)

    def forward(self, image: Tensor) -> Tensor:
        values = {IMAGE: image}
        for name, names in self.calls:
            values[name] = self.parts[name](*[values[source] for source in names])
        return self.output(*[values[source] for source in self.output_sources])


class _Sum(nn.Module):
    """The sum of branches, each of an input of its own."""

    def __init__(self, branches: tuple[Branch, ...], shapes: dict[str, Shape]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(_branch(branch, shapes) for branch in branches)

    def forward(self, *inputs: Tensor) -> Tensor:
        # Not sum(): it begins with 0, a constant.
        total = self.branches[0](inputs[0])
        for branch, value in zip(list(self.branches)[1:], inputs[1:], strict=True):
            total = total + branch(value)
        return total


class _Joined(nn.Module):
    def __init__(self, join: Join, shapes: dict[str, Shape]) -> None:
        super().__init__()
        self.sum = _Sum(join.branches, shapes)
        self.act = sep.QuantReLU(join.bits)

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.act(self.sum(*inputs))


def _part(part: Join | MaxPool | Concat, shapes: dict[str, Shape]) -> nn.Module:
    if isinstance(part, Join):
        return _Joined(part, shapes)
    if isinstance(part, Concat):
        return sep.Concat()
    return nn.MaxPool2d(part.kernel, part.stride, part.padding, ceil_mode=part.ceil_mode)


def _branch(branch: Branch, shapes: dict[str, Shape]) -> nn.Module:
    if isinstance(branch, Skip):
        return nn.Identity()
    if isinstance(branch, GlobalPool):
        return sep.GlobalPool2d()
    if isinstance(branch, AveragePool):
        return sep.AveragePool2d(branch.kernel, branch.stride, branch.padding)
    inputs = shapes[branch.source].channels
    rng = np.random.default_rng(branch.seed)
    if isinstance(branch, Linear):
        linear = sep.QuantLinear(inputs, branch.channels, bias=branch.bias)
        _draw_weights(linear, branch.weights, rng)
        return linear
    conv = _convolution(branch, inputs)
    _draw_weights(conv, branch.weights, rng)
    if branch.norm is Norm.NONE:
        return conv
    # Statistics of one batch of images, see `trained`.
    norm = nn.BatchNorm2d(branch.channels, momentum=None)
    norm.weight.data = _tensor(rng.uniform(0.3, 1.5, branch.channels))
    norm.bias.data = _tensor(rng.normal(0, 0.5, branch.channels))
    return nn.Sequential(conv, norm)


def _convolution(branch: Convolution, inputs: int) -> nn.Module:
    shape = (inputs, branch.channels, branch.kernel, branch.stride, branch.padding, branch.groups)
    if branch.pattern:
        return sep.PatternConv2d(*shape, scale_bits=branch.scale_bits, bias=branch.bias)
    if branch.kernel == (1, 1):
        return sep.PointwiseConv2d(
            inputs, branch.channels, branch.stride, branch.groups, bias=branch.bias
        )
    return sep.QuantConv2d(*shape, bias=branch.bias)


def _draw_weights(layer: Any, kind: Weights, rng: np.random.Generator) -> None:
    shape = tuple(layer.weight.shape)
    values = rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape)
    if kind is Weights.DEAD:
        values[some(rng, shape[0])] = 0
    elif kind is Weights.SAME:
        values[:] = values.flat[0]
    elif kind is Weights.LARGE:
        values *= 1e3
    elif kind is Weights.SMALL:
        values *= 1e-4
    layer.weight.data = _tensor(values)
    if layer.bias is not None:
        layer.bias.data = _tensor(rng.normal(0, 0.3, shape[0]))


def _tensor(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values).float()


def some(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """At least one of ``count`` indices."""
    return rng.permutation(count)[: rng.integers(1, count + 1)]


def trained(network: Network) -> RandomNetwork:
    """The network in stage BQ: binarized, batch norms of one batch of images, calibrated."""
    module = RandomNetwork(network)
    sep.to_stage(module, Stage.B)
    images = torch.from_numpy(_noise(network, _CALIBRATION_IMAGES, network.seed)).float() / 256
    images = images.permute(0, 3, 1, 2).contiguous()
    with torch.no_grad():
        module.train()(images)
    module.eval()
    for branch, layer in _norms(network, module):
        _make_extreme(layer, branch.norm, np.random.default_rng([branch.seed, 1]))
    sep.to_stage(module, Stage.BQ, calibration=images)
    return module


def _norms(network: Network, module: RandomNetwork) -> list[tuple[Convolution, nn.BatchNorm2d]]:
    sums = [
        (part.branches, module.parts[part.name].sum.branches)
        for part in network.parts
        if isinstance(part, Join)
    ]
    found = []
    for branches, layers in (*sums, (network.output, module.output.branches)):
        for branch, layer in zip(branches, layers, strict=True):
            if isinstance(branch, Convolution) and isinstance(layer, nn.Sequential):
                found.append((branch, layer[1]))
    return found


def _make_extreme(norm: Any, kind: Norm, rng: np.random.Generator) -> None:
    chosen = some(rng, len(norm.weight))
    with torch.no_grad():
        if kind is Norm.ZERO:
            norm.weight[chosen] = 0
        elif kind is Norm.NEGATIVE:
            norm.weight[chosen] *= -1
        elif kind is Norm.TINY_VARIANCE:
            norm.running_var[chosen] = float(10.0 ** -rng.integers(3, 13))
        elif kind is Norm.HUGE_VARIANCE:
            norm.running_var[chosen] = float(10.0 ** rng.integers(3, 9))
        elif kind is Norm.SHIFTED:
            norm.bias[chosen] = float(rng.choice([-1, 1]) * 10.0 ** rng.integers(0, 3))


def _noise(network: Network, count: int, seed: int) -> NDArray[np.uint8]:
    """Images of different brightness and contrast, uint8 (count, H, W, C)."""
    rng = np.random.default_rng([seed, 2])
    shape = (count, network.height, network.width, network.channels)
    tops = rng.integers(32, 257, (count, 1, 1, 1))
    return (rng.integers(0, 256, shape) * tops // 256).astype(np.uint8)


def images_of(network: Network) -> NDArray[np.uint8]:
    """What the network is checked with: noise, and noise of 0 and 255; uint8 (FRAMES, H, W, C)."""
    rng = np.random.default_rng([network.seed, 3])
    shape = (FRAMES, network.height, network.width, network.channels)
    images = rng.integers(0, 256, shape, np.uint8)
    images[1:] = rng.integers(0, 2, shape, np.uint8)[1:] * np.uint8(255)
    return images
