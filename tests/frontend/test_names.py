"""What layers of a file are called: their PyTorch module, their own name, or their output's."""

from __future__ import annotations

import re

import onnx
import pytest
import torch
from onnx_networks import OnnxNetwork
from plain_onnx import outcome

from sephw.errors import SephwError
from sephw.frontend import copy_qonnx, export_qonnx
from sephw.nn import ConvBlock, PointwiseConv2d, freeze
from tests.nn.networks import OneBlock, enliven, image_batch, to_bq


def network(names: dict[str, str]) -> onnx.ModelProto:
    """Two convolutions and a skip; nodes of a kind are called as given, with a number behind."""
    net = OnnxNetwork(5, 5, 2)
    x = net.act("a", net.conv("b", net.image(), 4, (3, 3)))
    net.conv("d", net.act("c", net.conv("e", x, 4, (3, 3), pattern=True), x), 3)
    model = net.model()
    seen: dict[str, int] = {}
    for node in model.graph.node:
        count = seen[node.op_type] = seen.get(node.op_type, 0) + 1
        node.name = names.get(node.op_type, "{kind}_{n}").format(kind=node.op_type, n=count)
    return model


def layers(model: onnx.ModelProto, folder) -> dict[str, str]:
    """Names of layers in the graph and what a person reads; all of it exact."""
    assert outcome(model, folder) == "exact"
    read = copy_qonnx(folder / "given.onnx", folder / "copy.onnx")
    written = onnx.load(folder / "copy.onnx")
    names = [node.name for node in written.graph.node]
    assert len(set(names)) == len(names)
    for node in read.graph.nodes:
        assert re.fullmatch(r"[A-Za-z][0-9A-Za-z_]*", node.name) and len(node.name) < 120
        assert node.module and "\n" not in node.module and "*/" not in node.module
    return {node.name: node.module for node in read.graph.nodes}


@pytest.mark.parametrize(
    ("pattern", "second"),
    [
        ("Conv_{n}", ("Conv_2", "Conv_2")),
        ("conv{n}", ("conv2", "conv2")),
        ("/features/features.{n}/Conv", ("features_2", "features.2")),
        ("model/conv2d_{n}/Conv2D", ("model_conv2d_2", "model.conv2d_2")),
        ("{n}", ("layer_2", "2")),
        ("module", ("module_2", "module_2")),
        ("n\n`x '{n}", ("n_x_2", "n_x _2")),
        ("é{n}", ("layer_2", "é2")),
    ],
)
def test_foreign_layers_keep_their_names(pattern, second, tmp_path):
    found = layers(network({"Conv": pattern}), tmp_path)
    assert second in found.items(), found
    assert not any(re.fullmatch("n_[0-9_]*", name) for name in found)


def test_nodes_without_a_name_are_called_after_their_output(tmp_path):
    model = network(dict.fromkeys(("Conv", "Quant", "Add", "Relu", "BipolarQuant", "Mul"), ""))
    found = layers(model, tmp_path)
    assert {"b_Conv", "e_Conv", "c_Quant", "logits"} <= set(found)
    model.graph.node[0].attribute.append(onnx.helper.make_attribute("odd", 1))
    onnx.save(model, tmp_path / "odd.onnx")
    with pytest.raises(SephwError, match=r"Quant 'input_quant\.Quant': attribute 'odd' is not"):
        copy_qonnx(tmp_path / "odd.onnx", tmp_path / "copy.onnx")


def test_names_that_repeat_or_are_very_long(tmp_path):
    found = layers(network({"Conv": "n" * 300}), tmp_path)
    assert len([name for name in found if name.startswith("nnn")]) == 5
    found = layers(network(dict.fromkeys(("Conv", "Quant", "Add", "Relu"), "same")), tmp_path)
    assert {"same_3", "same_3_window"} <= set(found) or len(found) == 8


class Plain(OneBlock):
    """One block, its concatenation with itself by a function."""

    def __init__(self):
        super().__init__(torch.nn.Identity(), 2, (5, 4))
        self.block = ConvBlock(2, 4, 3)
        self.head = PointwiseConv2d(8, 3, bias=True)

    def forward(self, x):
        x = self.block(x)
        return self.head(torch.cat([x, x], 1))


def test_functions_of_torch_are_called_after_their_operator(tmp_path):
    torch.manual_seed(0)
    deploy = freeze(to_bq(enliven(Plain(), 1), image_batch((2, 5, 4), 8, 1)))
    read = export_qonnx(deploy, tmp_path / "model.onnx", (2, 5, 4))
    names = [node.name for node in read.graph.nodes]
    assert names == ["block_conv_window", "block_conv", "block_act", "Concat", "head", "logits"]
    (concat,) = (layer for layer in read.layers if layer.tensor == "Concat")
    assert not concat.in_torch and concat.module == "Concat"


def test_a_wrong_image_size_is_one_line_and_no_traceback(capfd):
    """torch reports by itself where a module fails; a user reads our line only."""
    torch.manual_seed(0)
    network = to_bq(enliven(Plain(), 1), image_batch((2, 5, 4), 8, 1))
    with pytest.raises(SephwError) as error:
        freeze(network, (3, 5, 4))
    text = str(error.value)
    assert text.startswith("Plain: 'block.conv' cannot take its input where images are 3 × 5 × 4 ")
    assert text.endswith("give the images' own size") and "\n" not in text
    assert capfd.readouterr() == ("", "")
    with torch.no_grad():
        assert freeze(network, (2, 5, 4))(torch.zeros(1, 2, 5, 4)).isfinite().all()
