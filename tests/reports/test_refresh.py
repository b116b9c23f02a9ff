"""The report of a directory, from the files in it; `sephw report`."""

import hashlib
import json
import os
import subprocess
import sys

import export_folder
import pytest
from mutations import damage_values

from sephw.cli import run
from sephw.reports import FILES, read_export, refresh


@pytest.fixture(scope="module")
def graph():
    return export_folder.small_graph()


@pytest.fixture
def export(graph, tmp_path):
    """An export that has not been synthesized."""
    return export_folder.write_export(
        tmp_path / "small",
        graph,
        manifest={**export_folder.manifest(), "files": {"graph.json": "as it was"}},
        cycles=export_folder.cycles(graph),
        verify=export_folder.verification(graph).as_dict(),
    )


def test_three_files_and_their_hashes(export):
    report = refresh(export)
    assert report.network == "small (SEPNet)" and report.resources.device.name == "ecp5-85f"
    files = json.loads((export / "manifest.json").read_text())["files"]
    assert set(files) == {"graph.json", *FILES} and files["graph.json"] == "as it was"
    for name in FILES:
        assert files[name] == hashlib.sha256((export / name).read_bytes()).hexdigest()


def test_a_later_synthesis_is_in_it(export, graph):
    refresh(export)
    assert json.loads((export / "report.json").read_text())["resources"]["routed"] is None
    (export / "synth").mkdir()
    (export / "synth" / "synth.json").write_text(json.dumps(export_folder.synthesis(graph)))
    (export / "synth" / "bitstream.bit").write_bytes(b"bits")
    (export / "synth" / "logs").mkdir()
    (export / "synth" / "logs" / "seconds.json").write_text("3")
    (export / "board" / "pins").mkdir(parents=True)
    (export / "board" / "pins" / "top.lpf").write_bytes(b"pins")
    refresh(export)
    resources = json.loads((export / "report.json").read_text())["resources"]
    assert resources["routed"]["clocks"][0]["fmax"]["value"] == 61.25
    assert resources["tools"] == {"yosys": "0.70", "nextpnr": "0.11"}
    assert resources["estimated"]["total"]["lut"]["value"] > 0
    files = json.loads((export / "manifest.json").read_text())["files"]
    assert files["synth/bitstream.bit"] == hashlib.sha256(b"bits").hexdigest()
    assert files["board/pins/top.lpf"] == hashlib.sha256(b"pins").hexdigest()
    assert "synth/synth.json" in files
    manifest = (export / "manifest.json").read_bytes()
    assert json.loads(manifest)["logs"] == "synth/logs"
    (export / "synth" / "logs" / "seconds.json").write_text("4")
    refresh(export)
    assert (export / "manifest.json").read_bytes() == manifest
    (export / "synth" / "bitstream.bit").unlink()
    refresh(export)
    assert "synth/bitstream.bit" not in (export / "manifest.json").read_text()


def test_same_files_same_bytes_in_another_process(export):
    refresh(export)
    before = {name: (export / name).read_bytes() for name in (*FILES, "manifest.json")}
    subprocess.run(
        [sys.executable, "-m", "sephw", "report", str(export)],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": "5"},
    )
    assert {name: (export / name).read_bytes() for name in before} == before


def test_verification_comes_back(export, graph):
    assert read_export(export).verification == export_folder.verification(graph)
    wrong = export_folder.verification(graph, wrong=True)
    (export / "verify.json").write_text(json.dumps(wrong.as_dict()))
    assert read_export(export).verification == wrong


def test_without_the_optional_files(graph, tmp_path):
    out = export_folder.write_export(
        tmp_path / "bare", graph, manifest=export_folder.manifest("pynq-z2")
    )
    report = refresh(out)
    assert report.timeline is None and report.verification is None
    plain = json.loads((out / "report.json").read_text())
    assert [part["what"] for part in plain["not_run"]] == [
        "cycle simulation",
        "verification",
        "synthesis",
        "place-and-route",
    ]
    assert plain["verification"] is None and plain["layers"][0]["activity"] is None


def test_command(export, capsys):
    assert run(["report", str(export)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("small (SEPNet) on ulx3s-85f (LFE5U-85F), clock 10 ns\n")
    assert printed.endswith(f"files: {export}: report.json, report.txt, report.html\n")
    assert run(["report", str(export), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((export / "report.json").read_text())


def break_manifest(export):
    (export / "manifest.json").write_text('{"format": "other"}')


def break_cycles(export):
    (export / "cycles.json").write_text('{"latency": {}}')


def break_verify(export):
    (export / "verify.json").write_text('{"layers": []}')


def break_json(export):
    (export / "cycles.json").write_text("{")


def break_kind(export):
    (export / "cycles.json").write_text("[]")


def lose_graph(export):
    (export / "graph.json").unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            break_manifest,
            "{0}: is no export (no manifest.json of sephw); give the folder that 'sephw export' "
            "made",
        ),
        (lose_graph, "{0}: holds no graph.json; export the model again"),
        (
            break_cycles,
            "cycles.json is not that of an export (KeyError: 'alone'); export the model again",
        ),
        (
            break_verify,
            "verify.json is not that of an export (KeyError: 'data'); export the model again",
        ),
        (
            break_json,
            "'{0}/cycles.json' is not JSON: line 1, column 2: Expecting property name "
            "enclosed in double quotes; export the model again",
        ),
        (break_kind, "'{0}/cycles.json' is not a JSON object; export the model again"),
    ],
)
def test_refusals(export, damage, message, capsys):
    damage(export)
    assert run(["report", str(export)]) == 2
    assert capsys.readouterr().err == f"sephw: error: {message.format(export)}\n"
    assert not (export / "report.html").exists()


@pytest.mark.parametrize(
    "name", ["manifest.json", "cycles.json", "verify.json", "graph.json", "synth/synth.json"]
)
def test_values_that_do_not_belong_into_a_file(export, graph, name, capsys):
    """Taken, or refused in one line with nothing written."""
    (export / "synth").mkdir()
    (export / "synth" / "synth.json").write_text(json.dumps(export_folder.synthesis(graph)))
    refresh(export)
    kept = {path: path.read_bytes() for path in export.rglob("*") if path.is_file()}
    content = json.loads((export / name).read_text())
    statuses = set()
    for seed in range(int(os.environ.get("SEPHW_MUTATIONS", "15"))):
        (export / name).write_text(json.dumps(damage_values(content, seed)))
        before = {path: path.read_bytes() for path in kept}
        status = run(["report", str(export)])
        err = capsys.readouterr().err
        assert status in (0, 2) and err.count("\n") == status // 2, f"seed {seed}: {err}"
        if status:
            assert {path: path.read_bytes() for path in kept} == before, f"seed {seed}"
        for path, data in kept.items():
            path.write_bytes(data)
        statuses.add(status)
    assert 2 in statuses
