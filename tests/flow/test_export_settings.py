"""Options of the export command, before anything heavy is imported."""

from pathlib import Path

import pytest

from sephw.errors import UsageError
from sephw.export.settings import STEPS, Settings, check_trace, parse_arguments, parse_steps
from sephw.targets import TARGETS, find_target

ALL_STEPS = "qonnx, hls, csim, rtl, rtlsim, cyclesim, verify, report"


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("qonnx,hls,csim,rtl,rtlsim,cyclesim,verify,report", STEPS),
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
    assert parse_steps(text) == steps


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vhdl", f"--steps: 'vhdl' is unknown; use {ALL_STEPS}"),
        (",", f"--steps: nothing to do; use {ALL_STEPS}"),
    ],
)
def test_wrong_steps(text, message):
    with pytest.raises(UsageError) as caught:
        parse_steps(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "--arguments: not JSON (Expecting property name enclosed in double quotes at "
         'column 2); give an object such as {"widths": [16, 32]}'),
        ("[1]", '--arguments: not a JSON object; give one such as {"widths": [16, 32]}'),
    ],
)  # fmt: skip
def test_wrong_arguments(text, message):
    with pytest.raises(UsageError) as caught:
        parse_arguments(text)
    assert str(caught.value) == message


def test_trace_needs_a_simulation():
    assert check_trace(True, ("qonnx", "cyclesim")) and not check_trace(False, ("qonnx",))
    with pytest.raises(UsageError) as caught:
        check_trace(True, ("qonnx", "verify"))
    assert str(caught.value) == ("--trace: nothing to trace; add rtlsim or cyclesim to --steps")


def test_arguments():
    assert parse_arguments(None) is None
    assert parse_arguments('{"widths": [16]}') == {"widths": [16]}


@pytest.mark.parametrize(
    ("file", "name"),
    [("mnist5k.pth", "mnist5k"), ("Fashion-MNIST v2.pth", "fashion_mnist_v2"),
     ("10.pth", "model_10"), ("é.pth", "model"), ("a;rm -rf.pth", "a_rm_rf")],
)  # fmt: skip
def test_name_is_an_identifier(file, name):
    assert Settings(Path(file), Path("out"), find_target("kv260")).name == name


def test_targets():
    assert find_target("pynq-z2").part == "xc7z020clg400-1"
    assert find_target("zcu104").part == "xczu7ev-ffvc1156-2-e"
    assert len({target.name for target in TARGETS}) == len(TARGETS)
    with pytest.raises(UsageError) as caught:
        find_target("vcu9")
    assert str(caught.value) == (
        "target 'vcu9' is unknown; use one of pynq-z2, zcu104, kv260, ultra96, "
        "ulx3s-85f, ulx3s-25f, orangecrab-25f, orangecrab-85f, icebreaker, tang-nano-9k"
    )
