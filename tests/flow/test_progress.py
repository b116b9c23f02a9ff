"""Progress: plain lines, a moving line on a terminal, estimates, and no second mechanism."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import pytest

import sephw
from sephw import progress as module
from sephw.progress import Durations, Progress, _Step, span


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def durations(tmp_path: Path) -> Durations:
    return Durations(tmp_path / "none" / "durations.json")


def test_a_finished_step_is_one_line_with_its_number(durations: Durations) -> None:
    out, clock = io.StringIO(), Clock()
    progress = Progress(out, steps=3, durations=durations, clock=clock)
    with progress.step("load", "model.pth"):
        clock.now += 1.25
    progress.warn("noise images")
    with progress.step("build", "two simulations", ends=False):
        pass
    with pytest.raises(KeyError), progress.step("verify", "x"):
        raise KeyError
    assert out.getvalue() == "1/3 load     model.pth  1.2 s\nnote: noise images\n"
    assert not durations.path.exists()  # nothing was slow


def test_quiet_leaves_notes_only(durations: Durations) -> None:
    for out in (io.StringIO(), Terminal()):
        progress = Progress(out, quiet=True, durations=durations)
        with progress.step("load", "x"):
            progress.update("half (1 of 2)")
        progress.warn("said")
        assert out.getvalue() == "note: said\n"


def test_a_slow_step_tells_of_itself_while_it_runs(
    durations: Durations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(module, "_PAUSES", (0.01, 0.01))
    out = io.StringIO()
    progress = Progress(out, steps=2, about="net", durations=durations)
    with progress.step("build", "simulation"):
        progress.update("compiling")
        deadline = time.monotonic() + 5
        while out.getvalue().count("\n") < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
    *running, last = out.getvalue().splitlines()
    assert len(running) >= 4
    for line in running:
        assert line.startswith("1/2 build    simulation ...  0 s so far") and "compiling" in line
    assert re.fullmatch(r"1/2 build    simulation  \d+\.\d s", last)
    # The next run knows how long it took; one of another network does not.
    assert durations.seconds("build|simulation|net") is not None
    assert durations.seconds("build|simulation|other") is None


def test_the_estimate() -> None:
    clock = Clock()
    step = _Step("verify", None, clock)
    assert step.text() == "verify ...  0 s so far"
    step.take_note("torch (0 of 4)")
    clock.now += 10
    assert step.text() == "verify ...  10 s so far; torch (0 of 4)"
    step.take_note("qonnx (1 of 4)")
    assert step.text() == "verify ...  10 s so far, about 30 s left; qonnx (1 of 4)"
    clock.now += 50
    step.take_note("linking")  # something else: what was counted says nothing of it
    assert step.text() == "verify ...  1 min 0 s so far; linking"
    step.take_note("routing, arcs (1,000 of 2,000)")
    clock.now += 5
    step.take_note("routing, arcs (1,500 of 2,000)")
    assert step.left() == ", about 5 s left"
    again = _Step("synth", 100.0, clock)
    clock.now += 30
    again.take_note("engines (1 of 2)")
    assert again.left() == ", about 1 min 10 s left as last time"
    clock.now += 80
    assert again.left() == ", longer than last time"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (65, "1 min 5 s"), (7300, "2 h 1 min")]
)
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_a_terminal_has_a_line_that_moves(
    durations: Durations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Terminal()
    progress = Progress(out, steps=1, durations=durations)
    with progress.step("explore", "foldings"):
        progress.update("round 1")
        progress.warn("said in between")
        time.sleep(0.3)
    text = out.getvalue()
    assert "1/1 explore  foldings ...  0 s so far; round 1" in text
    assert "note: said in between\n" in text and "\x1b[?25h" in text  # the cursor is back
    assert text.rstrip("\x1b[?25hlmK\r").endswith(" s\n") or "  0.3 s" in text


def test_durations_that_cannot_be_kept_or_read(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    held = Durations(blocked / "durations.json")
    held.keep("a", 3.0)
    assert held.seconds("a") is None
    held = Durations(tmp_path / "durations.json")
    for damaged in ("{", "[]", '{"a": "b"}'):
        held.path.write_text(damaged)
        assert held.seconds("a") is None
        held.keep("b", 2.0)
        assert held.seconds("b") == 2.0


def test_there_is_one_mechanism() -> None:
    """Nobody else moves a line or has a bar of their own."""
    package = Path(sephw.__file__).parent
    found = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"rich\.(live|progress|status|spinner)|\.status\(\"", path.read_text())
    ]
    assert found == ["progress.py"]
