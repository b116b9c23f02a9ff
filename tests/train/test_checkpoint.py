"""Checkpoint files: what goes in comes out, and nothing else gets in."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sephw.checkpoint import Checkpoint, build_network, load_checkpoint, save_checkpoint
from sephw.errors import SephwError
from sephw.networks import NETWORK_NAMES
from sephw.nn import SEPNet, to_stage
from sephw.torch_file import read_archive

ARGUMENTS = {"height": 8, "width": 8, "in_channels": 1, "widths": [16], "modules": [1]}


def checkpoint(stage: str = "R") -> Checkpoint:
    torch.manual_seed(0)
    network = SEPNet(**ARGUMENTS)
    if stage != "R":
        to_stage(network, stage, calibration=torch.rand(4, 1, 8, 8) if stage == "BQ" else None)
    return Checkpoint(
        "SEPNet",
        network.arguments,
        stage,
        network.state_dict(),
        {"height": 8, "width": 8, "channels": 1, "resize": "none", "input_bits": 8},
        tuple("0123456789"),
        {"seed": 0},
    )


def message(path: Path, **kwargs: object) -> str:
    with pytest.raises(SephwError) as caught:
        build_network(load_checkpoint(path, **kwargs))  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("stage", ["R", "B", "BQ"])
def test_round_trip_keeps_everything(tmp_path: Path, stage: str) -> None:
    given = checkpoint(stage)
    save_checkpoint(tmp_path / "a.pth", given)
    found = load_checkpoint(tmp_path / "a.pth")
    assert replace(found, state_dict={}) == replace(given, state_dict={})
    network = build_network(found)
    assert network.stage == stage
    assert not network.training
    assert network.state_dict().keys() == given.state_dict.keys()
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, given.state_dict[key]), key


def test_equal_checkpoints_give_equal_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one.pth", tmp_path / "other-name.pth"
    save_checkpoint(one, checkpoint())
    save_checkpoint(two, checkpoint())
    assert one.read_bytes() == two.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.pth", "other-name.pth"]


def test_a_view_does_not_drag_its_storage_along(tmp_path: Path) -> None:
    state = {"w": torch.zeros(1_000_000)[:10]}
    save_checkpoint(tmp_path / "a.pth", replace(checkpoint(), state_dict=state))
    assert (tmp_path / "a.pth").stat().st_size < 10_000


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pth"
    save_checkpoint(path, checkpoint())
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk is full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(SephwError, match=r"cannot be written \(disk is full\); check the folder"):
        save_checkpoint(path, checkpoint("BQ"))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_missing_file_and_folder(tmp_path: Path) -> None:
    path = tmp_path / "none.pth"
    assert message(path) == (
        f"{path}: no such file; check the path, or train one: "
        f"sephw train --data mnist5k --out {path}"
    )
    assert message(tmp_path) == f"{tmp_path}: is a folder; give the .pth file in it"
    with pytest.raises(SephwError) as caught:
        save_checkpoint(tmp_path / "no" / "a.pth", checkpoint())
    assert str(caught.value) == (
        f"{tmp_path / 'no' / 'a.pth'}: cannot be written (No such file or directory); "
        "check the folder and the disk"
    )


@pytest.mark.parametrize("keep", [0, 3, 100, 4000, -1, -30])
def test_truncated_file(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "a.pth"
    save_checkpoint(path, checkpoint())
    path.write_bytes(path.read_bytes()[:keep])
    assert message(path) == f"{path}: not a PyTorch file, or damaged; fetch it again"


@pytest.mark.parametrize("content", [b"hello, world\n", b"\x89PNG\r\n" * 50, b"PK\x03\x04" * 9])
def test_foreign_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(content)
    assert message(path) == f"{path}: not a PyTorch file, or damaged; fetch it again"


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("how", ["torch", "pickle"])
def test_malicious_pickle_is_refused_and_not_run(tmp_path: Path, how: str) -> None:
    path = tmp_path / "a.pth"
    evil = {"format": "sephw-checkpoint", "version": 1, "metrics": Evil(tmp_path / "ran")}
    if how == "torch":
        torch.save(evil, path)
    else:
        path.write_bytes(pickle.dumps(evil, protocol=2))
    assert message(path) == (
        f"{path}: refused, it holds more than tensors and plain values (posix.mkdir), as a whole "
        "pickled model does, and loading that could run code; load it where its classes are known "
        "and save torch.save(model.state_dict(), FILE) there, or take the model in there with "
        "sephw.nn.binarize"
    )
    assert not (tmp_path / "ran").exists()


def test_whole_module_is_refused_and_its_state_dict_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.Linear(2, 2))
    for old in (False, True):
        torch.save(network, path, _use_new_zipfile_serialization=not old)
        text = message(path)
        assert text.startswith(f"{path}: refused, it holds more than tensors and plain values (")
        assert "torch.nn.modules." in text
        assert "save torch.save(model.state_dict(), FILE) there" in text
    torch.jit.save(torch.jit.script(network[0]), path)  # type: ignore[no-untyped-call]
    assert "is a TorchScript program, which is not read; build the model in" in message(path)
    torch.save(network.state_dict(), path)
    assert read_archive(path).keys() == network.state_dict().keys()


@pytest.mark.parametrize(
    "dtype", ["float16", "bfloat16", "float64", "int8", "int64", "bool", "complex64"]
)
def test_weights_of_another_dtype_are_refused_and_the_fix_works(tmp_path: Path, dtype: str) -> None:
    path, good = tmp_path / "a.pth", checkpoint()
    key = "classifier.weight"
    other = {**good.state_dict, key: good.state_dict[key].to(getattr(torch, dtype))}
    save_checkpoint(path, replace(good, state_dict=other))
    text = message(path)
    assert text.startswith(
        f"network 'SEPNet': '{key}' is torch.{dtype} in the state_dict but torch.float32 in the "
        "network; "
    )
    if dtype in ("float16", "bfloat16", "float64"):
        assert text.endswith("or save the model as model.float().state_dict()")
        network = build_network(good)
        getattr(network, {"float16": "half", "float64": "double"}.get(dtype, dtype))()
        fixed = network.float().state_dict()
    else:
        assert text.endswith("these are no weights of it; save them as torch.float32")
        fixed = {**other, key: good.state_dict[key].to(torch.float32)}
    save_checkpoint(path, replace(good, state_dict=fixed))
    build_network(load_checkpoint(path))


def test_counters_of_another_dtype_are_refused(tmp_path: Path) -> None:
    good = checkpoint()
    key = next(k for k in good.state_dict if k.endswith("num_batches_tracked"))
    save_checkpoint(
        tmp_path / "a.pth",
        replace(good, state_dict={**good.state_dict, key: good.state_dict[key].float()}),
    )
    assert f"'{key}' is torch.float32 in the state_dict but torch.int64" in message(
        tmp_path / "a.pth"
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(tmp_path: Path, value: float) -> None:
    good = checkpoint()
    bad = good.state_dict["classifier.weight"].clone()
    bad[0, 0] = value
    state_dict = {**good.state_dict, "classifier.weight": bad}
    save_checkpoint(tmp_path / "a.pth", replace(good, state_dict=state_dict))
    assert "'classifier.weight' holds NaN or infinite values" in message(tmp_path / "a.pth")


@pytest.mark.parametrize("kind", ["sparse", "meta", "quantized"])
def test_tensors_without_plain_values(tmp_path: Path, kind: str) -> None:
    good = checkpoint()
    whole = good.state_dict["classifier.weight"]
    other = {
        "sparse": whole.to_sparse,
        "meta": lambda: whole.to("meta"),
        "quantized": lambda: torch.quantize_per_tensor(whole, 0.1, 0, torch.qint8),
    }[kind]()
    with pytest.raises(SephwError, match=r"'classifier\.weight' is no plain tensor"):
        build_network(replace(good, state_dict={**good.state_dict, "classifier.weight": other}))


def test_arguments_that_ask_for_any_amount_of_memory(tmp_path: Path) -> None:
    save_checkpoint(
        tmp_path / "a.pth",
        replace(
            checkpoint(), arguments={**ARGUMENTS, "widths": [60_000, 60_000], "modules": [1, 1]}
        ),
    )
    assert "has shape" in message(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"version": 2},
            "checkpoint version 2, this program reads 1; use the sephw version that wrote it",
        ),
        (
            {"format": "other"},
            "format 'other', expected 'sephw-checkpoint'; "
            "give the .pth file that `sephw train` wrote",
        ),
        ({"stage": "Q"}, "stage 'Q' is unknown; known: R, B, BQ"),
        ({"arguments": 3}, "checkpoint entry 'arguments' is missing or damaged"),
        ({"preprocessing": 3}, "checkpoint entry 'preprocessing' is missing or damaged"),
    ],
)
def test_wrong_entries(tmp_path: Path, change: dict[str, object], text: str) -> None:
    path = tmp_path / "a.pth"
    save_checkpoint(path, checkpoint())
    torch.save({**torch.load(path, weights_only=True), **change}, path)
    assert message(path) == f"{path}: {text}"


def test_unknown_network_and_refused_arguments(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    save_checkpoint(path, replace(checkpoint(), network="AlexNet"))
    assert message(path) == f"network 'AlexNet' is unknown; known: {', '.join(NETWORK_NAMES)}"
    save_checkpoint(path, replace(checkpoint(), arguments={**ARGUMENTS, "depth": 3}))
    assert message(path) == (
        "network 'SEPNet': it has no argument 'depth'; it takes height, width, in_channels, "
        "classes, stem_kernel, stem_stride, stem_pool, widths, modules, kernel_size, groups, "
        "transition_kernel, transition_groups, activation_bits, scale_bits"
    )


def test_state_dict_that_does_not_fit_names_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    good = checkpoint()
    hint = "the arguments or the stage differ from those it was trained with"
    lacking = {k: v for k, v in good.state_dict.items() if k != "classifier.bias"}
    save_checkpoint(path, replace(good, state_dict=lacking))
    assert message(path) == f"network 'SEPNet': the state_dict lacks 'classifier.bias'; {hint}"
    extra = {**good.state_dict, "head.weight": torch.zeros(1)}
    save_checkpoint(path, replace(good, state_dict=extra))
    assert message(path) == (
        f"network 'SEPNet': the state_dict has an unknown 'head.weight'; {hint}"
    )
    save_checkpoint(path, replace(good, arguments={**ARGUMENTS, "classes": 5}))
    assert message(path) == (
        "network 'SEPNet': 'classifier.weight' has shape (10, 16) in the state_dict but (5, 16) "
        f"in the network; {hint}"
    )


def test_bare_state_dict_needs_network_and_arguments(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    given = checkpoint("BQ")
    torch.save(given.state_dict, path)
    assert message(path) == (
        f"{path}: a bare state_dict says nothing of its network; "
        "name it with --network, and its arguments with --arguments"
    )
    assert message(path, network="SEPNet") == (
        f"{path}: a bare state_dict of 'SEPNet' needs the network's arguments as well; "
        "give them as JSON with --arguments"
    )
    found = load_checkpoint(path, network="SEPNet", arguments=ARGUMENTS)
    assert found.stage == "BQ"
    assert build_network(found).stage == "BQ"


def test_other_content_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save([1, 2], path)
    assert message(path) == f"{path}: holds a list, not a sephw checkpoint"
    torch.save({"a": 1}, path)
    assert message(path) == (
        f"{path}: neither a sephw checkpoint nor a state_dict (it has no 'format' entry and not "
        "only tensors); give the .pth file that `sephw train` wrote"
    )
