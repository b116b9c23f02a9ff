"""A small network as the export command meets it: random weights, entered into stage BQ."""

from pathlib import Path
from typing import Any

import pytest

ARGUMENTS = {
    "height": 8,
    "width": 8,
    "in_channels": 1,
    "classes": 10,
    "widths": [16, 32],
    "modules": [1, 1],
    "groups": 4,
}

# One window, two convolutions, a pool: the smallest network that has all of the flow.
SMALLEST = {
    "height": 8,
    "width": 8,
    "in_channels": 1,
    "classes": 10,
    "widths": [8],
    "modules": [0],
}


def make_checkpoint(path: Path, stage: str = "BQ", arguments: dict[str, Any] = ARGUMENTS) -> Path:
    """Write a digits network of random weights; deterministic."""
    import torch

    from sephw.checkpoint import Checkpoint, save_checkpoint
    from sephw.data import load_data
    from sephw.nn import SEPNet, to_stage

    torch.manual_seed(7)
    network = SEPNet(**arguments)
    dataset = load_data("digits")
    images = torch.from_numpy(dataset.train.images[:64].transpose(0, 3, 1, 2).copy()).float() / 256
    network.train()
    for start in (0, 32):
        network(images[start : start + 32])  # batch norms get real statistics
    network.eval()
    for step in ("B", "BQ")[: ("R", "B", "BQ").index(stage)]:
        to_stage(network, step, calibration=images if step == "BQ" else None)
    checkpoint = Checkpoint(
        "SEPNet",
        network.arguments,
        stage,
        network.state_dict(),
        {"height": 8, "width": 8, "channels": 1, "resize": "none", "input_bits": 8},
        tuple("0123456789"),
        {"data": {"name": "digits", "seed": 0}},
    )
    save_checkpoint(path, checkpoint)
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    """A checkpoint in stage BQ."""
    return make_checkpoint(tmp_path_factory.mktemp("models") / "digits.pth")


@pytest.fixture(scope="session")
def float_model(tmp_path_factory) -> Path:
    """The same in stage R."""
    return make_checkpoint(tmp_path_factory.mktemp("models") / "float.pth", "R")


@pytest.fixture(scope="session")
def smallest_model(tmp_path_factory) -> Path:
    """A checkpoint of SMALLEST in stage BQ."""
    path = tmp_path_factory.mktemp("models") / "smallest.pth"
    return make_checkpoint(path, arguments=SMALLEST)
