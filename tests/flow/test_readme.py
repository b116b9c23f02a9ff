"""The lines of README's "Your own network" run as they stand, in a fresh folder."""

from __future__ import annotations

import io
import re
import shlex
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sephw.checkpoint import build_network, load_checkpoint
from sephw.cli import run
from sephw.nn import freeze

README = Path(__file__).parents[2] / "README.md"


def blocks(kind: str) -> list[str]:
    """Code blocks of one kind ('python', or '' for the shell) of the section, in order."""
    section = README.read_text().split("\n## Your own network\n")[1].split("\n## ")[0]
    return [
        text for found, text in re.findall(r"```(\w*)\n(.*?)```", section, re.S) if found == kind
    ]


def write_pets(path: Path) -> None:
    """Small pictures of two classes, which differ in their red."""
    random = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for name, red in (("cat", 0), ("dog", 150)):
            for i in range(12):
                pixels = random.integers(0, 100, (8, 10, 3), dtype=np.uint8)
                pixels[..., 0] += red
                file = io.BytesIO()
                Image.fromarray(pixels).save(file, "PNG")
                archive.writestr(f"{name}/{i}.png", file.getvalue())


def test_the_python_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own, foreign = blocks("python")
    names: dict[str, object] = {}
    exec(compile(own, "README.md", "exec"), names)
    deploy, images = names["deploy"], names["images"]
    assert isinstance(images, torch.Tensor) and isinstance(deploy, torch.nn.Module)
    with torch.inference_mode():
        logits = deploy((images * 256).floor() / 256)
    assert torch.equal(logits * 2.0**24, (logits * 2.0**24).round())
    assert (tmp_path / "own.onnx").is_file()
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 4),
    ).eval()
    names = {"model": model}
    exec(compile(foreign, "README.md", "exec"), names)
    assert "Conv2d" in str(names["network"]) and names["table"]


def test_the_command_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trained and exported from an own zip; the export is of that network and of these pictures."""
    monkeypatch.chdir(tmp_path)
    write_pets(Path("pets.zip"))
    (text,) = blocks("")
    lines = [shlex.split(line) for line in text.splitlines()]
    assert [line[:2] for line in lines] == [["sephw", "train"], ["sephw", "export"]]
    assert run(lines[0][1:]) == 0
    checkpoint = load_checkpoint("pets.pth")
    assert checkpoint.stage == "BQ" and checkpoint.classes == ("cat", "dog")
    assert freeze(build_network(checkpoint)) is not None
    capsys.readouterr()
    # The simulations of a network of this size are built in other tests.
    assert run([*lines[1][1:], "--steps", "hls,rtl,cyclesim,verify,report"]) == 0
    shown = capsys.readouterr()
    assert "exact     yes" in shown.out and "labelled test images right" in shown.out
    assert "noise images" not in shown.err
    assert (tmp_path / "build" / "pets" / "report.html").is_file()
