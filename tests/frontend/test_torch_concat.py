"""Concatenations and averages of `sephw.nn` networks: torch, QONNX and integers at every layer."""

import numpy as np
import pytest
import torch
from torch import nn

from sephw.frontend import capture_qonnx, capture_torch, export_qonnx, read_qonnx
from sephw.nn import AveragePool2d, QuantReLU, freeze
from tests.nn.networks import OneBlock, image_batch, to_bq
from tests.nn.test_concat import Branches


class Averaged(nn.Module):
    """A concatenation, as a module or a bare function call, then averages of every count."""

    def __init__(self, function):
        super().__init__()
        self.branches = Branches(function=function)
        self.halve, self.halve_act = AveragePool2d(2), QuantReLU()
        self.smooth, self.act = AveragePool2d(3, 1, 1), QuantReLU()
        # 36 = 9 · 4 and 144 = 9 · 16: even counts that are no power of two
        self.six, self.six_act = AveragePool2d(6, 1, 3), QuantReLU()
        self.twelve, self.twelve_act = AveragePool2d(12, 1, 6), QuantReLU()

    def forward(self, x):
        y = self.act(self.smooth(self.halve_act(self.halve(self.branches(x)))))
        return self.twelve_act(self.twelve(self.six_act(self.six(y))))


@pytest.mark.parametrize("function", [False, True])
def test_every_layer_is_equal(tmp_path, function):
    torch.manual_seed(2)
    images = image_batch((3, 8, 6), 3)
    deploy = freeze(to_bq(OneBlock(Averaged(function), 3, (8, 6)), images))
    path = tmp_path / "network.onnx"
    export_qonnx(deploy, path, deploy.input_shape)
    result = read_qonnx(path)
    pixels = (images * 256).numpy().astype(np.int64).transpose(0, 2, 3, 1)
    expected = capture_torch(deploy, result.layers, pixels)
    executed = capture_qonnx(path, result.layers, pixels)
    integers = result.graph.run(pixels)
    assert {"block_halve", "block_smooth", "block_six", "block_twelve"} <= expected.keys()
    for name, values in expected.items():
        assert np.array_equal(values, executed[name]), name
        assert np.array_equal(values, integers[name]), name
