"""The port to a board: pyserial's, or any object with read, write and timeout."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from sephw.host.errors import PortError

_NO_PERMISSION = {errno.EACCES, errno.EPERM}
_BUSY = {errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK}
_MISSING = {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EISDIR, errno.ENOTDIR}

# A port that takes nothing for that long is as good as unplugged.
_WRITE_SECONDS = 10.0


@runtime_checkable
class Port(Protocol):
    """A byte stream in both directions.

    ``timeout`` in seconds bounds a ``read``, which returns at least one byte, or none at its
    timeout. A failure is an OSError.
    """

    timeout: float | None

    def read(self, size: int = 1, /) -> bytes:
        """Read at most ``size`` bytes."""

    def write(self, data: bytes, /) -> int | None:
        """Send all of ``data``."""


@dataclass(frozen=True)
class FoundPort:
    """A serial port of this machine; `usb` is False where no board can be behind it."""

    device: str
    description: str
    usb: bool = True


def open_port(name: str, baud: int) -> Port:
    """Open a device or a URL of pyserial exclusively. Raises PortError with the reason."""
    try:
        import serial
    except ImportError:
        raise PortError(
            f"port '{name}': ports need pyserial; install it with 'pip install pyserial'"
        ) from None
    try:
        port: Port = serial.serial_for_url(
            name, baudrate=baud, timeout=0.1, write_timeout=_WRITE_SECONDS, exclusive=True
        )
    except (serial.SerialException, OSError, ValueError) as error:
        raise PortError(f"port '{name}': {_why(error)}") from None
    return port


def _why(error: Exception) -> str:
    number, text = getattr(error, "errno", None), str(error)
    if number in _NO_PERMISSION:
        return "no permission to open it; join the group that owns it (often 'dialout')"
    if number in _BUSY or "exclusively lock" in text:
        return "it is in use by another program; close that one"
    if number in _MISSING or "No such file" in text:
        present = ", ".join(port.device for port in find_ports()) or "none"
        return f"there is no such port; serial ports here: {present}"
    return f"it cannot be opened ({text})"


def find_ports() -> list[FoundPort]:
    """The serial ports of this machine by name; empty without pyserial."""
    try:
        from serial.tools import list_ports
    except ImportError:
        return []
    ports: list[Any] = list(list_ports.comports())
    return sorted(
        (FoundPort(str(p.device), str(p.description), _is_usb(p)) for p in ports),
        key=lambda p: p.device,
    )


def _is_usb(port: Any) -> bool:
    """Whether a port has USB numbers or, where the system gives none, one of the usual names."""
    return getattr(port, "vid", None) is not None or "USB" in str(port.device)
