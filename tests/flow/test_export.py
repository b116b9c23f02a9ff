"""The export command on a small network: files, equality, determinism, exit status."""

import json
import shutil
import signal
import subprocess
import sys
import time

import pytest

from sephw.cli import run
from sephw.export import pipeline
from sephw.files.listing import file_hashes

LIGHT = "qonnx,verify,report"
# What the search chooses is wide, and takes long to compile.
FAST = ("--fold", "fast")


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """A whole export, and what it printed."""
    out = tmp_path_factory.mktemp("export") / "first"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sephw.export",
            str(model),
            "--out",
            str(out),
            "--samples",
            "3",
            *FAST,
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return out, done


def test_files(exported):
    out, _ = exported
    assert {p.name for p in out.iterdir()} == {
        "model.onnx",
        "graph.json",
        "graph.npz",
        "hls",
        "rtl",
        "amd",
        "cycles.json",
        "verify.json",
        "report.json",
        "report.txt",
        "report.html",
        "manifest.json",
    }
    assert [p.name for p in out.parent.iterdir()] == ["first"]


def test_everything_is_equal(exported):
    found = json.loads((exported[0] / "verify.json").read_text())
    assert found["exact"] is True and found["samples"] == 3 + 4
    assert found["representations"] == [
        "torch",
        "qonnx",
        "integer",
        "csim",
        "rtlsim",
        "cyclesim",
    ]
    assert found["sample_names"][3:] == ["all 0", "all 255", "random", "random 0 or 255"]
    assert all(row["mismatches"] == 0 and row["elements"] for row in found["layers"])
    logits = [row for row in found["layers"] if row["name"] == "logits"]
    assert all(row["elements"] == 7 * 10 for row in logits)
    assert [row["representation"] for row in logits] == [
        "qonnx",
        "integer",
        "csim",
        "rtlsim",
        "rtlsim-cycles",
    ]
    # every engine's output is compared, hardware streams between reference and simulations
    nodes = json.loads((exported[0] / "graph.json").read_text())["nodes"]
    made = {name for node in nodes for name in node["outputs"]}
    rows = found["layers"]
    assert {row["name"] for row in rows if row["representation"] == "rtlsim"} == made
    timed = {row["name"]: row for row in rows if row["representation"] == "rtlsim-cycles"}
    assert set(timed) == made | {"input"}
    assert all(row["against"] == "cyclesim" for row in timed.values())
    assert timed["input"]["elements"] == 7 * 64


def test_summary(exported, model):
    lines = exported[1].stdout.splitlines()
    assert lines[0] == f"{model.name} (SEPNet, stage BQ)"
    assert lines[1].startswith("  exact     yes: ") and "7 images" in lines[1]
    assert "same class as torch on 7 of 7 images" in lines[2]
    assert lines[-1] == (f"  next      what synthesis makes of it: sephw synth {exported[0]}")
    # A step that takes long has several lines.
    steps = dict.fromkeys(tuple(line.split()[:2]) for line in exported[1].stderr.splitlines())
    names = ["load", "qonnx", "hls", "rtl", "build", "cyclesim", "verify", "report"]
    assert list(steps) == [(f"{k}/8", name) for k, name in enumerate(names, 1)]


def test_manifest(exported):
    manifest = json.loads((exported[0] / "manifest.json").read_text())
    hashes = file_hashes(exported[0])
    del hashes["manifest.json"]
    assert manifest["files"] == hashes
    assert manifest["exact"] is True
    assert manifest["model"]["file"] == "digits.pth" and manifest["model"]["stage"] == "BQ"
    assert manifest["options"]["part"] == "xc7z020clg400-1"
    assert set(manifest["versions"]) >= {"sephw", "torch", "brevitas", "qonnx", "hls4ml"}


def test_no_machine_paths(exported, model):
    needles = [str(exported[0].parent).encode(), str(model.parent).encode(), b"site-packages"]
    for path in exported[0].rglob("*"):
        if path.is_file():
            assert not any(needle in path.read_bytes() for needle in needles), path.name


def test_same_input_same_bytes(exported, model, tmp_path):
    out = tmp_path / "b" / "second"
    status = run(["export", str(model), "--out", str(out), "--samples", "3", *FAST])
    assert status == 0
    assert file_hashes(tmp_path / "b" / "second") == file_hashes(exported[0])


