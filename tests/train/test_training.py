"""The training command: whole small runs, resuming, and its messages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from sephw.checkpoint import build_network, load_checkpoint
from sephw.cli import run
from sephw.data import load_data
from sephw.networks import NETWORK_NAMES
from sephw.nn import freeze
from sephw.train import run as run_module
from sephw.train.augment import augmented, crop_margin
from sephw.train.evaluate import model_bytes, parameter_counts
from sephw.train.loop import learning_rate
from sephw.train.settings import TrainingSettings, parse_arguments

SMALL = [
    "--set",
    "widths=16",
    "--set",
    "modules=1",
    "--epochs",
    "2,2,2",
    "--batch",
    "16",
    "--precision",
    "fp32",
    "--device",
    "cpu",
]


def train(data: Path, out: Path, *more: str) -> int:
    return run(["train", "--data", str(data), "--out", str(out), *SMALL, *more])


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with its card."""
    out = tmp_path_factory.mktemp("models") / "halves.pth"
    assert train(data, out, "--card", str(out.with_suffix(".md"))) == 0
    return out


def test_finished_run_leaves_a_bq_checkpoint(data: Path, trained: Path) -> None:
    checkpoint = load_checkpoint(trained)
    assert checkpoint.stage == "BQ"
    assert checkpoint.classes == ("bottom", "top")
    assert checkpoint.preprocessing == {
        "height": 8,
        "width": 8,
        "channels": 1,
        "resize": "none",
        "input_bits": 8,
    }
    assert checkpoint.metrics["epochs"] == {"R": 2, "B": 2, "BQ": 2}
    labels = ["R", "B untuned", "B", "BQ untuned", "BQ", "frozen"]
    for part in ("validation", "test"):
        assert list(checkpoint.metrics["accuracy"][part]) == labels
    assert not trained.with_name("halves.pth.resume").exists()
    assert str(data.parent) not in checkpoint.metrics["command"]


def test_frozen_accuracy_is_that_of_the_deploy_network(data: Path, trained: Path) -> None:
    checkpoint = load_checkpoint(trained)
    test = load_data(data).test
    deploy = freeze(build_network(checkpoint))
    images = torch.from_numpy(test.images.astype(np.float32) / 256).permute(0, 3, 1, 2)
    with torch.no_grad():
        right = (deploy(images).argmax(1).numpy() == test.labels).mean()
    assert checkpoint.metrics["accuracy"]["test"]["frozen"] == pytest.approx(100 * right, abs=1e-3)


