"""Export to an open board: folding search, bitstream, driver, and the netlist among the equals."""

import json
import math
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from sephw.cli import run
from sephw.host.description import read_description
from sephw.synth import CriticalPath

TARGET = "ulx3s-25f"


@pytest.fixture(scope="module")
def exported(smallest_model, tmp_path_factory) -> Path:
    """The whole flow, the netlist included."""
    out = tmp_path_factory.mktemp("board") / "out"
    arguments = ["--target", TARGET, "--steps", "+netlist", "--samples", "4", "--fps", "500"]
    assert run(["export", str(smallest_model), "--out", str(out), *arguments]) == 0
    return out


def test_everything_is_equal_down_to_the_netlist(exported):
    verified = json.loads((exported / "verify.json").read_text())
    assert verified["exact"]
    assert verified["representations"] == [
        "torch",
        "qonnx",
        "integer",
        "csim",
        "rtlsim",
        "netlist",
        "cyclesim",
    ]
    by_kind = {}
    for row in verified["layers"]:
        by_kind.setdefault(row["representation"], []).append(row)
    # Every stream, the values and the cycle of every beat.
    streams = {row["name"] for row in by_kind["rtlsim"]}
    assert {row["name"] for row in by_kind["netlist"]} == streams
    assert {row["name"] for row in by_kind["netlist-cycles"]} == {
        row["name"] for row in by_kind["rtlsim-cycles"]
    }
    assert sum(row["elements"] for row in by_kind["netlist"]) > 1000
    assert all(row["mismatches"] == 0 for row in verified["layers"])


def test_bitstream_driver_and_folding_are_there(exported):
    record = json.loads((exported / "synth" / "synth.json").read_text())
    assert record["routed"]["timing_met"]
    reached = record["routed"]["network_mhz"]
    assert 0.95 * reached < record["clock_mhz"] <= reached
    assert read_description(exported).bitstream().stat().st_size > 10_000
    assert (exported / "board" / "driver.pyz").is_file()
    folding = json.loads((exported / "folding.json").read_text())
    graph = json.loads((exported / "graph.json").read_text())
    for node in graph["nodes"]:
        if node["name"] in folding["nodes"]:
            wanted = folding["nodes"][node["name"]]
            assert {key: node["folding"][key] for key in wanted} == wanted


def test_the_report_has_the_figures_of_the_tools(exported):
    report = json.loads((exported / "report.json").read_text())
    record = json.loads((exported / "synth" / "synth.json").read_text())
    text = json.dumps(report)
    assert str(record["routed"]["used"]["lut"]) in text
    engines = {layer["name"]: layer["synthesized"] for layer in report["layers"]}
    for name, counts in record["synthesized"]["engines"].items():
        assert engines[name]["lut"]["value"] == counts["lut"]


def test_the_board_is_told_the_classes(exported):
    described = json.loads((exported / "board" / "accelerator.json").read_text())
    assert described["class_names"] == list("0123456789") and described["resize"] == "none"
    assert json.loads((exported / "manifest.json").read_text())["model"]["resize"] == "none"


def test_a_missed_clock_keeps_everything_else(smallest_model, exported, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = [
        "--target",
        TARGET,
        "--folding",
        str(exported / "folding.json"),
        "--clock-mhz",
        "390",
        "--steps",
        "synth,report",
        "--data",
        "random",
        "--samples",
        "1",
    ]
    capsys.readouterr()
    assert run(["export", str(smallest_model), "--out", str(out), *arguments]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("sephw: error: ecp5-25f: timing not met: ")
    assert line.endswith(f"; all but the bitstream is in {out}")
    assert (out / "report.html").is_file() and (out / "manifest.json").is_file()
    assert not (out / "synth").exists() and not (out / "board").exists()


def test_fewer_frames_than_asked_for_keep_the_bitstream(
    smallest_model, exported, tmp_path, capsys, monkeypatch
):
    """Routing that reaches 20 MHz where the search estimated more."""
    asked = []

    def slow_flow(graph, project, request, out, **_):
        asked.append(request)
        shutil.copytree(exported / "synth", out)
        shutil.copytree(exported / "board", out.parent / "board")
        path = CriticalPath("clk", "conv", "conv", 50.0, 20.0, 30.0, 4, "a", "b")
        return SimpleNamespace(clock_mhz=20.0, routed=SimpleNamespace(worst_path=path))

    monkeypatch.setattr("sephw.synth.run_flow", slow_flow)
    out = tmp_path / "out"
    arguments = [
        "--target",
        TARGET,
        "--steps",
        "synth,report",
        "--data",
        "random",
        "--samples",
        "1",
        "--fps",
        "12345.5",
        "--seeds",
        "3",
        "--floorplan",
    ]
    capsys.readouterr()
    assert run(["export", str(smallest_model), "--out", str(out), *arguments]) == 2
    cycles = json.loads((out / "folding.json").read_text())["frame_cycles"]
    line = capsys.readouterr().err.splitlines()[-1]
    assert line == (
        f"sephw: error: ulx3s-25f: {20_000_000 // cycles:,} of 12,345.5 frames/s on chip: "
        f"{cycles:,} cycles a frame at 20 MHz, the board's clock; worst path in 'conv', 50.0 ns "
        f"(20.0 logic, 30.0 routing, 4 nets); everything is in {out}, and the bitstream runs at "
        f"that rate; ask for --fps {math.ceil(12345.5**2 * cycles / 20e6)} to have the search "
        f"leave more room, or route it again: sephw synth {out} --target ulx3s-25f --floorplan "
        "--seeds 6"
    )
    # Routing was told to aim at what the frames take.
    (request,) = asked
    assert request.least_mhz == 12345.5 * cycles / 1e6
    assert request.seeds == 3 and request.floorplan
    assert (out / "report.html").is_file() and read_description(out).bitstream().is_file()
