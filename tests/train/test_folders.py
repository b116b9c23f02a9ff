"""Image folders decoded while training, alone and in a team of two processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sephw.checkpoint import build_network, load_checkpoint
from sephw.cli import run
from sephw.data.folders import (
    ImageFiles,
    is_image_folder,
    open_image_folder,
    random_window,
    read_centre,
    read_random,
)
from sephw.errors import SephwError
from sephw.export.samples import choose_samples
from sephw.nn import freeze
from sephw.train.decoders import DecodeRequest, Decoders, decode
from sephw.train.evaluate import accuracy
from sephw.train.folder import FolderSource
from sephw.train.parallel import Team
from sephw.train.settings import AUGMENTS, TrainingSettings


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """train/ and val/ of two classes, JPEG and PNG, grey and colour, of many sizes."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(2)
    for part, count in (("train", 30), ("val", 11)):
        for name, red in (("blue", 0), ("red", 170)):
            (folder / part / name).mkdir(parents=True)
            for i in range(count):
                height, width = random.integers(14, 40, 2)
                pixels = random.integers(0, 80, (height, width, 3), dtype=np.uint8)
                pixels[:, :, 0] += red
                pixels[:, :, 2] += 170 - red
                ending = "png" if i % 3 else "jpg"
                Image.fromarray(pixels).save(folder / part / name / f"{i:02}.{ending}")
    (folder / "train" / "red" / "notes.txt").write_text("not an image")
    return folder


SMALL = [
    "--network",
    "SEPNet",
    "--set",
    "widths=16",
    "--set",
    "modules=1",
    "--set",
    "height=12",
    "--set",
    "width=14",
    "--epochs",
    "2,1,1",
    "--batch",
    "8",
    "--precision",
    "fp32",
    "--device",
    "cpu",
    "--workers",
    "1",
]


def test_files_are_split_without_overlap(pictures: Path) -> None:
    assert is_image_folder(pictures) and not is_image_folder(pictures / "train")
    dataset = open_image_folder(pictures, seed=1)
    assert dataset.classes == ("blue", "red")
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (54, 6, 22)
    names = {*dataset.train.names, *dataset.validation.names}
    assert len(names) == 60 and "red/notes.txt" not in names
    for files in (dataset.train, dataset.validation, dataset.test):
        for name, label in zip(files.names, files.labels, strict=True):
            assert name.startswith(dataset.classes[label])


def test_centre_crop_of_a_gradient(tmp_path: Path) -> None:
    """Columns of a wide image: the crop is the middle, at 7/8 of the shorter side."""
    for part in ("train", "val"):
        for name in ("a", "b"):
            (tmp_path / part / name).mkdir(parents=True)
            for i in range(3):
                columns = np.tile(np.arange(64, dtype=np.uint8) * 2, (32, 1))
                Image.fromarray(columns).save(tmp_path / part / name / f"{i}.png")
    files = open_image_folder(tmp_path, seed=0).test
    image = read_centre(files, 0, 28, 28)
    assert image.shape == (28, 28, 3) and image.dtype == np.uint8
    # 32 → 32 pixels: nothing is scaled, 28 of 64 columns from 18 on, 28 of 32 rows from 2 on
    assert np.array_equal(
        image, np.broadcast_to((np.arange(18, 46) * 2)[None, :, None], image.shape)
    )
    half = read_centre(files, 0, 14, 14).astype(int)
    assert np.abs(half[0, :, 0] - (np.arange(14) * 4 + 37)).max() <= 2


def test_random_windows_lie_inside_and_cover_the_stated_share() -> None:
    generator = np.random.default_rng(0)
    for height, width, shape in ((40, 60, 1.0), (17, 17, 2.0), (300, 20, 1.0)):
        for _ in range(200):
            left, top, right, bottom = random_window(generator, height, width, shape)
            assert 0 <= left < right <= width and 0 <= top < bottom <= height
            assert (right - left) * (bottom - top) >= 0.04 * min(height, width) ** 2