def test_fine_tuning_to_8_bits_that_harms_is_not_kept(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "harmed.pth"
    assert train(data, out, "--lr", "0.01,0.01,0.5", "--epochs", "25,15,1") == 0
    metrics = load_checkpoint(out).metrics
    assert metrics["best_epoch"]["BQ"] == 0
    for part in ("validation", "test"):
        assert metrics["accuracy"][part]["BQ"] == metrics["accuracy"][part]["BQ untuned"]
    # With this rate the epoch does harm: the network that it left is worse.
    assert metrics["accuracy"]["validation"]["BQ untuned"] > 60


def test_card_says_what_was_measured(trained: Path) -> None:
    text = trained.with_suffix(".md").read_text(encoding="utf-8")
    metrics = load_checkpoint(trained).metrics
    assert f"| {metrics['accuracy']['test']['frozen']:.2f} |" in text
    assert f"{metrics['command']} --out halves.pth" in text
    assert "58 training, 6 validation, 16 test images (seed 0)" in text
    assert f"Weight bytes: R {metrics['bytes']['R']:,}" in text


def test_same_seed_gives_the_same_bytes(data: Path, trained: Path, tmp_path: Path) -> None:
    assert train(data, tmp_path / "again.pth") == 0
    assert (tmp_path / "again.pth").read_bytes() == trained.read_bytes()


@pytest.mark.parametrize("where", [("R", 1), ("B", 0), ("BQ", 1)])
def test_interrupted_and_resumed_equals_uninterrupted(
    data: Path,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    where: tuple[str, int],
) -> None:
    out = tmp_path / "halves.pth"
    real = run_module.train_epoch

    def stop(*arguments: object) -> object:
        if arguments[3:5] == where:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(run_module, "train_epoch", stop)
    assert train(data, out) == 130
    assert capsys.readouterr().err == (
        f"sephw: interrupted: {out} holds the best model so far; "
        f"add --resume to go on (state in {out}.resume)\n"
    )
    stage = {"R": "R", "B": "R", "BQ": "BQ"}[where[0]]
    assert load_checkpoint(out).stage == stage
    build_network(load_checkpoint(out))
    monkeypatch.setattr(run_module, "train_epoch", real)
    assert train(data, out) == 2
    assert capsys.readouterr().err == (
        f"sephw: error: {out}.resume: holds an unfinished run; add --resume to go on with it, or "
        "delete it to start anew\n"
    )
    assert train(data, out, "--seed", "3", "--resume") == 2
    assert capsys.readouterr().err == (
        f"sephw: error: {out}.resume: the run was started with seed = 0, not 3; "
        "use the same options, or delete the file and start anew\n"
    )
    assert train(data, out, "--resume") == 0
    assert out.read_bytes() == trained.read_bytes()


def test_interrupt_before_the_first_epoch_ends(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stop(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "train_epoch", stop)
    assert train(data, tmp_path / "a.pth") == 130
    assert capsys.readouterr().err == ("sephw: interrupted: nothing saved; no epoch was finished\n")
    assert list(tmp_path.iterdir()) == []


def test_time_limit_keeps_what_there_is(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.pth"
    assert train(data, out, "--max-minutes", "0.0000001") == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "stopped before epoch 1 of 2 in stage R: the time is used up; no epoch was finished"
    )
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            ["--resume"],
            "{out}.resume: nothing to resume; leave --resume away to start a new run",
        ),
        (["--set", "16"], "--set '16': expected key=value, for example widths=16,32,64"),
        (
            ["--epochs", "1,2"],
            "--epochs '1,2': expected one value, or three for stages R,B,BQ, none negative",
        ),
        (["--epochs", "0"], "--epochs '0': nothing to train; give at least one epoch"),
        (["--set", "classes=3"], "--set classes=3: the data has 2; leave it away"),
        (
            ["--set", "height=16"],
            "images are 8x8 but the network takes 16x8 and its preprocessing does not resize; "
            "use images of that size or train with --resize bilinear or pad",
        ),
        (
            ["--network", "AlexNet"],
            f"network 'AlexNet' is unknown; known: {', '.join(NETWORK_NAMES)}",
        ),
        (
            ["--set", "widths=10"],
            "network 'SEPNet': width 10 is not a multiple of 4·groups = 16; "
            "change widths or groups; correct its arguments",
        ),
        (
            ["--set", "depth=3"],
            "--set: network 'SEPNet': it has no argument 'depth'; it takes height, width, "
            "in_channels, classes, stem_kernel, stem_stride, stem_pool, widths, modules, "
            "kernel_size, groups, transition_kernel, transition_groups, activation_bits, "
            "scale_bits",
        ),
    ],
)
def test_errors_are_one_line(
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    text: str,
) -> None:
    out = tmp_path / "a.pth"
    assert train(data, out, *options) == 2
    assert capsys.readouterr().err == f"sephw: error: {text.format(out=out)}\n"
    assert list(tmp_path.iterdir()) == []


