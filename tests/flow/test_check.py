"""`sephw check`: a table, all refusals at once, exit statuses, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import foreign_networks
import onnx
import pytest
from onnx_mutations import mutated
from onnx_networks import inception, strided

from sephw.cli import run

STATES = ["exact", "thresholds", "refused", "not reached"]


def checked(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    status = run(["check", *map(str, arguments), "-q"])
    out, err = capsys.readouterr()
    return status, out, err


def test_a_checkpoint_that_is_taken(model, capsys):
    status, out, err = checked(capsys, model)
    first, *rows = out.splitlines()
    assert (status, err) == (0, "")
    assert first == f"{model}: taken; {len(rows)} nodes: {len(rows)} exact"
    assert all(row.startswith("exact  ") for row in rows)
    names = {row.split()[-1] for row in rows}
    assert {"stem.conv", "stem.act", "classifier"} <= names


@pytest.mark.parametrize("make", [inception, strided])
def test_a_file_that_is_taken(make, tmp_path, capsys):
    path = make(tmp_path / "taken.onnx")
    status, out, err = checked(capsys, path, "--json")
    found = json.loads(out)
    assert (status, err) == (0, "")
    assert found["taken"] is True and found["refusals"] == []
    count = len(onnx.load(path).graph.node)
    assert found["counts"] == {"exact": count, "thresholds": 0, "refused": 0, "not reached": 0}


def test_the_table_of_a_refused_file(tmp_path, capsys):
    path = tmp_path / "jets.onnx"
    onnx.save(foreign_networks.jet_tagger(), path)
    status, out, err = checked(capsys, path)
    assert (status, err) == (2, "")
    assert (
        out
        == f"""{path}: refused; 8 nodes: 5 exact, 3 refused
    why     input 'x' is (1, 5)
    change  it must be (N, C, H, W) with C, H and W known: export with an example of that shape
refused  Quant    in
    why     takes the input as 6 signed bits times 0.03125
    change  pixels are 8 unsigned bits times 1/256: use signed=0, narrow=0 and these, and put \
other factors into the first layer
exact    Quant    fc1.weights
exact    MatMul   fc1
    if      Quant 'in' is changed so
exact    Relu     relu1
    if      Quant 'in' is changed so
refused  Quant    act1
    why     signed activations
    change  put a Relu before it and set signed=0
    if      Quant 'in' is changed so
exact    Quant    fc2.weights
exact    MatMul   fc2
    if      Quant 'act1' is changed so
refused  Softmax  softmax
    why     operator Softmax is not supported
    change  {supported()}
    if      Quant 'act1' is changed so
"""
    )


def supported() -> str:
    from sephw.frontend.handlers import HANDLERS

    return f"express it with {', '.join(sorted(HANDLERS))}"


def test_json_of_a_refused_file(tmp_path, capsys):
    path = tmp_path / "bits.onnx"
    onnx.save(foreign_networks.mlp_of_bits(), path)
    status, out, _ = checked(capsys, path, "--json")
    found = json.loads(out)
    assert status == 2 and list(found) == ["model", "taken", "counts", "refusals", "nodes"]
    assert found["model"] == str(path) and found["taken"] is False
    assert list(found["counts"]) == STATES
    assert sum(found["counts"].values()) == len(found["nodes"])
    for node in found["nodes"]:
        assert list(node) == [
            "label",
            "onnx_name",
            "operator",
            "state",
            "refusals",
            "waits_for",
            "assumes",
        ]
        assert node["state"] in STATES
        assert bool(node["refusals"]) == (node["state"] == "refused")
        assert all(set(refusal) == {"reason", "fix"} for refusal in node["refusals"])
        if node["state"] == "not reached":
            assert node["waits_for"]
    assert found["nodes"][1]["onnx_name"] == "/batch/Gather"
    assert found["nodes"][1]["waits_for"] == ["Shape 'shape'"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.onnx", None, "no such file; check the path"),
        ("damaged.onnx", b"\0\1\2", "not an ONNX file, or damaged"),
        ("absent.pth", None, "no such file; check the path, or train one: "),
        ("damaged.pth", b"\0\1\2", "not a PyTorch file, or damaged; fetch it again"),
    ],
)
def test_what_has_no_nodes_is_one_line(name, content, said, tmp_path, capsys):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    status, out, err = checked(capsys, path)
    assert (status, out) == (2, "") and err.count("\n") == 1
    assert err.startswith(f"sephw: error: {path}: ") and said in err


def test_a_checkpoint_of_another_stage_is_one_line(float_model, capsys):
    status, out, err = checked(capsys, float_model)
    assert (status, out) == (2, "") and err.count("\n") == 1
    assert "is in stage R, only BQ goes into hardware" in err


def test_a_whole_pickled_module_is_refused_as_ever(tmp_path, capsys):
    import torch

    path = tmp_path / "module.pth"
    torch.save(torch.nn.Linear(2, 2), path)
    status, out, err = checked(capsys, path)
    assert (status, out) == (2, "") and "holds more than tensors and plain values" in err


def test_arguments_of_a_state_dict_are_not_for_qonnx(tmp_path, capsys):
    status, _, err = checked(capsys, tmp_path / "a.onnx", "--network", "SEPNet")
    assert status == 2 and "is QONNX, which says its network itself" in err


@pytest.mark.parametrize("seed", range(40))
def test_mutated_files_end_in_a_table_or_a_line(seed, tmp_path, capsys):
    names = [name for name in dir(foreign_networks) if name in FOREIGN]
    model = getattr(foreign_networks, names[seed % len(names)])()
    changed = mutated(model, seed)
    path: Path = tmp_path / "mutated.onnx"
    path.write_bytes(changed if isinstance(changed, bytes) else changed.SerializeToString())
    status, out, err = checked(capsys, path)
    assert status == 2
    if out:
        assert err == "" and out.startswith(f"{path}: refused; ")
    else:
        assert err.startswith(f"sephw: error: {path}: ") and err.count("\n") == 1
    assert "defect" not in out + err


FOREIGN = (
    "channels_last",
    "float_mlp",
    "jet_tagger",
    "keras_image",
    "keras_series",
    "mlp_of_bits",
    "one_bit_layer",
    "speech",
)
