"""`sephw run` and `sephw program`: what a person sees, exit status, and the stand-alone driver."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest
from fake_board import BUILD, FakeBoard, write_description
from PIL import Image

from sephw import cli
from sephw.host import Accelerator, FoundPort

IMAGES = np.array([[[[5], [7]]], [[[255], [0]]]], np.uint8)
EXPECTED = np.array([[-2, -2048], [255, -2048]])


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> FakeBoard:
    """The board behind whatever port is opened."""
    found = FakeBoard()
    monkeypatch.setattr("sephw.host.accelerator.open_port", lambda name, baud: found)
    # Waiting costs the board's time only.
    monkeypatch.setattr(
        "sephw.commands.run.Accelerator", functools.partial(Accelerator, clock=found.clock)
    )
    return found


@pytest.fixture
def export(tmp_path: Path) -> Path:
    write_description(tmp_path / "board")
    np.save(tmp_path / "board" / "test_images.npy", IMAGES)
    np.save(tmp_path / "board" / "test_outputs.npy", EXPECTED)
    return tmp_path


def test_all_equal(board, export, capsys) -> None:
    assert cli.run(["run", str(export), "--port", "/dev/ttyX", "--frames", "10"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        f"tiny on /dev/ttyX (ulx3s-85f, build {BUILD:016x})",
        "  exact     2 of 2 images equal to the expected outputs",
        "  speed     1,666,667 frames/s on chip [measured] at 50 MHz: 30 cycles/frame over 10 "
        "frames",
    ]
    assert lines[3].endswith(
        " frames/s over this board's link [measured]: UART at 1,000,000 baud, no request sent again"
    )
    assert lines[4:] == [
        "  latency   69 cycles [measured]: a frame alone, first beat in to last beat out"
    ]


def test_a_difference_is_named(board, export, capsys) -> None:
    np.save(export / "board" / "test_outputs.npy", EXPECTED + np.array([[0, 0], [0, 1]]))
    assert cli.run(["run", str(export), "--port", "/dev/ttyX", "--frames", "10"]) == 1
    shown = capsys.readouterr()
    assert "1 of 2 images equal" in shown.out
    assert shown.err.splitlines()[1:] == [
        "sephw: mismatch: 'tiny' on /dev/ttyX: image 1, output 1: -2048, expected -2047"
    ]
    assert shown.err.startswith("1/1 run      2 images on /dev/ttyX  ")


def test_own_images_saved_as_json(board, export, tmp_path, capsys) -> None:
    np.save(tmp_path / "own.npy", IMAGES[::-1])
    arguments = ["--port", "/dev/ttyX", "--images", str(tmp_path / "own.npy"), "--json"]
    assert cli.run(["run", str(export), *arguments, "--out", str(tmp_path / "o.npy")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert np.load(tmp_path / "o.npy").tolist() == EXPECTED[::-1].tolist()
    assert (found["images"], found["differing"], found["classes"]) == (2, None, [0, 0])
    assert (found["interval_cycles"], found["alone_last_output_cycles"]) == (30, 69)
    assert found["source"] == "measured"
    assert (found["class_names"], found["image_names"]) == (None, ["image 0", "image 1"])
    assert found["build_id"] == f"{BUILD:016x}"


PLUG = "plug the board in, name a port with --port, or simulate the board with --port sim"


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        ([], f"no serial port at USB; {PLUG}"),
        (
            [FoundPort("/dev/ttyS0", "n/a", False)],
            f"no serial port at USB (others: /dev/ttyS0); {PLUG}",
        ),
        (
            [FoundPort("/dev/ttyA", "FT231X"), FoundPort("/dev/ttyB", "CDC")],
            "serial ports at USB: /dev/ttyA (FT231X), /dev/ttyB (CDC); name one with --port",
        ),
    ],
)
def test_no_single_port(board, export, monkeypatch, capsys, ports, message) -> None:
    """Said at once: nothing is sent, nothing waited for."""
    monkeypatch.setattr("sephw.commands.run.find_ports", lambda: ports)
    assert cli.run(["run", str(export)]) == 2
    assert capsys.readouterr().err == f"sephw: error: {message}\n"
    assert not board.sent and board.seconds == 0


def test_the_only_port_at_usb_is_taken(board, export, monkeypatch, capsys) -> None:
    ports = [FoundPort("/dev/ttyA", ""), FoundPort("/dev/ttyS0", "n/a", False)]
    monkeypatch.setattr("sephw.commands.run.find_ports", lambda: ports)
    assert cli.run(["run", str(export)]) == 0
    assert capsys.readouterr().out.startswith("tiny on /dev/ttyA ")


def picture(path: Path, *pixels: int, mode: str = "L") -> None:
    """Two pixels in a row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new(mode, (len(pixels), 1))
    image.putdata([value if mode == "L" else (value,) * 3 for value in pixels])
    image.save(path)


