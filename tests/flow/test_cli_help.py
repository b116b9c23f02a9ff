"""Help, completion, names that were meant, and exit statuses, on every command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sephw.cli import COMMANDS, run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_every_command_has_help_quiet_and_debug(
    command: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = []
    for option in ("-h", "--help"):
        assert run([*([command] if command else []), option]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
    assert all(option in shown[0] for option in ("-q, --quiet", "--debug", "-h, --help"))


def test_statuses_are_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    run(["-h"])
    text = " ".join(capsys.readouterr().out.split())
    assert "0 done, all equal; 1 a mismatch; 2 a usage or input error, in one line; 3 a defect of "
    assert "130 and 143 ended by Ctrl-C and by SIGTERM" in text
    page = (ROOT / "docs" / "export.md").read_text()
    for status in (0, 1, 2, 3, 130, 143):
        assert f"| {status} |" in page


def test_quiet_is_quiet_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    model = str(ROOT / "models" / "mnist5k-tiny.pth")
    plain = ["explore", model, "--device", "ice40-up5k", "--fps", "20"]
    for arguments in ([*plain, "-q"], ["--quiet", *plain]):
        assert run(arguments) == 0
        shown = capsys.readouterr()
        assert shown.err == "" and "mnist5k" in shown.out
    assert run(plain) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line[:11] for line in lines] == ["1/2 load   ", "2/2 explore"]


SET = "sephw: error: --set: network 'SEPNet': "


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["exprt"], "No such command 'exprt', did you mean 'export'?; see 'sephw --help'"),
        (["zzz"], "No such command 'zzz'; see 'sephw --help'"),
        (["export", "m.pth", "--target", "icebraker"], "did you mean 'icebreaker'? use one of"),
        (["export", "m.pth", "--target", "ULX3S-85F"], "did you mean 'ulx3s-85f'? use one of"),
        (["export", "m.pth", "--steps", "sinth"], "did you mean 'synth'? use "),
        (["explore", "m.pth", "--device", "ecp5_25f"], "did you mean 'ecp5-25f'? use one of"),
        (["train", "--data", "mnist5", "--out", "a.pth"], "did you mean 'mnist5k'? names: "),
        (
            ["train", "--data", "digits", "--out", "a.pth", "--network", "SEPnet"],
            "network 'SEPnet' is unknown; did you mean 'SEPNet'? known: ",
        ),
    ],
)
def test_what_may_have_been_meant(
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.pth").touch()
    assert run(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line and line.startswith("sephw: error: ")


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("width=3,4", "argument width=3,4: it takes one whole number"),
        ("width=8.5", "argument width=8.5: it takes one whole number"),
        ("in_channels=true", "argument in_channels=True: it takes one whole number"),
        ("height=true", "argument height=True: it takes one whole number"),
        ("height=-8", "argument height=-8: it takes one whole number"),
        ("widths=16,x", "argument widths=16,x: it takes whole numbers separated by commas"),
        ("widths=[[1]]", "argument widths=[1]: it takes whole numbers separated by commas"),
        ("stem_pool=1", "argument stem_pool=1: it takes true or false"),
        (
            "transition_groups=a",
            "argument transition_groups=a: it takes one whole number or whole numbers separated by "
            "commas",
        ),
        ("classes={}", "argument classes={}: it takes one whole number"),
        ("widht=3", "it has no argument 'widht'; did you mean 'width'? it takes height, width, "),
    ],
)
def test_network_arguments_are_checked_before_anything_is_read(
    pair: str, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ["train", "--data", "no-such", "--out", str(tmp_path / "a.pth"), "--set", pair]
    assert run(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(SET + said)


@pytest.mark.parametrize("pair", ["height=0", "width=0", "height=99999999"])
def test_sizes_that_no_image_has(
    pair: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = [
        "--data",
        "digits",
        "--resize",
        "bilinear",
        "--set",
        "width=8",
        "--set",
        "height=8",
    ]
    assert run(["train", *arguments, "--out", str(tmp_path / "a.pth"), "--set", pair]) == 2
    assert capsys.readouterr().err == (
        f"sephw: error: --set {pair}: images have 1 to 16,384 pixels a side\n"
    )


@pytest.mark.parametrize(
    "pair",
    [
        "groups=0",
        "kernel_size=0",
        "stem_stride=0",
        "widths=",
        "activation_bits=0",
        "scale_bits=0",
        "classes=0",
    ],
)
def test_numbers_that_no_network_can_have(
    pair: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "a.pth"
    assert run(["train", "--data", "digits", "--out", str(out), "--set", pair]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("sephw: error: ")
    assert list(tmp_path.iterdir()) == []


BASH = """
sephw() { "$PYTHON" -m sephw "$@"; }
eval "$(_SEPHW_COMPLETE=bash_source "$PYTHON" -m sephw)"
complete -p sephw
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_the_completion_of_bash() -> None:
    """What the documented line defines, and what its function asks for."""
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(
        ["bash", "-c", BASH], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("complete ") and "_sephw_completion sephw" in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("sephw ex", {"export", "explore"}),
        ("sephw export a.pth --target ulx3s", {"ulx3s-85f", "ulx3s-25f"}),
        ("sephw explore a.pth --device ice40", {"ice40-up5k"}),
        ("sephw train --network ResNet-2", {"ResNet-20"}),
        ("sephw export --da", {"--data"}),
    ],
)
def test_completed_words(
    words: str,
    expected: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("_SEPHW_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    with pytest.raises(SystemExit):
        run([])
    found = {line.partition(",")[2] for line in capsys.readouterr().out.splitlines()}
    assert expected <= found and all(name.startswith(words.split()[-1]) for name in found)
