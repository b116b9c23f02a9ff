"""Ports that cannot be opened: one line each, saying which of the reasons it is."""

from __future__ import annotations

import errno
import os
import pty

import pytest
import serial

from sephw.host import PortError, find_ports, open_port


@pytest.fixture
def terminal():
    """Name of a pseudo-terminal that a port can be opened on."""
    master, slave = pty.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_a_real_port_opens_and_passes_bytes(terminal) -> None:
    port = open_port(terminal, 115200)
    port.timeout = 5.0
    assert port.write(b"\x7e") == 1


def test_missing(monkeypatch) -> None:
    monkeypatch.setattr("sephw.host.port.find_ports", list)
    with pytest.raises(PortError) as caught:
        open_port("/dev/tty-none", 115200)
    assert str(caught.value) == (
        "port '/dev/tty-none': there is no such port; serial ports here: none"
    )


def test_busy(terminal) -> None:
    first = open_port(terminal, 115200)
    with pytest.raises(PortError) as caught:
        open_port(terminal, 115200)
    assert str(caught.value) == (
        f"port '{terminal}': it is in use by another program; close that one"
    )
    del first


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            serial.SerialException(errno.EACCES, "could not open port: Permission denied"),
            "no permission to open it; join the group that owns it (often 'dialout')",
        ),
        (
            serial.SerialException(errno.EBUSY, "could not open port: Device or resource busy"),
            "it is in use by another program; close that one",
        ),
        (
            serial.SerialException(errno.ENXIO, "could not open port"),
            "there is no such port; serial ports here: none",
        ),
        (ValueError("invalid URL"), "it cannot be opened (invalid URL)"),
        (
            OSError(errno.EIO, "Input/output error"),
            "it cannot be opened ([Errno 5] Input/output error)",
        ),
    ],
)
def test_every_reason_has_its_line(monkeypatch, error, message) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    monkeypatch.setattr("sephw.host.port.find_ports", list)
    with pytest.raises(PortError) as caught:
        open_port("/dev/ttyUSB9", 115200)
    assert str(caught.value) == f"port '/dev/ttyUSB9': {message}"


def test_an_unknown_scheme(monkeypatch) -> None:
    with pytest.raises(PortError, match=r"^port 'nonsense://x': it cannot be opened \(.*nonsense"):
        open_port("nonsense://x", 115200)


def test_without_pyserial(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "serial", None)
    with pytest.raises(PortError) as caught:
        open_port("/dev/ttyUSB0", 115200)
    assert str(caught.value) == (
        "port '/dev/ttyUSB0': ports need pyserial; install it with 'pip install pyserial'"
    )


def test_ports_are_listed_by_name(monkeypatch) -> None:
    class Found:
        def __init__(self, device: str, vid: int | None = None) -> None:
            self.device, self.description, self.vid = device, f"bridge {device}", vid

    ports = [Found("/dev/ttyUSB1"), Found("/dev/ttyS0"), Found("/dev/ttyACM0", 0x1D50)]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: ports)
    assert [(port.device, port.description, port.usb) for port in find_ports()] == [
        ("/dev/ttyACM0", "bridge /dev/ttyACM0", True),
        ("/dev/ttyS0", "bridge /dev/ttyS0", False),
        ("/dev/ttyUSB1", "bridge /dev/ttyUSB1", True),
    ]
