"""The shipped models, end to end: every representation equal, and the accuracy their card says."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from shipped import shipped

from sephw.checkpoint import build_network, load_checkpoint
from sephw.cli import run
from sephw.data import load_data
from sephw.frontend.export_qonnx import to_network_input
from sephw.nn import freeze

MODELS = Path(__file__).parents[2] / "models"
# Minutes in RTL simulation. The ResNet is simulated by benchmarks.networks, with random weights;
# the others are of the engines of mnist5k and cifar10-fast.
LARGE = ("cifar10-fullres", "resnet20-cifar10")
# As mnist5k, with more channels; benchmarks.foldings exports cifar10 and fashion-mnist.
WIDER = ("cifar10", "cifar10-medium", "cifar10-small", "fashion-mnist")
NAMES = sorted(path.stem for path in MODELS.glob("*.pth"))


def test_all_of_them_are_known():
    assert NAMES == [
        "cifar10",
        "cifar10-fast",
        "cifar10-fullres",
        "cifar10-medium",
        "cifar10-small",
        "fashion-mnist",
        "mnist5k",
        "mnist5k-small",
        "mnist5k-tiny",
        "resnet20-cifar10",
    ]


@pytest.mark.parametrize("name", LARGE)
def test_large_ones_are_exact_in_c_simulation(name, tmp_path):
    out = tmp_path / "out"
    arguments = ["--data", "random", "--samples", "2", "--steps", "csim", "--out", str(out)]
    arguments += ["--fold", "fast", "--allow-misfit"]
    assert run(["export", str(MODELS / f"{name}.pth"), *arguments]) == 0
    found = json.loads((out / "verify.json").read_text())
    assert found["exact"] is True and found["samples"] == 6
    assert found["representations"] == ["torch", "qonnx", "integer", "csim"]


@pytest.mark.parametrize("name", WIDER)
def test_wider_ones_are_exact_in_integers(name):
    deploy, graph = shipped(name)
    height, width, channels = graph.tensors[graph.inputs[0]].shape
    images = np.random.default_rng(0).integers(0, 256, (2, height, width, channels))
    (output,) = graph.outputs
    scores = graph.run(images)[output].reshape(2, -1)
    with torch.no_grad():
        found = deploy(to_network_input(images.astype(np.uint8))).numpy()
    # The classifier's integers have one scale.
    scale = found[scores != 0] / scores[scores != 0]
    assert np.array_equal(found, scores * scale[0]) and scores.any()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LARGE + WIDER])
def test_exported_exactly(name, tmp_path):
    data = [] if name.startswith("mnist5k") else ["--data", "random"]
    out = tmp_path / "out"
    arguments = ["export", str(MODELS / f"{name}.pth"), "--samples", "2", "--out", str(out)]
    arguments += ["--fold", "fast"]
    assert run([*arguments, *data]) == 0
    found = json.loads((out / "verify.json").read_text())
    assert found["exact"] is True and found["samples"] == 6
    assert found["representations"] == ["torch", "qonnx", "integer", "csim", "rtlsim", "cyclesim"]
    assert all(row["mismatches"] == 0 for row in found["layers"])
    # Every stream, the input's values apart; what PyTorch has in qonnx and integer as well.
    streams = len(json.loads((out / "graph.json").read_text())["tensors"])
    rows = Counter(row["representation"] for row in found["layers"])
    assert rows["csim"] == rows["rtlsim"] == streams - 1
    assert rows["rtlsim-cycles"] == streams
    assert rows["qonnx"] == rows["integer"] > streams // 3


def test_accuracy_on_the_held_out_digits():
    checkpoint = load_checkpoint(MODELS / "mnist5k.pth")
    deploy = freeze(build_network(checkpoint))
    assert all(budget.coarsened_channels == 0 for budget in deploy.budgets)
    test = load_data("mnist5k", seed=0).test
    assert len(test.labels) == 1000
    with torch.no_grad():
        predicted = deploy(to_network_input(test.images)).argmax(dim=1).numpy()
    right = int(np.count_nonzero(predicted == test.labels))
    assert right == 982
    assert "| **BQ, frozen (integers)** | 99.50 | 98.20 |" in (MODELS / "mnist5k.md").read_text(
        "utf-8"
    )