def test_pictures_and_class_names(board, export, tmp_path, capsys) -> None:
    """PNG, a folder of CLASS/FILE, and what is said of them; colour becomes the grey it holds."""
    write_description(tmp_path / "board", image_shape=[1, 2, 1], class_names=["cat", "dog"])
    same = ["run", str(tmp_path), "--port", "/dev/ttyX", "--frames", "10", "--images"]
    picture(tmp_path / "one.png", 9, 5)
    assert cli.run([*same, str(tmp_path / "one.png"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["class_names"], found["image_names"]) == (["cat"], ["one.png"])
    assert bytes([9, 5]) in board.sent[-1]
    picture(tmp_path / "pets" / "cat" / "a.png", 7, 6, mode="RGB")
    picture(tmp_path / "pets" / "dog" / "b.bmp", 0, 255)
    picture(tmp_path / "pets" / "c.png", 3, 200)
    assert cli.run([*same, str(tmp_path / "pets")]) == 0
    shown = capsys.readouterr()
    start = shown.out.index("  classes")
    assert shown.out[start:].splitlines()[:4] == [
        "  classes   1 of 2 as their folders say",
        "            c.png: cat",
        "            cat/a.png: cat",
        "            dog/b.bmp: cat",
    ]
    assert shown.err.startswith("note: 1 of 3 images are in colour: converted to grey (")
    assert "3 images on /dev/ttyX" in shown.err


def test_pictures_of_another_size(board, tmp_path, capsys) -> None:
    run = ["run", str(tmp_path), "--port", "/dev/ttyX", "--frames", "10"]
    picture(tmp_path / "one.png", 9, 9, 5, 5)
    with_images = [*run, "--images", str(tmp_path / "one.png")]
    write_description(tmp_path / "board")
    assert _error(capsys, *with_images) == (
        f"sephw: error: '{tmp_path}/one.png' is of size 1x4, not 1x2; bring it to that size, or "
        "train with --resize bilinear or pad"
    )
    write_description(tmp_path / "board", resize="bilinear")
    assert cli.run(with_images) == 0
    assert "1 images on /dev/ttyX" in capsys.readouterr().err
    assert board.sent[-1][-2] > board.sent[-1][-1]
    write_description(tmp_path / "board", resize="stretch")
    assert "is no accelerator.json of this version" in _error(capsys, *run)
    write_description(tmp_path / "board", class_names=["a", "b", "c"])
    assert "is no accelerator.json of this version" in _error(capsys, *run)
    (tmp_path / "none").mkdir()
    write_description(tmp_path / "board")
    assert _error(capsys, *run, "--images", "no.png").endswith(
        "'no.png': no such file or folder; check the path"
    )
    assert "holds no pictures; their names end in .png" in _error(
        capsys, *run, "--images", str(tmp_path / "none")
    )


def _error(capsys, *arguments: str) -> str:
    assert cli.run(list(arguments)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    return shown.err.strip()


def test_errors_are_one_line(board, export, tmp_path, capsys) -> None:
    run = ("run", str(export), "--port", "/dev/ttyX")
    board.change = lambda body: b""
    assert _error(capsys, *run).startswith(
        "sephw: error: port '/dev/ttyX': no answer to 8 requests at 1000000 baud; check"
    )
    assert _error(capsys, *run, "--baud", "9600").startswith(
        "sephw: error: port '/dev/ttyX': no answer to 8 requests at 9600 baud; check"
    )
    wrong = tmp_path / "wrong.npy"
    wrong.write_bytes(b"zip?")
    assert "wrong.npy': cannot be read (ValueError: EOF: reading magic string" in (
        _error(capsys, *_answering(board, run), "--images", str(wrong))
    )
    np.save(wrong, IMAGES[0])
    assert _error(capsys, *run, "--images", str(wrong)).endswith(
        "wrong.npy' holds uint8 (1, 2, 1); 'tiny' takes uint8 (N, 1, 2, 1)"
    )
    (export / "board" / "test_images.npy").unlink()
    assert "test_images.npy': no such file; check the path" in _error(capsys, *run)
    np.save(export / "board" / "test_images.npy", IMAGES[:1])
    assert _error(capsys, *run).endswith(
        "test_outputs.npy' holds int64 (2, 2), expected int64 (1, 2); export the model again"
    )
    assert "give the directory of an export for an open board" in _error(capsys, "run", "/none")


def _answering(board: FakeBoard, run: tuple[str, ...]) -> tuple[str, ...]:
    board.change = FakeBoard().change
    return run


def test_program(export, monkeypatch, capsys) -> None:
    calls = []
    monkeypatch.setattr(
        "sephw.commands.program.load_bitstream",
        lambda file, cable, **how: (
            calls.append((file, cable, how)) or ("FPGA", "flash")[how["flash"]]
        ),
    )
    bitstream = export / "bitstream.bit"
    bitstream.write_bytes(b"1")
    assert cli.run(["program", str(export)]) == 0
    assert capsys.readouterr().out == "tiny: bitstream.bit is in the FPGA of ulx3s-85f\n"
    assert cli.run(["program", str(export), "--flash", "--bitstream", "other.bit"]) == 0
    assert capsys.readouterr().out == "tiny: other.bit is in the flash of ulx3s-85f\n"
    purpose = "programming 'tiny'"
    assert calls == [
        (bitstream, "ulx3s", {"flash": False, "purpose": purpose}),
        (Path("other.bit"), "ulx3s", {"flash": True, "purpose": purpose}),
    ]


def test_program_without_a_bitstream(export, capsys) -> None:
    assert _error(capsys, "program", str(export)).startswith(
        f"sephw: error: '{export}' holds no bitstream"
    )


LIGHT = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top not in sys.stdlib_module_names and top not in {allowed}:
            raise ImportError(f"{{name}} is not for a small host")

sys.meta_path.insert(0, Refuse())
"""


def _python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def test_the_driver_needs_numpy_and_pyserial_only() -> None:
    code = LIGHT.format(allowed={"sephw", "numpy", "serial"}) + textwrap.dedent(
        """
        import sephw.host
        sephw.host.find_ports()
        heavy = {"torch", "onnx", "hls4ml", "sephw.ir", "sephw.backends", "sephw.targets"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
        """
    )
    done = _python(code)
    assert done.returncode == 0, done.stderr


def test_the_driver_of_an_export_runs_alone(export) -> None:
    from sephw.backends.board.driver import DRIVER, write_driver

    write_driver(export / "board")
    first = (export / "board" / DRIVER).read_bytes()
    write_driver(export / "board")
    assert (export / "board" / DRIVER).read_bytes() == first
    names = zipfile.ZipFile(export / "board" / DRIVER).namelist()
    assert "sephw/host/accelerator.py" in names
    assert not [name for name in names if "ops" in name or "train" in name]
    # The package beside these tests must not be found.
    code = LIGHT.format(
        allowed={"sephw", "numpy", "serial", "click", "__main__"}
    ) + textwrap.dedent(
        """
        import runpy
        driver = sys.argv.pop(1)
        runpy.run_path(driver, run_name="__main__")
        """
    )
    driver = str(export / "board" / DRIVER)
    done = _python(code, driver, "run", str(export), "--port", "/dev/tty-none")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(
        "sephw: error: port '/dev/tty-none': there is no such port; serial ports here: "
    )
    done = _python(code, driver, "run", str(export), "--port", "sim")
    assert (done.returncode, done.stderr) == (
        2,
        "sephw: error: --port sim: this driver alone cannot simulate; use the whole "
        "package's 'sephw run', or name a serial port\n",
    )
    done = _python(code, driver, "--help")
    assert "program" in done.stdout
    assert "train" not in done.stdout
    where = _python(
        "import sys; sys.path.insert(0, sys.argv[1]); import sephw.host; "
        "print(sephw.host.__file__)",
        driver,
    )
    assert where.stdout.strip() == f"{driver}/sephw/host/__init__.py"