def test_report_counts_what_training_counts(exported, model):
    import torch

    from sephw.nn import SEPNet
    from sephw.train.evaluate import model_bytes, parameter_counts

    totals = json.loads((exported[0] / "report.json").read_text())["totals"]
    patterns, others = parameter_counts(SEPNet(**torch.load(model, weights_only=True)["arguments"]))
    assert totals["parameters"]["value"] == patterns + others
    assert totals["pattern_weights"]["value"] == patterns
    expected = model_bytes(patterns, others)
    for stage in ("R", "B", "BQ"):
        assert totals[f"model_bytes_{stage.lower()}"]["value"] == expected[stage]


def test_report_is_the_same_when_written_again(exported, tmp_path, capsys):
    again = tmp_path / "again"
    shutil.copytree(exported[0], again)
    for name in ("report.json", "report.txt", "report.html"):
        (again / name).unlink()
    assert run(["report", str(again)]) == 0
    assert "exact:      yes" in capsys.readouterr().out
    assert file_hashes(again) == file_hashes(exported[0])


@pytest.mark.parametrize("representation", ["torch", "qonnx", "integer", "csim"])
def test_one_wrong_integer_is_status_1(representation, model, tmp_path, monkeypatch, capsys):
    real = pipeline.representations
    tensor = "stages_0_0_prb1_act"

    def corrupted(*arguments):
        runs = real(*arguments)
        # A copy of the integer reference stands for the C-simulation, which takes long to build.
        runs["csim"] = runs["integer"]
        original = runs[representation]

        def wrong(images):
            values = {name: value.copy() for name, value in original(images).items()}
            values[tensor][1, 2, 3, 4] += 1
            return values

        runs[representation] = wrong
        return runs

    monkeypatch.setattr(pipeline, "representations", corrupted)
    out = tmp_path / "out"
    arguments = ["--out", str(out), "--samples", "2", "--steps", LIGHT, "--data", "random", *FAST]
    assert run(["export", str(model), *arguments]) == 1
    captured = capsys.readouterr()
    named = "qonnx" if representation == "torch" else representation
    line = captured.err.splitlines()[-1]
    assert line.startswith(
        f"sephw: mismatch: layer 'stages.0.0.prb1.act' (tensor '{tensor}'), {named} against "
        "torch: sample 1 (noise 1), row 2, column 3, channel 4 is "
    )
    assert line.endswith("(1 of 3072 elements differ); all in verify.json")
    assert "  exact     NO: " in captured.out
    found = json.loads((out / "verify.json").read_text())
    assert found["exact"] is False
    failing = {row["representation"] for row in found["layers"] if row["mismatches"]}
    assert failing == ({"qonnx", "integer", "csim"} if representation == "torch" else {named})
    assert json.loads((out / "manifest.json").read_text())["exact"] is False


