"""Damaged files of every kind that the program reads: taken or refused in one line, no defect.

Forty of each kind here; ``SEPHW_MUTATIONS=5000 pytest tests/files/test_mutated_files.py``
tries so many.
"""

import io
import json
import os
import zipfile

import numpy as np
import pytest
import torch
from mutations import damage_bytes, damage_values
from PIL import Image
from small_graphs import network

from sephw.checkpoint import Checkpoint, build_network, load_checkpoint, save_checkpoint
from sephw.cli import run
from sephw.data import load_data
from sephw.errors import SephwError
from sephw.export.lower import deploy_network
from sephw.export.samples import input_format
from sephw.host import read_description
from sephw.ir.serialize import load_graph, save_graph
from sephw.nn import SEPNet, to_stage
from sephw.ops import OPERATORS
from sephw.passes import fold, read_folding_file
from sephw.run.measure import read_test
from sephw.train.resume import ResumePoint, load_progress, resume_path, save_progress
from sephw.train.settings import TrainingSettings

COUNT = int(os.environ.get("SEPHW_MUTATIONS", "40"))
ARGUMENTS = {
    "height": 8,
    "width": 8,
    "in_channels": 1,
    "classes": 10,
    "widths": [8],
    "modules": [0],
}


def taken_or_refused(call, seed) -> bool:
    """Whether ``call`` takes what it reads; anything but a SephwError of one line is a failure."""
    try:
        call()
    except SephwError as error:
        assert str(error) and "\n" not in str(error), f"seed {seed}: {error!r}"
        return False
    except Exception as error:
        raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
    return True


@pytest.fixture(scope="module")
def checkpoint():
    torch.manual_seed(0)
    made = SEPNet(**ARGUMENTS)
    to_stage(made, "BQ", calibration=torch.rand(4, 1, 8, 8))
    form = {"height": 8, "width": 8, "channels": 1, "resize": "none", "input_bits": 8}
    data = {"data": {"name": "digits", "seed": 0}, "accuracy": {"test": {"frozen": 90.0}}}
    return Checkpoint("SEPNet", made.arguments, "BQ", made.state_dict(), form, ("a", "b"), data)


def use(path):
    found = load_checkpoint(path)
    input_format(found)
    deploy_network(found)


def test_values_in_checkpoints(tmp_path, checkpoint):
    path = tmp_path / "a.pth"
    save_checkpoint(path, checkpoint)
    content = torch.load(path, weights_only=True)
    content = {**content, "state_dict": dict(content["state_dict"])}
    weights = content["state_dict"]
    odd = (torch.zeros(0), torch.zeros(3, dtype=torch.bool), torch.tensor(1j), "x", None, [1], 1e9)
    for seed in range(COUNT):
        changed = damage_values({**content, "state_dict": {}}, seed)
        if isinstance(changed.get("state_dict"), dict):
            changed["state_dict"] = weights
            if seed % 3 == 0:
                changed["state_dict"] = damage_values(weights, seed, odd)
        torch.save(changed, path)
        taken_or_refused(lambda: use(path), seed)


def test_bytes_of_checkpoints(tmp_path, checkpoint):
    path = tmp_path / "a.pth"
    save_checkpoint(path, checkpoint)
    whole = path.read_bytes()
    for seed in range(COUNT):
        path.write_bytes(damage_bytes(whole, seed))
        taken_or_refused(lambda: build_network(load_checkpoint(path)), seed)


def test_states_of_training(tmp_path):
    out, settings = tmp_path / "a.pth", TrainingSettings("digits")
    figures = {"accuracy": {"validation": {"R": 0.5}}, "epochs": {"R": 20}}
    weights = {"w": torch.zeros(2)}
    state = {"state": {0: {"step": 3}}, "param_groups": [{"lr": 0.1}]}
    save_progress(out, settings, ResumePoint("B", 2, weights, state, weights, 0.5, 1, figures))
    assert taken_or_refused(lambda: load_progress(out, settings), -1)
    content = torch.load(resume_path(out), weights_only=True)
    for seed in range(COUNT):
        torch.save(damage_values(content, seed), resume_path(out))
        taken_or_refused(lambda: load_progress(out, settings), seed)


@pytest.fixture
def graph_files(tmp_path):
    paths = tmp_path / "graph.json", tmp_path / "graph.npz"
    save_graph(fold(network(), {}, 2000), *paths)
    return paths


def test_values_in_graphs(graph_files):
    content = json.loads(graph_files[0].read_text())
    for seed in range(COUNT):
        graph_files[0].write_text(json.dumps(damage_values(content, seed)))
        taken_or_refused(lambda: load_graph(*graph_files, OPERATORS), seed)


@pytest.mark.parametrize("which", [0, 1])
def test_bytes_of_graphs(graph_files, which):
    whole = graph_files[which].read_bytes()
    for seed in range(COUNT):
        graph_files[which].write_bytes(damage_bytes(whole, seed))
        taken_or_refused(lambda: load_graph(*graph_files, OPERATORS), seed)


