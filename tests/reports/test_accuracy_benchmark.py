"""benchmarks.accuracy: the published page is of its rows, and its rows are the checkpoints'."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import click
import numpy as np
import pytest

from benchmarks.accuracy import PUBLISHED, ROOT, measure_again, page, read_run
from sephw.data import load_data

MODELS = sorted((ROOT / "models").glob("*.pth"))
ROWS = json.loads((PUBLISHED / "accuracy.json").read_text("utf-8"))


def test_every_shipped_model_has_its_row():
    assert [row["model"] for row in ROWS] == [path.stem for path in MODELS]
    for row, path in zip(ROWS, MODELS, strict=True):
        run = read_run(path)
        card = path.with_suffix(".md").read_text("utf-8")
        assert {key: row[key] for key in ("test", "epochs")} == {
            "test": run.test,
            "epochs": run.epochs,
        }
        assert f"| {run.test['frozen']:.2f} |" in card
        assert row["again"] in (None, run.test["frozen"])


def test_the_page_is_of_its_rows():
    text = page(ROWS)
    assert (PUBLISHED / "accuracy.md").read_text("utf-8") == text
    (line,) = [line for line in text.splitlines() if line.startswith("| cifar10-small |")]
    # Figures of the model's card.
    assert line.endswith("| 79.85 | 33.10 | 78.57 | 79.29 | **79.28** | +0.57 |")
    assert "| ResNet-56 | 93.75 |" in text


def test_the_frozen_network_is_measured_again():
    path = Path(ROOT / "models" / "mnist5k-small.pth")
    run, data = read_run(path), load_data("mnist5k", seed=1)
    assert measure_again(path, run, data) == run.test["frozen"]
    few = SimpleNamespace(test=SimpleNamespace(images=data.test.images[:1], labels=np.array([-1])))
    with pytest.raises(click.ClickException, match=r"mnist5k-small.pth: 0.0 % on the test images"):
        measure_again(path, replace(run, test={"frozen": 50.0}), few)
