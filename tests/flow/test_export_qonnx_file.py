"""`sephw export MODEL.onnx`: networks that come as QONNX instead of a checkpoint."""

import json

import numpy as np
import onnx
import pytest
import torch
from onnx_networks import OnnxNetwork
from torch import nn

from sephw.cli import run
from sephw.command_line import command_line
from sephw.frontend import export_qonnx
from sephw.nn import binarize, freeze


class Foreign(nn.Module):
    """A float network that knows nothing of this package."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.left = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.right = nn.Conv2d(8, 4, 1)
        self.head = nn.Linear(12, 5)

    def forward(self, x):
        x = torch.relu(self.norm(self.stem(x)))
        x = torch.cat([torch.relu(self.left(x)), torch.relu(self.right(x))], 1)
        return self.head(x.mean((2, 3)))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    torch.manual_seed(3)
    images = torch.randint(0, 256, (16, 2, 7, 9)).float() / 256
    network, _ = binarize(Foreign().eval(), input_shape=(2, 7, 9), stage="BQ", calibration=images)
    path = tmp_path_factory.mktemp("qonnx") / "Foreign net.onnx"
    export_qonnx(freeze(network).eval(), path, (2, 7, 9))
    return path


def test_a_binarized_foreign_network_is_exact(file, tmp_path, capsys):
    out = tmp_path / "out"
    steps = "qonnx,csim,rtlsim,verify,report"
    arguments = ["--samples", "3", "--steps", steps, "--fold", "fast", "--out", str(out)]
    assert run(["export", str(file), *arguments]) == 0
    printed, said = capsys.readouterr()
    assert "note: noise images, since the model names no data set: exactness is checked" in said
    assert "same class as qonnx on 7 of 7 images" in printed
    found = json.loads((out / "verify.json").read_text())
    assert found["exact"] is True
    assert found["representations"] == ["qonnx", "integer", "csim", "rtlsim", "cyclesim"]
    names = {row["module"] for row in found["layers"] if row["representation"] == "integer"}
    assert {"stem", "left", "right", "head"} <= names
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["name"] == "foreign_net"
    assert manifest["model"]["network"] == "QONNX" and manifest["model"]["classes"] == []
    # The copy is the network: what it computes is what the file computes.
    copy, original = (onnx.load(str(path)) for path in (out / "model.onnx", file))
    assert [node.op_type for node in copy.graph.node] == [
        node.op_type for node in original.graph.node
    ]


def test_images_that_the_network_cannot_take(file, tmp_path, capsys):
    from PIL import Image

    rng = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / "photos" / label).mkdir(parents=True)
        for i in range(6):
            image = rng.integers(0, 256, (7, 9), np.uint8)
            Image.fromarray(image).save(tmp_path / "photos" / label / f"{i}.png")
    # Pictures have one channel or three; the network wants two.
    out = tmp_path / "out"
    found = _failure(capsys, file, "--data", tmp_path / "photos", "--samples", "1", "--out", out)
    assert found == (
        "images have 1 channel(s) but the network takes 2; use data with as many channels as the "
        "network was trained on"
    )
    assert not out.exists()


def test_the_folding_search_takes_it(file, capsys):
    assert run(["explore", str(file), "--device", "ecp5-25f", "--clock-mhz", "80"]) == 0
    assert "foreign_net on ecp5-25f" in capsys.readouterr().out


def _failure(capsys, *arguments):
    assert run(["export", *map(str, arguments)]) == 2
    out, said = capsys.readouterr()
    assert out == ""
    return said.splitlines()[-1].removeprefix("sephw: error: ")


def test_what_is_no_onnx_file(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.onnx").write_bytes(b"\x00not onnx")
    for name, reason in (
        ("missing", "no such file; check the path"),
        ("broken", "not an ONNX file, or damaged (DecodeError: "),
    ):
        path = tmp_path / f"{name}.onnx"
        assert _failure(capsys, path).startswith(f"{path}: {reason}")
    assert not (tmp_path / "build").exists()


def test_float_batch_norms_are_exact_in_every_representation(tmp_path):
    """Two batch norms and an activation that float32 rounds, to the RTL and the C-simulation."""
    net = OnnxNetwork(6, 6, 2, 8)
    x = net.image()
    for name, channels, mode in (("one", 4, "ROUND"), ("two", 3, "HALF_UP")):
        values = net.rng.uniform(0.1, 2, (4, channels)) * [[1], [-1], [1], [1]]
        constants = [net.constant(f"{name}.{i}", value) for i, value in enumerate(values)]
        x = net.conv(f"{name}.conv", x, channels, (3, 3))
        x = net.node("BatchNormalization", f"{name}.norm", [x, *constants])
        x = net.node("HardSwish", f"{name}.act", [x])
        inputs = [x, net.constant(f"{name}.step", 1 / 16), "zero", net.constant(f"{name}.b", 5)]
        x = net.node("Quant", f"{name}.q", inputs, signed=0, narrow=0, rounding_mode=mode)
        net.made(x, channels)
    path, out = net.save(tmp_path / "norms.onnx"), tmp_path / "out"
    steps = "qonnx,csim,rtlsim,verify,report"
    assert run(["export", str(path), "--samples", "3", "--steps", steps, "--out", str(out)]) == 0
    found = json.loads((out / "verify.json").read_text())
    assert found["exact"] is True
    assert found["representations"] == ["qonnx", "integer", "csim", "rtlsim", "cyclesim"]
    nodes = json.loads((out / "graph.json").read_text())["nodes"]
    assert [node["operator"] for node in nodes].count("thresholds") == 2


def test_a_network_that_says_itself_what_it_is(file, capsys):
    assert _failure(capsys, file, "--network", "SEPNet") == (
        f"{file}: is QONNX, which says its network itself; leave out --network and --arguments"
    )


def test_an_input_of_unknown_size(file, tmp_path, capsys):
    model = onnx.load(str(file))
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    path = tmp_path / "loose.onnx"
    onnx.save(model, str(path))
    assert _failure(capsys, path) == (
        f"{path}: input 'input' is (1, 2, ?, 9); it must be (N, C, H, W) with C, H and W known: "
        f"export with an example of that shape; all refusals: {command_line('check', [path])}"
    )


def test_a_scale_that_is_no_power_of_two_is_refused_by_name(file, tmp_path, capsys):
    model = onnx.load(str(file))
    quant = next(n for n in model.graph.node if n.op_type == "Quant" and "Relu" in n.input[0])
    third = onnx.numpy_helper.from_array(np.float32(1 / 3).reshape(()), "third")
    model.graph.initializer.append(third)
    quant.input[1] = "third"
    path = tmp_path / "third.onnx"
    onnx.save(model, str(path))
    text = _failure(capsys, path, "--out", tmp_path / "out")
    assert (
        "must be one power of two" in text and "\n" not in text and not (tmp_path / "out").exists()
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_that_ends_in_a_map(channels, tmp_path, capsys):
    """Compared pixel by pixel; of one channel there is no class. Unverified it says so at once."""
    net = OnnxNetwork(5, 4, 2)
    net.conv("head", net.act("first", net.conv("first.conv", net.image(), 4, (3, 3))), channels)
    path, out = net.save(tmp_path / "map.onnx"), tmp_path / "out"
    common = ["export", str(path), "--data", "random", "--samples", "2", "--out", str(out)]
    assert run([*common, "--steps", "qonnx,verify,report"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "map.onnx (QONNX, stage BQ)"
    said = [line.strip() for line in lines if line.startswith("  accuracy")]
    pixels = "accuracy  same class as qonnx on 120 of 120 pixels"
    assert said == ([pixels] if channels > 1 else [])
    assert "not verified" not in (out / "report.txt").read_text().splitlines()[0]
    assert run([*common, "--steps", "qonnx,report"]) == 0
    first, *_ = capsys.readouterr().out.splitlines()
    assert first == "map.onnx (QONNX, stage BQ), not verified: nothing was compared"
    assert (out / "report.txt").read_text().splitlines()[0].endswith(", not verified")
    assert "not verified" in (out / "report.html").read_text()