def test_arrays_of_graphs(graph_files):
    with np.load(graph_files[1]) as held:
        arrays = dict(held)
    draw = np.random.default_rng(1)
    for seed in range(COUNT):
        name = list(arrays)[draw.integers(len(arrays))]
        values = arrays[name]
        changed = [
            values.astype(bool),
            values.astype(float),
            values[..., :0],
            values[:1],
            values + 100,
            values.astype(np.int64) * (1 << 60),
            values.reshape(-1),
            values[None],
            np.array(3),
            values.astype(np.uint64) + (1 << 63),
            values.astype(np.complex64),
            np.array({}),
        ][seed % 12]
        np.savez(graph_files[1], **{**arrays, name: changed})
        taken_or_refused(lambda: load_graph(*graph_files, OPERATORS), seed)


def test_values_in_folding_files(tmp_path):
    graph, path = network(), tmp_path / "folding.json"
    folded = fold(graph, {}, 2000)
    nodes = {node.name: {"pe": node.folding.pe, "simd": node.folding.simd} for node in folded.nodes}
    nodes["pattern_node"] = {"family": "digit-serial", "digit_bits": 2, "pe": 4, "simd": 36}
    content = {"frame_cycles": 2000, "nodes": nodes, "fifos": {folded.outputs[0]: 4}}

    def use():
        held = read_folding_file(path)
        fold(graph, held.nodes, held.frame_cycles)

    assert not taken_or_refused(use, -1)  # there is no file
    for seed in range(COUNT):
        path.write_text(json.dumps(damage_values(content, seed)))
        taken_or_refused(use, seed)


RECIPE = """
epochs = [1, 1, 1]
batch = 8
lr = 0.001
schedule = "poly"
seed = 3
[set]
widths = [16, 32]
modules = [1, 1]
"""


def test_recipes(tmp_path, capsys):
    path = tmp_path / "a.toml"
    # What it says is not trained: there is no such data.
    words = ["train", "--recipe", str(path), "--data", "none", "--out", str(tmp_path / "a.pth")]
    odd = ["nan", "-1", "1e999", "9" * 5000, "[" * 2000, '"x"', "{a=1}", "[[]]", "true", "''", "\0"]
    lines = RECIPE.splitlines()
    for seed in range(COUNT):
        draw = np.random.default_rng(seed)
        if seed % 2:
            path.write_bytes(damage_bytes(RECIPE.encode(), seed))
        else:
            at = int(draw.integers(1, len(lines)))
            value = f"{lines[at].split(' ')[0]} = {odd[int(draw.integers(len(odd)))]}"
            path.write_text("\n".join((*lines[:at], value, *lines[at + 1 :])))
        assert run(words) == 2, f"seed {seed}"
        assert capsys.readouterr().err.count("\n") == 1, f"seed {seed}"


DESCRIPTION = {
    "format": "sephw-accelerator",
    "version": 2,
    "link": "uart",
    "name": "tiny",
    "target": "x",
    "cable": "x",
    "build_id": "00ff",
    "image_shape": [1, 2, 1],
    "image_bits": 8,
    "output_shape": [1, 1, 2],
    "output_bits": 12,
    "output_signed": True,
    "clock_hz": 1000,
    "uart_hz": 1000,
    "baud": 100,
    "frame_limit_cycles": 500,
}


def test_descriptions_and_test_images_of_boards(tmp_path):
    arrays = {
        "test_images.npy": np.zeros((2, 1, 2, 1), np.uint8),
        "test_outputs.npy": np.zeros((2, 2), np.int64),
    }
    for name, array in arrays.items():
        np.save(tmp_path / name, array)
    whole = {name: (tmp_path / name).read_bytes() for name in arrays}
    file = tmp_path / "accelerator.json"
    file.write_text(json.dumps(DESCRIPTION))
    assert taken_or_refused(lambda: read_test(read_description(tmp_path)), -1)
    for seed in range(COUNT):
        name = list(arrays)[seed % 2]
        (tmp_path / name).write_bytes(damage_bytes(whole[name], seed))
        taken_or_refused(lambda: read_test(read_description(tmp_path)), seed)
        (tmp_path / name).write_bytes(whole[name])
        file.write_text(json.dumps(damage_values(DESCRIPTION, seed)))
        taken_or_refused(lambda: read_test(read_description(tmp_path)), seed)
        file.write_text(json.dumps(DESCRIPTION))


def encoded(kind, value):
    content = io.BytesIO()
    Image.fromarray(np.full((6, 5, 3), value, np.uint8)).save(content, kind)
    return content.getvalue()


def test_images_and_zips_of_them(tmp_path):
    kinds = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
    images = [encoded(kind, 9 * i) for i, kind in enumerate(kinds)]
    path = tmp_path / "all.zip"
    for seed in range(COUNT):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for label in ("a", "b"):
                for i, image in enumerate(images):
                    bad = label == "a" and i == seed % len(images)
                    content = damage_bytes(image, seed) if bad and seed % 2 else image
                    archive.writestr(f"{label}/{i}.png", content)
        if seed % 2 == 0:
            path.write_bytes(damage_bytes(path.read_bytes(), seed))
        taken_or_refused(lambda: load_data(path), seed)
