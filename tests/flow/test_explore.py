"""`sephw explore` on a small network, with the resource model that ships."""

import json
import re
from itertools import pairwise

import pytest

from sephw.cli import run
from sephw.explore import SynthesisResult
from sephw.ir.resources import Resources
from sephw.passes import read_folding_file
from sephw.resources import accuracy
from sephw.resources.board_top import board_top
from sephw.targets import find_device
from sephw.technologies import ECP5


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """The network exported as far as QONNX: faster to read again than the checkpoint."""
    folder = tmp_path_factory.mktemp("explore") / "digits"
    assert (
        run(["export", str(model), "--steps", "qonnx", "--fold", "fast", "--out", str(folder)]) == 0
    )
    return folder


def explore(folder, *options: str) -> list[str]:
    return ["explore", str(folder), "--device", "ecp5-25f", "--clock-mhz", "50", *options]


def test_chosen_foldings_are_printed_and_written(model, tmp_path, capsys):
    file = tmp_path / "folding.json"
    status = run(
        [
            "explore",
            str(model),
            "--target",
            "ulx3s-25f",
            "--clock-mhz",
            "50",
            "--fps",
            "3000",
            "--out",
            str(file),
        ]
    )
    printed = capsys.readouterr().out
    assert status == 0
    folding = read_folding_file(file)
    lines = printed.splitlines()
    # A line per engine of the network, with its folding.
    for name, wanted in folding.nodes.items():
        (line,) = [text for text in lines if text.startswith(f"{name} ")]
        cells = re.split(r"\s{2,}", line)
        assert cells[2:4] == [str(wanted.pe), str(wanted.simd)]
    cycles = folding.frame_cycles
    assert cycles <= 50e6 / 3000
    assert (
        f"  speed   {50e6 / cycles:,.0f} frames/s on chip [estimated]: {cycles:,} cycles/frame "
        "[simulated] at 50.0 MHz [asked for]" in printed
    )
    (over,) = [line for line in lines if "over this board's link [estimated]: UART" in line]
    # 64 bytes in, 10 outputs out, at 10 bits a byte of 1 Mbaud: the line alone allows no more.
    assert 0 < float(over.split()[0].replace(",", "")) < 1e6 / 10 / (64 + 13 + 30 + 10)
    assert sum("◀ slowest" in line for line in lines) <= 1
    assert (
        f"  next    sephw export {model} --target ulx3s-25f --folding {file} --clock-mhz 50"
    ) in lines
    reserved = board_top(find_device("ecp5-25f").technology)
    (line,) = [text for text in lines if text.startswith("reserved: board top")]
    assert line.split()[3:] == [
        f"{n:,}" for n in (reserved.lut, reserved.ff, reserved.bram, reserved.dsp)
    ]


