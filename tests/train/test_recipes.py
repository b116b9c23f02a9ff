"""Recipes: files against options, their errors, and the methods they ask for."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from sephw.checkpoint import load_checkpoint
from sephw.cli import run
from sephw.commands.train import train as command
from sephw.networks import make_network
from sephw.nn import PatternConv2d, to_stage
from sephw.train import run as run_module
from sephw.train.loop import learning_rate, loss_of, make_optimizer
from sephw.train.progressive import binarize_progressively, binarized_groups, is_fully_binarized
from sephw.train.recipe import read_recipe
from sephw.train.settings import TrainingSettings

RECIPES = sorted((Path(__file__).parents[2] / "examples" / "recipes").glob("*.toml"))

TEXT = """
network = "SEPNet"
epochs = [1, 1, 1]
batch = 16
precision = "fp32"
device = "cpu"
label-smoothing = 0.1

[set]
widths = [16]
modules = [1]
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(TEXT)
    return path


def test_options_go_before_the_recipe(recipe: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.pth"
    same = ["--data", str(data), "--out", str(out)]
    assert (
        run(
            [
                "train",
                "--recipe",
                str(recipe),
                *same,
                "--epochs",
                "1,0,0",
                "--set",
                "kernel_size=5",
                "--set",
                "modules=2",
            ]
        )
        == 0
    )
    checkpoint = load_checkpoint(out)
    command_line = checkpoint.metrics["command"]
    assert "--epochs 1,0,0 " in command_line and "--label-smoothing 0.1 " in command_line
    assert checkpoint.arguments["widths"] == [16] and checkpoint.arguments["modules"] == [2]
    assert checkpoint.arguments["kernel_size"] == 5


def test_recipe_and_options_give_the_same_bytes(recipe: Path, data: Path, tmp_path: Path) -> None:
    assert (
        run(
            [
                "train",
                "--data",
                str(data),
                "--out",
                str(tmp_path / "a.pth"),
                "--recipe",
                str(recipe),
            ]
        )
        == 0
    )
    assert (
        run(
            [
                "train",
                "--data",
                str(data),
                "--out",
                str(tmp_path / "b.pth"),
                "--epochs",
                "1",
                "--batch",
                "16",
                "--precision",
                "fp32",
                "--device",
                "cpu",
                "--label-smoothing",
                "0.1",
                "--set",
                "widths=16",
                "--set",
                "modules=1",
            ]
        )
        == 0
    )
    a, b = load_checkpoint(tmp_path / "a.pth"), load_checkpoint(tmp_path / "b.pth")
    assert a.metrics == b.metrics
    assert (tmp_path / "a.pth").read_bytes() == (tmp_path / "b.pth").read_bytes()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "{path}: unknown key 'epoch'; did you mean 'epochs'?"),
        ("weight_decay = 0.1", "{path}: unknown key 'weight_decay'; did you mean 'weight-decay'?"),
        ("resume = true", "{path}: unknown key 'resume'; did you mean 'resize'?"),
        ("quiet = true", "{path}: unknown key 'quiet'; did you mean 'set'?"),
        ("set = 3", "{path}: 'set' must be a table of network arguments: [set]"),
        ("epochs = {a = 1}", "{path}: 'epochs' must be a number, a text or a list of them"),
        (
            "schedule = 'line'",
            "Invalid value for '--schedule': 'line' is not one of 'cosine', "
            "'step', 'poly'; see 'sephw train --help'",
        ),
    ],
)
def test_wrong_recipes_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    assert run(["train", "--recipe", str(path), "--data", "x", "--out", "y"]) == 2
    assert capsys.readouterr().err == f"sephw: error: {message.format(path=path)}\n"


