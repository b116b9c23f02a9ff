"""Options of the export command, before anything heavy is imported."""

from dataclasses import replace
from pathlib import Path

import pytest

from sephw.errors import UsageError
from sephw.export.settings import (
    STEPS,
    ExportSettings,
    check_search,
    check_trace,
    default_steps,
    parse_arguments,
    parse_steps,
)
from sephw.targets import TARGETS, find_target

ALL_STEPS = "qonnx, hls, csim, rtl, rtlsim, cyclesim, synth, netlist, verify, report"
VENDOR, OPEN = find_target("pynq-z2"), find_target("ulx3s-85f")


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (",".join(STEPS), STEPS),
        ("synth", ("qonnx", "rtl", "synth")),
        ("netlist", ("qonnx", "rtl", "cyclesim", "netlist", "verify")),
        ("qonnx", ("qonnx",)),
        ("report", ("qonnx", "report")),
        ("csim", ("qonnx", "hls", "csim", "verify")),
        (" verify , hls ", ("qonnx", "hls", "verify")),
        ("rtl", ("qonnx", "rtl")),
        ("cyclesim", ("qonnx", "cyclesim")),
        ("rtlsim", ("qonnx", "rtl", "rtlsim", "cyclesim", "verify")),
    ],
)
def test_steps_bring_what_they_need(text, steps):
    assert parse_steps(text, VENDOR) == steps == parse_steps(text, OPEN)


def test_usual_steps_go_to_the_bitstream_where_open_tools_can():
    simulated = ("qonnx", "hls", "csim", "rtl", "rtlsim", "cyclesim", "verify", "report")
    assert default_steps(VENDOR) == simulated
    assert set(default_steps(OPEN)) == {*simulated, "synth"}
    assert set(parse_steps("+netlist", OPEN)) == set(STEPS)
    assert set(parse_steps("+netlist", VENDOR)) == {*simulated, "netlist"}
    # Without a plus everywhere, the list is the whole list.
    assert parse_steps("qonnx", OPEN) == ("qonnx",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vhdl", f"--steps: 'vhdl' is unknown; use {ALL_STEPS}"),
        (",", f"--steps: nothing to do; use {ALL_STEPS}"),
        (
            "+synth,verify",
            f"--steps: '+synth' is unknown; did you mean 'synth'? use {ALL_STEPS}",
        ),
    ],
)
def test_wrong_steps(text, message):
    with pytest.raises(UsageError) as caught:
        parse_steps(text, OPEN)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{",
            "--arguments is not JSON: line 1, column 2: Expecting property name enclosed in "
            'double quotes; give an object such as {"widths": [16, 32]}',
        ),
        ("[1]", '--arguments: not a JSON object; give one such as {"widths": [16, 32]}'),
    ],
)
def test_wrong_arguments(text, message):
    with pytest.raises(UsageError) as caught:
        parse_arguments(text)
    assert str(caught.value) == message


def test_trace_needs_a_simulation():
    assert check_trace(True, ("qonnx", "cyclesim")) and not check_trace(False, ("qonnx",))
    with pytest.raises(UsageError) as caught:
        check_trace(True, ("qonnx", "verify"))
    assert str(caught.value) == ("--trace: nothing to trace; add rtlsim or cyclesim to --steps")


def settings(target, **further) -> ExportSettings:
    return ExportSettings(
        Path("m.pth"), Path("out"), target, steps=default_steps(target), **further
    )


def test_the_search_chooses_wherever_there_is_a_resource_model_unless_told_otherwise():
    assert settings(OPEN).searches and settings(find_target("icebreaker")).searches
    assert settings(VENDOR).searches and settings(find_target("kv260")).searches
    for target in (VENDOR, OPEN):
        assert not settings(target, folding=Path("f.json")).searches
        assert not settings(target, fold="fast").searches
    check_search(settings(VENDOR, fps=100.0))
    check_search(settings(OPEN, fps=100.0, clock_mhz=50.0))
    check_search(settings(OPEN, folding=Path("f.json"), clock_mhz=50.0))
    check_search(settings(OPEN, seeds=3, floorplan=True))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            settings(VENDOR, fps=10.0, fold="fast"),
            "--fps: no folding is searched (--fold fast decides); leave one of them out",
        ),
        (
            settings(OPEN, fps=10.0, folding=Path("f.json")),
            "--fps: no folding is searched (--folding decides); leave one of them out",
        ),
        (
            settings(OPEN, folding=Path("f.json"), fold="fast"),
            "--fold fast: --folding decides; leave one of them out",
        ),
        (
            settings(VENDOR, clock_mhz=90.0),
            "--clock-mhz: nothing is synthesized for target 'pynq-z2'; its project asks for 10 ns; "
            "leave --clock-mhz out, or add synth to --steps",
        ),
        (
            settings(VENDOR, floorplan=False),
            "--no-floorplan: nothing is placed and routed for target 'pynq-z2'; leave "
            "--no-floorplan "
            "out, or choose a board of the open flow with synth in --steps",
        ),
        (
            settings(VENDOR, floorplan=True),
            "--floorplan: nothing is placed and routed for target 'pynq-z2'; leave "
            "--floorplan out, "
            "or choose a board of the open flow with synth in --steps",
        ),
        *(
            (
                wrong,
                f"--seeds: nothing is placed and routed for target '{wrong.target.name}'; leave "
                "--seeds out, or choose a board of the open flow with synth in --steps",
            )
            for wrong in (
                settings(VENDOR, seeds=2),
                replace(settings(VENDOR, seeds=2), steps=STEPS),
                replace(settings(OPEN, seeds=2), steps=("qonnx", "report")),
            )
        ),
    ],
)
def test_wishes_that_nobody_grants(wrong, message):
    with pytest.raises(UsageError) as caught:
        check_search(wrong)
    assert str(caught.value) == message


def test_arguments():
    assert parse_arguments(None) is None
    assert parse_arguments('{"widths": [16]}') == {"widths": [16]}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("mnist5k.pth", "mnist5k"),
        ("Fashion-MNIST v2.pth", "fashion_mnist_v2"),
        ("10.pth", "model_10"),
        ("é.pth", "model"),
        ("a;rm -rf.pth", "a_rm_rf"),
    ],
)
def test_name_is_an_identifier(file, name):
    assert ExportSettings(Path(file), Path("out"), find_target("kv260")).name == name


def test_targets():
    assert find_target("pynq-z2").part == "xc7z020clg400-1"
    assert find_target("zcu104").part == "xczu7ev-ffvc1156-2-e"
    assert len({target.name for target in TARGETS}) == len(TARGETS)
    with pytest.raises(UsageError) as caught:
        find_target("vcu9")
    assert str(caught.value) == (
        "target 'vcu9' is unknown; use one of pynq-z2, zcu104, kv260, ultra96, "
        f"{', '.join(target.name for target in TARGETS[4:])}"
    )
