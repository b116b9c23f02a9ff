"""An Inception block written in torch, through Brevitas' exporter: every layer is equal."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sephw.frontend import capture_qonnx, capture_torch, export_qonnx, read_qonnx
from sephw.nn.freeze.modules import DeployInput, DeployReLU


class Convolution(nn.Module):
    """Integer weights times a power of two, then the deploy network's quantizer."""

    def __init__(self, inputs: int, outputs: int, kernel: int, seed: int, bits: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        drawn = torch.Generator().manual_seed(seed)
        weights = torch.randint(-60, 60, self.conv.weight.shape, generator=drawn)
        self.conv.weight.data = weights.float() * 2.0**-bits
        self.act = DeployReLU(8, 8, 3 * np.arange(outputs), 12, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.conv(x))


class AveragePool(nn.Module):
    """The padded sum over 3×3 times 2^-4."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, 3, 1, 1) * (9 / 16)


class Block(nn.Module):
    """Four branches that meet in a concatenation, one of them a concatenation itself."""

    def __init__(self) -> None:
        super().__init__()
        self.point = Convolution(4, 4, 1, 1, 6)
        self.wide = Convolution(4, 6, 3, 2, 8)
        self.pool = AveragePool()
        self.pool_act = DeployReLU(8, 8, np.full(4, 8), 12, 4)
        self.narrow = Convolution(4, 2, 1, 3, 6)
        self.largest = nn.MaxPool2d(3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        # Not the block's output: compared by no layer of its own.
        inner = torch.cat([self.wide(x), self.narrow(self.pool_act(self.pool(x)))], 1)
        return torch.cat([self.point(x), inner, self.largest(x)], 1)


class Network(nn.Module):
    """Stem, block, pool; the output is a quantized map."""

    def __init__(self) -> None:
        super().__init__()
        self.input_quant = DeployInput()
        self.stem = Convolution(3, 4, 3, 0, 7)
        self.block = Block()
        self.last = Convolution(16, 4, 1, 5, 8)
        self.down = nn.MaxPool2d(3, 2, ceil_mode=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.last(self.block(self.stem(self.input_quant(x)))))


def test_every_layer_is_equal(tmp_path):
    network = Network().eval()
    path = tmp_path / "block.onnx"
    export_qonnx(network, path, (3, 8, 8))
    result = read_qonnx(path)
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3))
    values = result.graph.run(images)
    from_qonnx = capture_qonnx(path, result.layers, images)
    from_torch = capture_torch(network, result.layers, images)
    modules = [layer.torch_module for layer in result.layers]
    assert modules.count("block") == 1
    assert {"block.pool", "block.largest", "down"} <= set(modules)
    for layer in result.layers:
        want = values[layer.tensor]
        # Of a module's two concatenations torch has the last one: its output.
        assert (layer.tensor in from_torch) == (layer.torch_module != "")
        assert np.array_equal(from_torch.get(layer.tensor, want), want), layer.module
        assert np.array_equal(from_qonnx[layer.tensor], want), layer.module
        assert len(np.unique(want)) > 10, layer.module
    (block,) = (layer for layer in result.layers if layer.torch_module == "block")
    assert values[block.tensor].shape == (3, 8, 8, 16)