def test_augmentation_depends_on_the_seed_only(pictures: Path) -> None:
    files = open_image_folder(pictures, seed=0).train
    for augment in AUGMENTS:
        same = [read_random(files, 3, 12, 14, augment, (5, 3)) for _ in range(2)]
        assert np.array_equal(*same) and same[0].shape == (12, 14, 3)
    centre = read_centre(files, 3, 12, 14)
    flips = [read_random(files, 3, 12, 14, "flip", (seed, 3)) for seed in range(20)]
    assert all(np.array_equal(f, centre) or np.array_equal(f, centre[:, ::-1]) for f in flips)
    assert len({f.tobytes() for f in flips}) == 2


def test_an_erased_square_is_grey_and_the_rest_as_it_was(pictures: Path) -> None:
    files = open_image_folder(pictures, seed=0).train
    sizes = set()
    for seed in range(30):
        plain, erased = (
            read_random(files, 3, 16, 24, augment, (seed, 3))
            for augment in ("crop+flip", "crop+flip+erase")
        )
        hidden = (erased == 128).all(2)
        rows, columns = hidden.any(1), hidden.any(0)
        sizes.add((rows.sum(), columns.sum()))
        assert hidden[np.ix_(rows, columns)].all()
        assert np.array_equal(erased[~hidden], plain[~hidden])
    # An eighth of 16 to each side, less at the border.
    assert max(sizes) == (4, 4) and len(sizes) > 1


def test_processes_share_every_batch(pictures: Path) -> None:
    files = open_image_folder(pictures, seed=0).train
    alone = TrainingSettings("x", batch=10, augment="crop+flip")
    pair = TrainingSettings("x", batch=10, augment="crop+flip", processes=2)
    source = FolderSource(files, (12, 14))
    whole = list(source.training(alone, 0, 3, Team()))
    parts = [list(source.training(pair, 0, 3, Team(rank, 2))) for rank in range(2)]
    assert len(whole) == len(parts[0]) == len(parts[1]) == 5
    for (images, labels), first, second in zip(whole, *parts, strict=True):
        assert torch.equal(images[0::2], first[0]) and torch.equal(images[1::2], second[0])
        assert torch.equal(labels[1::2], second[1])
    with Decoders(2) as decoders:
        again = list(FolderSource(files, (12, 14), decoders).training(alone, 0, 3, Team()))
    assert all(torch.equal(a[0], b[0]) for a, b in zip(whole, again, strict=True))
    fixed = [torch.cat([y for _, y in source.fixed(Team(rank, 2))]) for rank in range(2)]
    assert torch.equal(torch.stack(fixed, dim=1).flatten(), torch.from_numpy(files.labels))


def test_a_run_on_files_interrupted_by_nothing(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.pth"
    assert run(["train", "--data", str(pictures), "--out", str(out), *SMALL]) == 0
    checkpoint = load_checkpoint(out)
    assert checkpoint.preprocessing == {
        "height": 12,
        "width": 14,
        "channels": 3,
        "resize": "crop",
        "input_bits": 8,
    }
    network = build_network(checkpoint)
    test = FolderSource(open_image_folder(pictures, seed=0).test, (12, 14))
    assert checkpoint.metrics["accuracy"]["test"]["frozen"] == accuracy(freeze(network), test)
    samples = choose_samples(checkpoint, str(pictures), 5)
    assert samples.images.shape[1:] == (12, 14, 3) and len(samples.labels) == 5
    again = tmp_path / "b.pth"
    more = ["--workers", "0"]
    assert run(["train", "--data", str(pictures), "--out", str(again), *SMALL, *more]) == 0
    assert out.read_bytes() == again.read_bytes()


def torchrun(*program: str) -> subprocess.CompletedProcess[str]:
    """Two processes of a program, `-m MODULE …` or `FILE …`."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--nproc-per-node",
            "2",
            "--rdzv-backend",
            "c10d",
            "--rdzv-endpoint",
            "127.0.0.1:0",
            *program,
        ],
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
        check=False,
    )


PLAIN = """
import sys
import torch
from torch import nn
from sephw.train.loop import Learner, train_epoch
from sephw.train.parallel import join_team
from sephw.train.progress import Reporter
from sephw.train.settings import TrainingSettings
from sephw.train.source import MemorySource
torch.manual_seed(0)
network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                        nn.Linear(8, 4))
images = torch.randint(0, 256, (40, 3, 9, 9), dtype=torch.uint8)
team = join_team("cpu")
settings = TrainingSettings("x", epochs=(1, 1, 1), batch=8, augment="none", optimizer="sgd",
                    lr=(0.1, 0.1, 0.1), processes=team.size)
optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
source = MemorySource(images, torch.arange(40) % 4)
result = train_epoch(Learner(network, optimizer), source, settings, "R", 0, Reporter(), team)
assert team.all_reduce_sum(team.rank + 1.0) == (sum(range(1, team.size + 1)),)
assert team.broadcast_decision(team.is_leader) and not team.broadcast_decision(not team.is_leader)
if team.is_leader:
    torch.save({"loss": torch.tensor(result.loss), **network.state_dict()}, sys.argv[1])
team.leave(together=True)
"""


def test_a_batch_in_two_halves_moves_the_weights_as_in_one(tmp_path: Path) -> None:
    """Without batch norm the mean of two processes' gradients is the gradient of the batch."""
    script = tmp_path / "plain.py"
    script.write_text(PLAIN)
    done = torchrun(str(script), str(tmp_path / "two.pt"))
    assert done.returncode == 0, done.stderr
    alone = subprocess.run([sys.executable, str(script), str(tmp_path / "one.pt")], check=False)
    assert alone.returncode == 0
    two, one = torch.load(tmp_path / "two.pt"), torch.load(tmp_path / "one.pt")
    assert two.keys() == one.keys()
    assert all(torch.allclose(two[key], one[key], rtol=1e-5, atol=1e-6) for key in one)