def test_frames_asked_for_without_a_clock_are_counted_below_the_estimate(exported, capsys):
    asked = ["explore", str(exported), "--target", "ulx3s-25f", "--fps", "30000"]
    assert run(asked) == 0
    printed = capsys.readouterr().out
    assert run([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    error = accuracy(ECP5).network_fmax.median
    counted = found["fmax_mhz"] * (1 - error)
    assert found["clock_mhz"] == found["fmax_mhz"]
    assert counted * 1e6 / found["frame_cycles"] >= 30_000
    (line,) = [text for text in printed.splitlines() if "asked for: " in text]
    assert re.fullmatch(
        rf" {{10}}asked for: 30,000 frames/s on chip; {counted:.1f} MHz give [\d,]+, the "
        rf"estimated clock less {100 * error:.0f} % for its error",
        line,
    )


def test_json_of_a_pareto_set(exported, capsys):
    assert run(explore(exported, "--pareto", "--points", "4", "--json")) == 0
    content = json.loads(capsys.readouterr().out)
    points = content["pareto"]
    assert content["device"] == "ecp5-25f" and content["source"] == "estimated"
    assert content["frame_cycles"] == points[0]["frame_cycles"]
    assert 1 < len(points) <= 4
    for faster, slower in pairwise(points):
        assert faster["frame_cycles"] < slower["frame_cycles"]
        assert faster["estimated"]["lut"] > slower["estimated"]["lut"]
    names = {node["name"] for node in content["nodes"]}
    assert set(content["folding"]["nodes"]) == names


def test_a_checkpoint_and_its_export_give_the_same(model, exported, capsys):
    results = []
    for source in (model, exported):
        assert run(explore(source, "--fps", "1000", "--json")) == 0
        content = json.loads(capsys.readouterr().out)
        del content["seconds"]
        results.append(content)
    assert results[0] == results[1]


def test_finn_is_told_what_it_has_a_notion_of(exported, tmp_path, capsys):
    file = tmp_path / "finn.json"
    assert run(explore(exported, "--fps", "1000", "--finn", str(file), "--json")) == 0
    nodes = {n["name"]: n for n in json.loads(capsys.readouterr().out)["nodes"]}
    config = json.loads(file.read_text())
    assert config["Defaults"] == {}
    stem, window = nodes["stem_conv"]["folding"], nodes["stem_conv_window"]["folding"]
    assert config["MVAU_hls_0"] == {
        "PE": stem["pe"],
        "SIMD": stem["simd"],
        "ram_style": "auto",
        "resType": stem.get("multipliers", "dsp"),
    }
    assert config["ConvolutionInputGenerator_rtl_0"] == {
        "SIMD": window["simd"],
        "parallel_window": 0,
        "ram_style": "auto",
    }
    # The pattern convolutions are in four groups: their number is taken, their folding left out.
    convolutions = [n for n in nodes.values() if n["kind"] in ("conv8", "pattern_conv")]
    first = next(i for i, n in enumerate(convolutions) if n["kind"] == "pattern_conv")
    assert f"MVAU_hls_{first}" not in config
    assert f"MVAU_hls_{len(convolutions) - 1}" in config


def fake_synthesis(monkeypatch, luts, error=""):
    """Every job takes as many LUTs as the list says, in its order."""
    seen = []

    def synthesize_many(jobs, scheduler=None, **_):
        seen.append((len(jobs), scheduler))
        return [
            SynthesisResult(job.name, Resources(lut=lut), error=error)
            for job, lut in zip(jobs, luts, strict=False)
        ]

    monkeypatch.setattr("sephw.explore.exploration.synthesize_many", synthesize_many)
    return seen


def test_the_fastest_that_fits_once_synthesized_is_taken(exported, monkeypatch, capsys):
    seen = fake_synthesis(monkeypatch, [30_000, 9_000, 5_000])
    options = ("--synth", "3", "--scheduler", "tcp://host:8786")
    assert run(explore(exported, *options, "--json")) == 0
    content = json.loads(capsys.readouterr().out)
    assert seen == [(3, "tcp://host:8786")]
    assert content["frame_cycles"] == content["pareto"][1]["frame_cycles"]
    assert [one["total"]["lut"] for one in content["synthesized"]] == [30_000, 9_000, 5_000]
    assert run(explore(exported, *options)) == 0
    printed = capsys.readouterr().out
    assert re.search(r"synthesized +30,000 +0 +0 +0 +no", printed)
    assert re.search(r"synthesized +9,000 +0 +0 +0 +yes", printed)


def test_synthesis_of_which_nothing_fits(exported, monkeypatch, capsys):
    fake_synthesis(monkeypatch, [30_000, 29_000])
    assert run(explore(exported, "--synth", "2")) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "sephw: error: digits: none of 2 foldings fits ecp5-25f once synthesized; the first takes "
        "30,000 LUT of 19,430; try more with --synth, or a slower --fps"
    )


def test_synthesis_that_fails(exported, monkeypatch, capsys):
    fake_synthesis(monkeypatch, [0, 0], error="Yosys is missing")
    assert run(explore(exported, "--synth", "2")) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "sephw: error: synthesis of every folding failed; the first: Yosys is missing"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give either --target or --device; 'sephw explore --help' says more"),
        (
            ("--target", "ulx3s-25f", "--device", "ecp5-25f"),
            "give either --target or --device; 'sephw explore --help' says more",
        ),
        (
            ("--device", "ecp5-25f", "--scheduler", "tcp://host:8786"),
            "--scheduler: nothing is synthesized; add --synth K",
        ),
        (
            ("--device", "ecp5-25f"),
            "{folder}: is no export (no manifest.json of sephw); give a checkpoint, "
            "or the folder that 'sephw export' made",
        ),
    ],
)
def test_refusals(tmp_path, capsys, options, message):
    assert run(["explore", str(tmp_path), *options]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == f"sephw: error: {message.format(folder=tmp_path)}"