def test_one_wrong_pattern_bit_in_the_project(model, tmp_path, monkeypatch, capsys):
    real = pipeline.compile_project

    def corrupted(directory):
        (table,) = (directory / "firmware" / "weights").glob("stages_0_0_prb1_pattern*.txt")
        bits = table.read_text().replace(" ", "").strip().split(",")
        bits[20] = str(1 - int(bits[20]))
        table.write_text(",".join(bits))
        return real(directory)

    monkeypatch.setattr(pipeline, "compile_project", corrupted)
    out = tmp_path / "out"
    arguments = ["--out", str(out), "--samples", "1", "--steps", "csim", *FAST]
    assert run(["export", str(model), *arguments]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(
        "sephw: mismatch: layer 'stages.0.0.prb1.pattern' (tensor 'stages_0_0_prb1_pattern'), "
        "csim against torch: sample 0 (test image "
    )


def rtl_mismatch(model, tmp_path, monkeypatch, capsys, corrupt):
    """Status line of an export whose SystemVerilog project is changed before it is built."""
    real = pipeline.rtl.compile_project

    def corrupted(directory, **options):
        corrupt(directory)
        return real(directory, **options)

    monkeypatch.setattr(pipeline.rtl, "compile_project", corrupted)
    arguments = ["--out", str(tmp_path / "out"), "--samples", "1", "--steps", "rtlsim", *FAST]
    assert run(["export", str(model), *arguments]) == 1
    return capsys.readouterr().err.splitlines()[-1]


def test_one_wrong_pattern_bit_in_rtl(model, tmp_path, monkeypatch, capsys):
    def corrupt(directory):
        (memory,) = directory.glob("stages_0_0_prb1_pattern_engine_patterns.mem")
        rows = memory.read_text().splitlines()
        rows[3] = f"{int(rows[3], 16) ^ 1:0{len(rows[3])}x}"
        memory.write_text("\n".join(rows) + "\n")

    line = rtl_mismatch(model, tmp_path, monkeypatch, capsys, corrupt)
    assert line.startswith(
        "sephw: mismatch: layer 'stages.0.0.prb1.pattern' (tensor 'stages_0_0_prb1_pattern'), "
        "rtlsim against torch: sample 0 (test image "
    )


def test_one_other_fifo_depth_in_rtl(model, tmp_path, monkeypatch, capsys):
    def corrupt(directory):
        top = directory / "digits_top.sv"
        before, name, after = top.read_text().partition(") stem_conv_engine (")
        head, depth, rest = before.rpartition(".FIFO_DEPTH_0(")
        assert depth and name
        top.write_text(f"{head}{depth}9{rest}{name}{after}")

    line = rtl_mismatch(model, tmp_path, monkeypatch, capsys, corrupt)
    # values stay equal: only the cycles tell
    assert ", rtlsim-cycles against cyclesim: sample " in line and " moves in cycle " in line
    assert line.endswith(" beats differ); all in verify.json")


def test_trace(model, tmp_path):
    out = tmp_path / "out"
    arguments = ["--samples", "1", "--steps", "cyclesim", "--trace", "--data", "random", *FAST]
    assert run(["export", str(model), "--out", str(out), *arguments]) == 0
    events = json.loads((out / "trace.json").read_text())["traceEvents"]
    assert {"stem_conv", "stages_0_0_prb1_pattern"} <= {
        event["args"]["name"] for event in events if event["name"] == "thread_name"
    }
    found = json.loads((out / "cycles.json").read_text())
    assert found["frames"] == 4 and found["frame_interval_cycles"] > 0
    pattern = found["engines"]["stages_0_0_prb1_pattern"]
    assert 0 < pattern["utilization"] <= 1
    assert all(f["most_reserved"] <= f["depth"] for f in found["fifos"].values())


def test_steps_target_folding_and_json(model, tmp_path, capsys):
    folding = tmp_path / "folding.json"
    folding.write_text(
        json.dumps(
            {"frame_cycles": 4096, "nodes": {"stages_0_0_prb1_pattern": {"pe": 2, "simd": 2}}}
        )
    )
    out = tmp_path / "out"
    status = run(
        [
            "export",
            str(model),
            "--out",
            str(out),
            "--steps",
            "report",
            "--target",
            "zcu104",
            "--folding",
            str(folding),
            "--json",
        ]
    )
    assert status == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((out / "report.json").read_text())
    assert (printed["part"], printed["clock_ns"]) == ("xczu7ev-ffvc1156-2-e", 5.0)
    layer = next(x for x in printed["layers"] if x["name"] == "stages_0_0_prb1_pattern")
    assert layer["folding"] == {
        "family": "select",
        "digit_bits": 0,
        "pe": 2,
        "simd": 2,
    }
    assert printed["totals"]["frame_interval"]["value"] <= 9216
    assert not (out / "hls").exists() and not (out / "verify.json").exists()
    assert json.loads((out / "manifest.json").read_text())["exact"] is None


def test_bare_state_dict(model, tmp_path, capsys):
    import torch

    content = torch.load(model, weights_only=True)
    bare = tmp_path / "bare.pth"
    torch.save(content["state_dict"], bare)
    status = run(
        [
            "export",
            str(bare),
            "--out",
            str(tmp_path / "out"),
            "--steps",
            "verify",
            "--data",
            "random",
            "--samples",
            "1",
            "--network",
            "SEPNet",
            "--arguments",
            json.dumps(content["arguments"]),
            *FAST,
        ]
    )
    assert status == 0
    assert "exact     yes" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_export_leaves_nothing(number, status, model, tmp_path):
    command = [
        sys.executable,
        "-m",
        "sephw.export",
        str(model),
        "--out",
        str(tmp_path / "a" / "b"),
        *FAST,
    ]
    # A suite that runs in the background ignores the interrupt; what it starts must not.
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("a/.b.*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == status, err
    assert out == "" and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["python3.12", "python3.13", "python3.14"])
def test_another_python_makes_the_same_bytes(name, smallest_model, tmp_path):
    """Where one with the packages is found."""
    program = shutil.which(name)
    needs = "import torch, brevitas, qonnx, hls4ml, scipy, numba"
    if program is None or subprocess.run([program, "-c", needs], capture_output=True).returncode:
        pytest.skip(f"no {name} with the packages")
    for made, python in (("own", sys.executable), ("other", program)):
        words = ["--out", made, "--steps", "rtl", "--data", "random", "--samples", "2"]
        subprocess.run(
            [python, "-m", "sephw.export", smallest_model, *words],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )
    own, other = (file_hashes(tmp_path / made) for made in ("own", "other"))
    # The manifest says which Python it was.
    assert {**own, "manifest.json": ""} == {**other, "manifest.json": ""}