def test_two_processes_train_one_network(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.pth"
    done = torchrun(
        "-m",
        "sephw.train",
        "--data",
        str(pictures),
        "--out",
        str(out),
        *SMALL,
        "--progressive",
        "2",
        "--distill",
        "0.5",
    )
    assert done.returncode == 0, done.stderr
    assert "2 processes" in done.stdout and done.stdout.count("R untuned") == 0
    assert len([line for line in done.stdout.splitlines() if line.startswith("frozen:")]) == 1
    checkpoint = load_checkpoint(out)
    assert checkpoint.stage == "BQ" and not Path(f"{out}.resume").exists()
    assert checkpoint.metrics["command"].startswith(
        f"torchrun --nproc-per-node 2 -m sephw.train --data {pictures.name} "
    )
    test = FolderSource(open_image_folder(pictures, seed=0).test, (12, 14))
    network = build_network(checkpoint)
    assert checkpoint.metrics["accuracy"]["test"]["frozen"] == accuracy(freeze(network), test)


STOPPED = """
import sys
import sephw.train.run as run_module
from sephw.cli import run
real = run_module.train_epoch
def stop(*arguments):
    if arguments[3] == "B":
        raise KeyboardInterrupt
    return real(*arguments)
if __name__ == "__main__":  # the processes that decode import this
    run_module.train_epoch = stop
    sys.exit(run(["train", *sys.argv[1:]]))
"""


def test_two_processes_go_on_where_they_stopped(pictures: Path, tmp_path: Path) -> None:
    """Stopped after stage R and resumed, the team writes the bytes of an unbroken run."""
    script = tmp_path / "stopped.py"
    script.write_text(STOPPED)

    def train(name: str, *program: str) -> subprocess.CompletedProcess[str]:
        return torchrun(*program, "--data", str(pictures), "--out", str(tmp_path / name), *SMALL)

    whole = train("whole.pth", "-m", "sephw.train")
    assert whole.returncode == 0, whole.stderr
    stopped = train("parts.pth", str(script))
    assert stopped.returncode != 0
    assert stopped.stderr.count("sephw: interrupted: ") >= 1, stopped.stderr
    assert (tmp_path / "parts.pth.resume").is_file()
    resumed = train("parts.pth", "-m", "sephw.train", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert not (tmp_path / "parts.pth.resume").exists()
    assert (tmp_path / "parts.pth").read_bytes() == (tmp_path / "whole.pth").read_bytes()


STANDING_STILL = """
import os, sys, time
import sephw.train.parallel as parallel
import sephw.train.run as run_module
from sephw.cli import run
parallel.WAIT_SECONDS = 15.0
if os.environ["RANK"] == "1":
    run_module.train_epoch = lambda *arguments: time.sleep(600)
sys.exit(run(["train", *sys.argv[1:]]))
"""


def test_a_team_with_a_member_that_stands_still_ends_with_one_line(
    pictures: Path, tmp_path: Path
) -> None:
    script = tmp_path / "standing_still.py"
    script.write_text(STANDING_STILL)
    given = ["--data", str(pictures), "--out", str(tmp_path / "a.pth"), *SMALL, "--workers", "0"]
    done = torchrun(str(script), *given)
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("sephw: ")]
    assert said == [
        "sephw: error: process 0 of 2 has lost another, which ended or stood still for 15 s; see "
        "what that one says, then add --resume to go on"
    ]


def wanted(files: ImageFiles, count: int) -> list[DecodeRequest]:
    """``count`` batches of two images."""
    return [DecodeRequest(files.take(np.arange(2)), (0, 1), (12, 14)) for _ in range(count)]


def test_a_decoder_that_ends_or_stands_still_is_one_line(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = open_image_folder(pictures, seed=0).train
    expected = decode(wanted(files, 1)[0])
    with Decoders(1) as decoders:
        batches = decoders.images(wanted(files, 3))
        assert np.array_equal(next(batches), expected)
        (process,) = active_children()
        process.kill()
        with pytest.raises(SephwError, match="a process that decodes images has ended by itself"):
            list(batches)
        assert not active_children()
        (again,) = decoders.images(wanted(files, 1))
        assert np.array_equal(again, expected)
        (process,) = active_children()
        assert process.pid is not None
        os.kill(process.pid, signal.SIGSTOP)
        monkeypatch.setattr("sephw.train.decoders.BATCH_SECONDS", 0.3)
        with pytest.raises(SephwError, match=r"not decoded after 0\.005 minutes.* --resume"):
            list(decoders.images(wanted(files, 1)))
        assert not active_children()
        monkeypatch.undo()
        left = decoders.images(wanted(files, 3))
        next(left)
        left.close()
        assert not active_children()


def test_unreadable_files_and_wrong_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("train", "val"):
        for name in ("a", "b"):
            (tmp_path / part / name).mkdir(parents=True)
            for i in range(4):
                pixels = np.full((20, 20), 9 * i, np.uint8)
                Image.fromarray(pixels).save(tmp_path / part / name / f"{i}.png")
    bad = tmp_path / "val" / "a" / "0.png"
    bad.write_bytes(b"no picture")
    out = tmp_path / "a.pth"
    same = ["train", "--data", str(tmp_path), "--out", str(out), *SMALL]
    assert run(same) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"sephw: error: {bad}: cannot be decoded (")
    assert line.endswith("); remove or replace it")
    Path(f"{out}.resume").unlink(missing_ok=True)
    assert run([*same, "--resize", "pad"]) == 2
    assert capsys.readouterr().err == (
        "sephw: error: --resize pad: images of a train/ and val/ folder are cropped to the "
        "network's size; leave it away\n"
    )
    (tmp_path / "val" / "c").mkdir()
    with pytest.raises(SephwError) as error:
        open_image_folder(tmp_path, seed=0)
    assert str(error.value) == f"{tmp_path / 'val'}: class 'c' has no training images"
