"""`sephw synth`: what it prints, what it leaves behind, and its errors in full."""

import hashlib
import json

import numpy as np
import pytest

from sephw.cli import run


@pytest.fixture
def failing(capsys):
    """Run the command; the one line of its error."""

    def call(*arguments) -> str:
        assert run(["synth", *map(str, arguments)]) == 2
        out, err = capsys.readouterr()
        lines = [line for line in err.splitlines() if line.startswith("sephw: error: ")]
        assert out == "" and len(lines) == 1 and lines[0] == err.splitlines()[-1]
        return lines[0].removeprefix("sephw: error: ")

    return call


def hashes(folder) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


def test_a_board(tools, export, capsys):
    folder = export.folder
    (folder / "synth").mkdir()
    (folder / "synth" / "old.bit").write_text("of an earlier run")
    tools.plan(fmax=[62.5], slow="network.pattern_node_engine.sum")
    assert run(["synth", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "chain on Radiona ULX3S 25F (ECP5) (LFE5U-25F-6 CABGA381), top chain_board"
    assert lines[1:8] == [
        "  LUT              20 of  24,288    0.1%  [routed]",
        "  FF                1 of  24,288    0.0%  [routed]",
        "  BRAM              0 of      56    0.0%  [routed]",
        "  DSP               0 of      28    0.0%  [routed]",
        "  clock     clk: 62.5 MHz [routed], the board runs at 62.5 MHz",
        "  clock     clk_in: 240 MHz [routed], the board runs at 25 MHz",
        "  path      from 'pattern_node' to the logic around the engines, 3.5 ns (1.5 logic, "
        "2.0 routing, 1 nets)",
    ]
    assert lines[8].split() == [
        "engines",
        "by",
        "Yosys",
        "LUT",
        "FF",
        "BRAM",
        "DSP",
        "[synthesized]",
    ]
    assert [line.split() for line in lines[9:15]] == [
        ["image_to_lanes1", "3", "0", "0", "0"],
        ["image_window3_node", "3", "0", "0", "0"],
        ["map_node", "3", "0", "0", "0"],
        ["pattern_node", "3", "0", "0", "0"],
        ["outside", "of", "engines", "0", "1", "0", "0"],
        ["total", "12", "1", "0", "0"],
    ]
    assert lines[15].startswith("  tools     Yosys 9.9 (git sha1 0123abc), nextpnr 7.7; synthesis ")
    assert lines[16:] == [
        f"  files     {folder}/synth: synth.json, netlist.json, bitstream.bit, logs/",
        f"  next      sephw program {folder}",
    ]
    # The manifest lists what is there now, nothing else; the report knows of the bitstream.
    manifest = json.loads((folder / "manifest.json").read_text())
    now = hashes(folder)
    assert manifest["logs"] == "synth/logs"
    assert manifest["files"] == {n: now[n] for n in now if not n.startswith("synth/logs/")}
    assert not (folder / "synth" / "old.bit").exists()
    report = json.loads((folder / "report.json").read_text())
    assert report["resources"]["routed"]["bitstream"] == "bitstream.bit"
    # The testbench's images become the board's.
    assert (np.load(folder / "board/test_images.npy") == export.images).all()
    outputs = np.load(folder / "board/test_outputs.npy")
    assert (outputs == export.outputs.reshape(2, -1)).all()


def test_a_device_as_json(tools, export, capsys):
    assert run(["synth", str(export.folder), "--device", "ecp5-45f", "--json"]) == 0
    out = capsys.readouterr().out
    assert out == (export.folder / "synth" / "synth.json").read_text()
    assert json.loads(out)["device"] == "ecp5-45f"
    assert not (export.folder / "board").exists()


def test_counts_alone(tools, export, capsys):
    arguments = [str(export.folder), "--device", "ecp5-45f", "--no-route", "--jobs", "1"]
    assert run(["synth", *arguments]) == 0
    out = capsys.readouterr().out
    assert "  LUT              12 of  43,848    0.0%  [synthesized]" in out
    assert "  note      not routed: no clock, no bitstream\n" in out and "next" not in out
    assert run(["synth", str(export.folder), "--target", "pynq-z2"]) == 0
    note = "no place-and-route for this device comes from PyPI; the counts are those of Yosys"
    assert f"  note      {note}\n" in capsys.readouterr().out


def test_no_export(failing, tmp_path):
    assert failing(tmp_path) == (
        f"{tmp_path}: is no export (no manifest.json of sephw); give the folder that "
        "'sephw export' made"
    )
    assert failing(tmp_path / "none").startswith(f"{tmp_path / 'none'}: is no export (no ")


def test_an_export_without_rtl(failing, export):
    (export.rtl / "files.f").unlink()
    assert failing(export.folder) == (
        f"{export.folder}: holds no rtl/; export the model again with the step rtl"
    )


def test_an_export_whose_graph_is_damaged(failing, export):
    (export.folder / "graph.npz").write_bytes(b"PK")
    assert failing(export.folder) == (
        f"'{export.folder / 'graph.npz'}': not a readable zip (File is not a zip file); export "
        "again"
    )


def test_an_export_whose_test_images_are_damaged(failing, export):
    (export.rtl / "tb_data" / "input_0.bin").write_bytes(b"1234567")
    (export.rtl / "tb_data" / "expected_0.bin").write_bytes(b"12345678")
    assert failing(export.folder) == (
        f"{export.folder}: its test images cannot be read (ValueError); export the model again"
    )


def test_wrong_options(failing, export):
    assert failing(export.folder, "--target", "ulx3s-25f", "--device", "ecp5-25f") == (
        "--target and --device: a board has its device; give one of the two"
    )
    assert failing(export.folder, "--target", "de10").startswith(
        "target 'de10' is unknown; use one of pynq-z2, "
    )
    assert failing(export.folder, "--device", "ecp5").startswith(
        "device 'ecp5' is unknown; use one of ecp5-25f, "
    )
    assert failing(export.folder, "--clock-mhz", "20", "--no-route") == (
        "--clock-mhz: nothing is routed with --no-route; leave one of them out"
    )


def test_a_missed_clock(failing, tools, export):
    tools.plan(fmax=[61.27])
    before = hashes(export.folder)
    message = failing(export.folder, "--clock-mhz", "75", "--device", "ecp5-25f")
    assert message.startswith("ecp5-25f: timing not met: 61.2 MHz of 75 MHz; worst path ")
    assert hashes(export.folder) == before
