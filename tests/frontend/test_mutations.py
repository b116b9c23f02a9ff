"""Mutated files are refused in one line, or read and exact; nothing else ever happens.

`python -m tests.frontend.test_mutations FIRST COUNT` does the same for many more seeds.
"""

from __future__ import annotations

import importlib
import os
import resource
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from onnx_mutations import mutated
from onnx_networks import OnnxNetwork, inception

from sephw.cli import run
from sephw.errors import SephwError
from sephw.frontend import capture_qonnx, copy_qonnx, qonnx_input_shape
from sephw.frontend.onnx_file import load_model


def classifier() -> onnx.ModelProto:
    """Every operator that files of torch's two exporters have."""
    net = OnnxNetwork(6, 6, 2)
    x = net.act("stem", net.conv("stem.conv", net.image(), 4, (3, 3)))
    x = net.act("block", net.conv("block.conv", x, 4, (3, 3), pattern=True, groups=2), x)
    x = net.max_pool("pool", net.concat("cat", x, x), 3, 2, ceil_mode=1, pads=[1] * 4)
    x = net.quant("mean", net.made(net.node("GlobalAveragePool", "gap", [x]), 8))
    target = net.constant("target", [1, -1], np.int64)
    flat = net.node("Reshape", "flat", [net.node("Dropout", "drop", [x]), target])
    turned = net.node("Transpose", "turn", [net.constant("w", np.eye(5, 8) / 4)], perm=[1, 0])
    bias = net.constant("bias", np.arange(5) / 64)
    net.made(net.node("Gemm", "head", [flat, turned, bias]), 5)
    return net.model()


def bases(folder: Path) -> list[onnx.ModelProto]:
    """What is mutated: a classifier, an Inception network, a network that ends in a map."""
    net = OnnxNetwork(5, 7, 3)
    net.conv("head", net.average_pool("pool", net.image(), 2, 1, 0), 2)
    last = OnnxNetwork(5, 7, 3)
    last.act("end", last.conv("head", last.image(), 2, (1, 3)), bits=4)
    return [classifier(), classifier(), onnx.load(inception(folder / "i.onnx")), last.model()]


def result(model: onnx.ModelProto, seed: int, folder: Path) -> str:
    """One mutated file through the reader, and qonnx where it is read: "exact", or the refusal."""
    changed = mutated(model, seed)
    path = folder / "mutated.onnx"
    content = changed if isinstance(changed, bytes) else changed.SerializeToString()
    path.write_bytes(content)
    try:
        channels, height, width = qonnx_input_shape(path)
        read = copy_qonnx(path, folder / "copy.onnx")
        again = load_model(folder / "copy.onnx")
        assert again.graph.node
        if channels * height * width > 10_000:
            return "exact (too large to run)"
        images = np.random.default_rng(seed).integers(0, 256, (2, height, width, channels))
        values = read.graph.run(images)
        found = capture_qonnx(folder / "copy.onnx", read.layers, images)
        for layer in read.layers:
            assert np.array_equal(values[layer.tensor], found[layer.tensor]), layer.module
        return "exact"
    except SephwError as error:
        text = str(error)
        # The net below the reader's own code is there, and nothing falls into it.
        assert "\n" not in text and "defect" not in text and "executor" not in text, text
        return text


@pytest.mark.parametrize("part", range(4))
def test_mutated_files(part, tmp_path):
    model = bases(tmp_path)[part]
    count = 20 if part == 2 else 60
    found = [result(model, 1000 * part + seed, tmp_path) for seed in range(count)]
    assert 0.03 < sum(text.startswith("exact") for text in found) / count < 0.6
    assert len(set(found)) > count / 4


def test_what_is_no_file(tmp_path, capsys):
    """A pipe without a writer, a device, a folder: refused at once, by what it is."""
    pipe = tmp_path / "pipe.onnx"
    os.mkfifo(pipe)
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "zero.onnx").symlink_to("/dev/zero")
    for name, what in (("pipe", "a named pipe"), ("folder", "a folder"), ("zero", "a device")):
        path = tmp_path / f"{name}.onnx"
        assert run(["export", str(path), "--out", str(tmp_path / "out")]) == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert said == f"sephw: error: {path}: is {what}, not a file; give the path of a file"
        assert not (tmp_path / "out").exists()


def test_what_does_not_fit_into_memory_is_named(tmp_path, monkeypatch):
    """numpy says how much it wanted; the line names the file."""
    path = tmp_path / "large.onnx"
    onnx.save(classifier(), path)

    def full(*args):
        raise MemoryError("Unable to allocate 119. GiB for an array with shape (4000000,)")

    reader = importlib.import_module("sephw.frontend.walk")
    monkeypatch.setattr(reader, "array_of", full)
    with pytest.raises(SephwError) as error:
        copy_qonnx(path, tmp_path / "copy.onnx")
    assert str(error.value) == (
        f"{path}: does not fit into memory (MemoryError: Unable to allocate 119. GiB for an array "
        "with shape (4000000,)); use smaller sizes or a machine with more memory"
    )
    assert not (tmp_path / "copy.onnx").exists()


def main() -> None:
    """A long sweep; prints how often each reason was given, and every failure with its seed."""
    first, count = map(int, sys.argv[1:3])
    resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))
    reasons: Counter[str] = Counter()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        models = bases(Path(name))
        for seed in range(first, first + count):
            try:
                text = result(models[seed % len(models)], seed, Path(name))
            except Exception as error:
                failed += 1
                print(f"seed {seed}: {type(error).__name__}: {str(error)[:300]}", flush=True)
                continue
            reasons[text if text.startswith("exact") else "refused"] += 1
    print(f"{count} files from seed {first}: {failed} failures, {dict(reasons)}")


if __name__ == "__main__":
    main()