def test_out_in_a_missing_folder(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "no" / "a.pth"
    assert train(data, out) == 2
    assert capsys.readouterr().err == (
        f"sephw: error: --out {out}: folder '{out.parent}' does not exist; make it first\n"
    )


def test_network_of_another_size_with_padding(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.pth"
    more = ["--set", "height=12", "--set", "width=10", "--resize", "pad", "--epochs", "1,0,0"]
    assert train(data, out, *more) == 0
    checkpoint = load_checkpoint(out)
    assert checkpoint.stage == "R"
    assert checkpoint.arguments["height"] == 12
    assert checkpoint.preprocessing is not None
    assert checkpoint.preprocessing["resize"] == "pad"


def test_command_repeats_the_run() -> None:
    arguments = parse_arguments(["widths=16,32", "stem_pool=true", "stem_kernel=5"])
    assert arguments == {"widths": [16, 32], "stem_pool": True, "stem_kernel": 5}
    command = TrainingSettings("x/pets-train.zip", arguments=arguments, seed=4).command()
    assert command.startswith(
        "sephw train --data pets-train.zip --network SEPNet --set widths=16,32 "
        "--set stem_pool=true --set stem_kernel=5 --epochs 20,6,6 --batch 128 "
        "--lr 0.003,0.001,0.0005 "
    )
    assert "--seed 4" in command


def test_crop_and_flip_against_slices() -> None:
    images = torch.arange(40 * 2 * 8 * 7, dtype=torch.int32).remainder(251).to(torch.uint8)
    images = images.view(40, 2, 8, 7)
    margin = crop_margin(8)
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (margin,) * 2, (margin,) * 2))
    seen = set()
    found = augmented(images, "crop+flip", torch.Generator().manual_seed(0)).numpy()
    for i, image in enumerate(found):
        candidates = {
            (dy, dx, flip): padded[i, :, dy : dy + 8, dx : dx + 7][:, :, :: -1 if flip else 1]
            for dy in range(2 * margin + 1)
            for dx in range(2 * margin + 1)
            for flip in (False, True)
        }
        matching = [key for key, value in candidates.items() if np.array_equal(image, value)]
        assert len(matching) == 1
        seen.add(matching[0])
    assert len(seen) > 10
    same = augmented(images, "crop+flip", torch.Generator().manual_seed(0)).numpy()
    assert np.array_equal(found, same)
    assert augmented(images, "none", torch.Generator()) is images


def test_erasing_hides_one_square() -> None:
    images = torch.arange(60 * 3 * 16 * 16, dtype=torch.int32).remainder(100).to(torch.uint8)
    images = images.view(60, 3, 16, 16)
    plain, erased = (
        augmented(images, augment, torch.Generator().manual_seed(0)).numpy()
        for augment in ("crop+flip", "crop+flip+erase")
    )
    corners = set()
    for before, after in zip(plain, erased, strict=True):
        hidden = (after == 128).all(0)
        rows, columns = np.flatnonzero(hidden.any(1)), np.flatnonzero(hidden.any(0))
        assert hidden[np.ix_(rows, columns)].all()
        assert np.array_equal(after[:, ~hidden], before[:, ~hidden])
        inside = rows[0] > 0 and rows[-1] < 15, columns[0] > 0 and columns[-1] < 15
        for met, side in zip(inside, (rows, columns), strict=True):
            assert len(side) == 4 if met else 2 <= len(side) <= 4
        corners.add((rows[0], columns[0]))
    assert len(corners) > 30


def test_learning_rate_rises_then_falls_to_nearly_zero() -> None:
    settings = TrainingSettings("x", lr=(9.0, 1.0, 9.0))
    rates = [learning_rate(settings, "B", step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == pytest.approx(1.0, abs=0.01)
    assert rates.index(max(rates)) == 4
    assert rates[-1] < 1e-3
    assert rates[50] == pytest.approx(0.5)


def test_parameter_counts_by_hand() -> None:
    from sephw.nn import SEPNet

    network = SEPNet(height=8, width=8, in_channels=1, widths=[16, 32], modules=[1, 0], groups=4)
    patterns = 8 * 2 * 9 + 4 * 2 * 9
    others = 16 * 9 + 16 * 8 + 8 * 2 + 4 * 2 + 4 * 16 + 32 * 16 * 9 + 32 * 10 + 10
    assert parameter_counts(network) == (patterns, others)
    assert model_bytes(9, 2) == {"R": 44, "B": 10, "BQ": 4}


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; from sephw.cli import run; run(['train', '--help']); "
        "print('torch' in sys.modules, 'numpy' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "False False"