def test_missing_and_broken_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "no.toml"
    assert run(["train", "--recipe", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"sephw: error: --recipe {path}: no such file; examples/recipes has some\n"
    )
    path.write_text("epochs = ")
    assert run(["train", "--recipe", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"sephw: error: --recipe {path}: not valid TOML: ")


def test_combinations_without_meaning(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = ["train", "--data", str(data), "--out", "a.pth"]
    assert run([*same, "--distill", "0.5", "--epochs", "0,1,1"]) == 2
    assert run([*same, "--alpha", "0.05", "--progressive", "3"]) == 2
    assert run([*same, "--milestones", "0.8,0.6"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "sephw: error: --distill: the teacher is stage R's network, and --epochs trains none; "
        "give R epochs, or a trained one with --start",
        "sephw: error: --alpha with --progressive: one constant replaces the float weights that "
        "layers still waiting train with; leave one of them away",
        "sephw: error: --milestones '0.8,0.6': expected rising shares of a stage between 0 and 1, "
        "for example 0.6,0.8",
    ]


def test_every_published_recipe_is_read_and_its_network_built() -> None:
    names = [option.name for option in command.params if option.name]
    assert len(RECIPES) >= 10
    for path in RECIPES:
        found = read_recipe(path, names)
        content = tomllib.loads(path.read_text())
        arguments = content.get("set", {})
        small = {"shrink": 16} if content["network"] in ("GoogLeNet", "Inception") else {}
        network = make_network(content["network"], {**arguments, **small})
        assert found.options["epochs"].count(",") == 2
        assert any(isinstance(m, PatternConv2d) for m in network.modules())
        more = [] if "data" in content else ["--data", "x"]
        context = command.make_context("train", ["--recipe", str(path), *more, "--out", "x"])
        assert context.params["network"] == content["network"]


def test_schedules() -> None:
    step = TrainingSettings(
        "x", schedule="step", milestones=(0.6, 0.8), warm_up=0.0, lr=(0.1, 0.1, 0.1)
    )
    rates = [learning_rate(step, "R", s, 100) for s in (0, 59, 60, 79, 80, 99)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])
    poly = TrainingSettings("x", schedule="poly", poly_power=0.5, warm_up=0.0, lr=(4.0, 1.0, 1.0))
    assert learning_rate(poly, "R", 75, 100) == pytest.approx(4 * 0.25**0.5)


def test_distillation_against_numpy() -> None:
    generator = np.random.default_rng(3)
    student, teacher = generator.normal(size=(2, 6, 4))
    labels = np.array([0, 3, 1, 2, 2, 0])

    def softmax(v: np.ndarray) -> np.ndarray:
        e = np.exp(v - v.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    hard = -np.log(softmax(student)[np.arange(6), labels]).mean()
    p, q = softmax(teacher / 3), softmax(student / 3)
    want = 0.6 * hard + 0.4 * 9 * (p * np.log(p / q)).sum(axis=1).mean()
    settings = TrainingSettings("x", distill=0.4, temperature=3.0)
    tensors = [torch.from_numpy(a) for a in (student, labels, teacher)]
    assert float(loss_of(tensors[0], tensors[1], settings, tensors[2])) == pytest.approx(want)
    plain = functional.cross_entropy(tensors[0], tensors[1])
    assert float(loss_of(tensors[0], tensors[1], settings, None)) == pytest.approx(float(plain))


def test_groups_come_one_after_another() -> None:
    assert [binarized_groups(3, epoch, 10) for epoch in range(10)] == [1, 1, 2, 2, 3, 3, 3, 3, 3, 3]
    for groups in range(1, 8):
        for epochs in range(1, 14):
            done = [binarized_groups(groups, epoch, epochs) for epoch in range(epochs)]
            assert done == sorted(done) and done[0] == 1
            settings = TrainingSettings("x", epochs=(1, epochs, 1), progressive=groups)
            whole = [is_fully_binarized(settings, epoch) for epoch in range(epochs)]
            assert whole[-1] and all(whole[(epochs + 1) // 2 - 1 :])


def test_layers_that_wait_train_their_float_weights() -> None:
    network = make_network("SEPNet", {"widths": [16, 32], "modules": [1, 1]})
    settings = TrainingSettings("x", epochs=(1, 4, 1), progressive=2)
    to_stage(network, "B")
    layers = [m for m in network.modules() if isinstance(m, PatternConv2d)]
    optimizer = make_optimizer(network, settings, "B")
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert all(id(layer.weight) in held for layer in layers)
    for epoch, float_layers in ((0, 2), (1, 0), (3, 0)):
        binarize_progressively(network, settings, epoch)
        waiting = [layer for layer in layers if layer.weight_quant.disable_quant]
        assert waiting == layers[len(layers) - float_layers :]
        assert [layer.weight.requires_grad for layer in layers] == [m in waiting for m in layers]


STRONG = [
    "--set",
    "widths=16",
    "--set",
    "modules=1",
    "--epochs",
    "1,3,1",
    "--batch",
    "16",
    "--precision",
    "fp32",
    "--device",
    "cpu",
    "--distill",
    "0.5",
    "--progressive",
    "2",
    "--patterns",
    "straight-through",
    "--optimizer",
    "sgd",
    "--lr",
    "0.05",
    "--schedule",
    "step",
]


def test_strong_recipe_resumes_to_the_same_bytes(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def train(name: str, *more: str) -> int:
        out = str(tmp_path / name)
        return run(["train", "--data", str(data), "--out", out, *STRONG, *more])

    assert train("whole.pth") == 0
    real = run_module.train_epoch
    teacher_logits = []

    def stop(*arguments: object) -> object:
        if arguments[3:5] == ("B", 1):
            raise KeyboardInterrupt
        teacher_logits.append(arguments[0].teacher is not None)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(run_module, "train_epoch", stop)
    assert train("halves.pth") == 130
    # the one finished epoch of B was not whole yet, so the best model is R's
    assert load_checkpoint(tmp_path / "halves.pth").stage == "R"
    monkeypatch.setattr(run_module, "train_epoch", real)
    assert train("halves.pth", "--resume") == 0
    assert teacher_logits == [False, True]
    assert (tmp_path / "halves.pth").read_bytes() == (tmp_path / "whole.pth").read_bytes()
    metrics = load_checkpoint(tmp_path / "whole.pth").metrics
    assert set(metrics["accuracy"]["test"]) == {
        "R",
        "B untuned",
        "B",
        "BQ untuned",
        "BQ",
        "frozen",
    }
    assert metrics["best_epoch"]["B"] >= 2


def test_start_takes_the_float_weights(data: Path, tmp_path: Path, capsys) -> None:
    small = ["--set", "widths=16", "--set", "modules=1", "--batch", "16", "--precision", "fp32"]
    first, second = str(tmp_path / "r.pth"), str(tmp_path / "b.pth")
    same = ["train", "--data", str(data), *small]
    assert run([*same, "--out", first, "--epochs", "2,0,0"]) == 0
    more = ["--start", first, "--distill", "0.3", "--alpha", "0.07"]
    assert run([*same, "--out", second, "--epochs", "0,1,0", *more]) == 0
    a, b = load_checkpoint(first), load_checkpoint(second)
    assert b.stage == "B"
    assert a.metrics["accuracy"]["test"]["R"] == b.metrics["accuracy"]["test"]["R"]
    pattern = "stages.0.0.prb1.pattern.weight"
    want = torch.where(a.state_dict[pattern] < 0, -0.07, 0.07)
    assert torch.equal(b.state_dict[pattern], want)
    capsys.readouterr()
    assert run([*same, "--out", str(tmp_path / "c.pth"), "--start", second]) == 2
    assert capsys.readouterr().err == (
        f"sephw: error: {second}: is in stage B; --start takes a network in stage R, as "
        "`--epochs N,0,0` leaves it\n"
    )
