"""Pools of every form: sizes as torch and onnxruntime have them, files that every tool takes."""

from __future__ import annotations

from itertools import product

import numpy as np
import onnx
import pytest
import torch
from onnx_networks import OnnxNetwork
from plain_onnx import outcome
from torch.nn import functional

from sephw.frontend import copy_qonnx

# size, kernel, stride, padding: all that torch allows of these, whole or rounded up.
FORMS = [
    form
    for form in product(range(3, 10), range(1, 5), range(1, 5), range(3))
    if form[3] <= form[1] // 2 and form[1] <= form[0] + 2 * form[3]
]


def pooled(kind, size, kernel, stride, pads, ceil, **more):
    """Maps of ``size`` rows and one column more, an own pool, and a quantizer behind it."""
    net = OnnxNetwork(size, size + 1, 2)
    x = net.act("first", net.conv("first.conv", net.image(), 3), step_bits=5)
    x = net.node(
        kind,
        "pool",
        [x],
        kernel_shape=[kernel] * 2,
        strides=[stride] * 2,
        pads=pads,
        ceil_mode=ceil,
        **more,
    )
    net.act("last", net.conv("last.conv", net.made(x, 3), 2, (3, 3)), step_bits=3)
    return net


@pytest.mark.parametrize("form", FORMS[:: len(FORMS) // 24], ids=str)
def test_max_pools(form, tmp_path):
    size, kernel, stride, pad = form
    for ceil, opset in ((0, 18), (1, 18), (1, 22)):
        net = pooled("MaxPool", size, kernel, stride, [pad] * 4, ceil)
        assert outcome(net.model(opset), tmp_path) == "exact"
        image = torch.zeros(1, 1, size, size + 1)
        want = functional.max_pool2d(image, kernel, stride, pad, ceil_mode=bool(ceil)).shape[2:]
        graph = copy_qonnx(tmp_path / "given.onnx", tmp_path / "copy.onnx").graph
        assert graph.tensors["pool"].shape[:2] == tuple(want)
        written = onnx.load(tmp_path / "copy.onnx")
        (pool,) = (node for node in written.graph.node if node.op_type == "MaxPool")
        assert "ceil_mode" not in {attribute.name for attribute in pool.attribute}


@pytest.mark.parametrize("kind", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("pads", [[0, 0, 1, 1], [1, 0, 0, 1], [1, 1, 0, 0]], ids=str)
def test_padding_that_differs_between_sides(kind, pads, tmp_path):
    more = {"count_include_pad": 1} if kind == "AveragePool" else {}
    for stride in (1, 2, 3):
        net = pooled(kind, 6, 2, stride, pads, 0, **more)
        if kind == "AveragePool":
            conv = next(n for n in net.nodes if n.name == "/last/conv/Conv")
            conv.input[0] = net.quant("mean", "pool.AveragePool", step_bits=5)
            net.nodes.insert(net.nodes.index(conv), net.nodes.pop())
        assert outcome(net.model(), tmp_path) == "exact"


@pytest.mark.parametrize("name", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_automatic_padding(name, stride, tmp_path):
    """Of convolutions and pools, on odd and even sizes."""
    net = OnnxNetwork(6, 7, 2)
    x = net.act("first", net.conv("first.conv", net.image(), 3), step_bits=5)
    weights = net.constant("w", net.rng.integers(-3, 4, (3, 3, 2, 3)) / 8)
    same = {"auto_pad": name, "strides": [stride] * 2}
    x = net.act("own", net.made(net.node("Conv", "own.conv", [x, weights], **same), 3), step_bits=3)
    # Beyond its kernel onnxruntime takes no stride with this.
    same["strides"] = [min(stride, 2)] * 2
    net.made(net.node("MaxPool", "pool", [x], kernel_shape=[2, 2], **same), 3)
    assert outcome(net.model(), tmp_path) == "exact"


def test_averages_that_are_rounded_up_are_refused_with_a_fix(tmp_path):
    """Their last windows hold fewer values; the same windows padded are taken, and a Mul."""
    net = pooled("AveragePool", 5, 2, 2, [0] * 4, 1)
    assert outcome(net.model(), tmp_path) == (
        "AveragePool 'pool': ceil_mode adds windows that reach beyond the map and average over "
        "fewer values; pad instead, with ceil_mode=0 and count_include_pad=1"
    )
    net = OnnxNetwork(5, 5, 2)
    x = net.act("first", net.conv("first.conv", net.image(), 3), step_bits=5)
    x = net.made(
        net.node(
            "AveragePool",
            "pool",
            [x],
            kernel_shape=[2, 2],
            strides=[2, 2],
            pads=[0, 0, 1, 1],
            count_include_pad=1,
        ),
        3,
    )
    net.quant("last", x, step_bits=5)
    assert outcome(net.model(), tmp_path) == "exact"


def test_indices_that_nobody_reads(tmp_path):
    net = pooled("MaxPool", 6, 2, 2, [0] * 4, 0, storage_order=1)
    (pool,) = (node for node in net.nodes if node.op_type == "MaxPool")
    pool.output.append("indices")
    assert outcome(net.model(), tmp_path) == "exact"
    images = np.zeros((1, 6, 7, 2), np.int64)
    graph = copy_qonnx(tmp_path / "given.onnx", tmp_path / "copy.onnx").graph
    assert graph.run(images)["pool"].shape == (1, 3, 3, 3)
