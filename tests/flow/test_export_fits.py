"""Exports without a folding: what the search finds, whether it fits, and what to do where not."""

import json
import re
import shlex

import pytest

from sephw.cli import run
from sephw.export.summary import _fits
from sephw.ir import Resources
from sephw.reports.model import Source
from sephw.targets import find_device

LIGHT = ("--steps", "qonnx,report", "--data", "random")
# Frames that every small design reaches.
SLOW = ("--fps", "100")


def totals(out) -> dict[str, int]:
    report = json.loads((out / "report.json").read_text())
    return {name: total["value"] for name, total in report["totals"].items()}


def test_the_search_is_the_default_and_serves_better_than_the_fast_way(
    smallest_model, tmp_path, capsys
):
    assert run(["export", str(smallest_model), "--out", str(tmp_path / "found"), *LIGHT]) == 0
    printed = capsys.readouterr().out
    fast = ["export", str(smallest_model), "--out", str(tmp_path / "fast"), "--fold", "fast"]
    assert run([*fast, *LIGHT]) == 0
    assert (tmp_path / "found" / "folding.json").is_file()
    assert not (tmp_path / "fast" / "folding.json").exists()
    intervals = [totals(tmp_path / name)["frame_interval"] for name in ("found", "fast")]
    assert intervals[0] * 10 < intervals[1]
    assert re.search(r"^  chip      fits xc7z020: LUT [\d,]+ of 53,200, ", printed, re.MULTILINE)
    assert "folding.json" in printed


def test_the_time_limit_does_not_change_what_is_found_in_time(smallest_model, tmp_path):
    for name, seconds in (("a", "500"), ("b", "900")):
        given = ["--out", str(tmp_path / name), "--search-seconds", seconds, *LIGHT, *SLOW]
        assert run(["export", str(smallest_model), *given]) == 0
    names = ("folding.json", "graph.json", "graph.npz")
    assert all(
        (tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names
    )


def test_a_search_whose_time_is_over_keeps_what_fits_and_says_so(smallest_model, tmp_path, capsys):
    out = tmp_path / "out"
    given = ["--out", str(out), "--search-seconds", "0", "--target", "ulx3s-25f"]
    assert run(["export", str(smallest_model), *given, "--steps", "qonnx"]) == 0
    assert (
        "note: the folding search ended after 0 s with the best so far; another machine may find "
        "another one: keep folding.json, or give more --search-seconds"
    ) in capsys.readouterr().err
    assert (out / "folding.json").is_file()


@pytest.fixture(scope="module")
def refusal(model, tmp_path_factory):
    """The line of a fast folding that is too large for iCE40."""
    out = tmp_path_factory.mktemp("misfit") / "out"
    given = ["--out", str(out), "--target", "icebreaker", "--fold", "fast", *LIGHT]
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("sephw.cli.click.echo", lambda text, **_: said.append(text))
        assert run(["export", str(model), *given]) == 2
    assert not out.exists()
    return said[-1]


def test_what_does_not_fit_is_refused(refusal):
    assert re.match(
        r"sephw: error: digits, folded by --fold fast, does not fit ice40-up5k: "
        r"LUT [\d,]+ of 5,280 \([\d,]+ too many\), FF [\d,]+ of 5,280 \([\d,]+ too many\), "
        r"BRAM \d+ of 30 \(\d+ too many\), DSP 32 of 8 \(24 too many\) \[estimated\]; ",
        refusal,
    )
    assert refusal.endswith("; --allow-misfit exports it all the same")


def test_the_least_that_is_needed_is_no_more_than_a_design_has(refusal):
    """FIFOs between engines that wait for each other are small."""
    (has, least) = re.search(r"FF ([\d,]+) of .* needs at least ([\d,]+) FF, ", refusal).groups()
    assert int(least.replace(",", "")) <= int(has.replace(",", ""))


def test_the_boards_that_a_refusal_names_take_the_design(refusal, model, tmp_path, capsys):
    """As it is folded on one board, as the search folds it on another one."""
    searched = re.search(r"the nearest board that it fits is (--target [\w-]+)\)", refusal)
    as_it_is = re.search(r"; as it is folded it fits (--target [\w-]+);", refusal)
    for i, (fix, fold) in enumerate(((searched, SLOW), (as_it_is, ("--fold", "fast")))):
        out = tmp_path / str(i)
        given = ["--out", str(out), *shlex.split(fix[1]), *fold, *LIGHT]
        assert run(["export", str(model), *given, "--steps", "qonnx,report"]) == 0
        assert "  chip      fits " in capsys.readouterr().out


def test_a_misfit_is_exported_where_it_is_allowed(model, tmp_path, capsys):
    out = tmp_path / "out"
    given = ["--out", str(out), "--target", "icebreaker", "--fold", "fast", "--allow-misfit"]
    assert run(["export", str(model), *given, *LIGHT]) == 0
    printed, said = capsys.readouterr()
    assert "note: digits, folded by --fold fast, does not fit ice40-up5k: " in said
    assert re.search(r"^  chip      DOES NOT FIT ice40-up5k, [\d,]+ LUT, ", printed, re.MULTILINE)
    assert (out / "report.html").is_file()


def test_a_search_that_finds_nothing_gives_the_smallest_design_where_that_is_allowed(
    smallest_model, tmp_path, capsys
):
    given = ["--target", "icebreaker", "--fps", "300000", *LIGHT]
    assert run(["export", str(smallest_model), "--out", str(tmp_path / "no"), *given]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(
        "sephw: error: smallest at 300,000 frames/s on chip does not fit ice40-up5k: "
    )
    assert line.endswith("; --allow-misfit exports the smallest design all the same")
    assert not (tmp_path / "no").exists()
    out = tmp_path / "out"
    assert run(["export", str(smallest_model), "--out", str(out), *given, "--allow-misfit"]) == 0
    assert "  chip      DOES NOT FIT ice40-up5k, " in capsys.readouterr().out
    # It has the frame rate all the same: no engine of iCE40 is estimated to reach 75 MHz.
    assert totals(out)["frame_interval"] <= 75e6 / 300_000


def test_a_design_above_the_usual_margins_fits_tightly():
    device = find_device("ice40-up5k")
    used = Resources(lut=2_000, ff=3_312)
    said = _fits(device, Source.ESTIMATED, used, device.available)
    assert said == "fits ice40-up5k tightly, above the 3,273 FF that usually route"
    assert _fits(device, Source.ROUTED, used, device.available) == "fits ice40-up5k"


def test_a_folding_file_that_fits_is_taken(smallest_model, tmp_path):
    path = tmp_path / "folding.json"
    path.write_text(json.dumps({"frame_cycles": 4096}))
    given = ["--out", str(tmp_path / "out"), "--folding", str(path), "--target", "icebreaker"]
    assert run(["export", str(smallest_model), *given, "--steps", "qonnx"]) == 0
