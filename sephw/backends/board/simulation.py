"""A board in simulation: its complete top in Verilator behind a model of the USB bridge."""

from __future__ import annotations

import errno
import json
import shutil
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from sephw.backends.board.project import ACCELERATOR, SIMULATION_LIST
from sephw.backends.rtl.project import FILE_LIST
from sephw.errors import SephwError
from sephw.lifetime.guard import end, start
from sephw.tools.verilator import build

_PURPOSE = "board simulation"
# One 'R' command runs no longer than this, in cycles.
_LONGEST_RUN = 1 << 30


@dataclass(frozen=True, eq=False)
class CompiledBoard:
    """A board's top, built. The program goes with this object."""

    uart_hz: int
    clock_hz: int
    baud: int
    _directory: Path
    _program: Path
    _made: tempfile.TemporaryDirectory[str]

    def power_up(self, *, baud_error: float = 0.0) -> SimulatedBoard:
        """A board that has just been switched on.

        ``baud_error``: how much faster the bridge's bits are than ``baud``, as 0.01 for 1 %.
        """
        # Memory files are named relative to the project.
        rates = (self.uart_hz, self.clock_hz, self.baud * (1 + baud_error))
        command = [str(self._program), *map(repr, rates)]
        process = start(command, directory=self._directory, stdin=subprocess.PIPE, stderr=None)
        return SimulatedBoard(self, process)


class SimulatedBoard:
    """A running board. Its time stands still except while somebody reads or presses.

    ``seconds`` is the board's time, ``lights`` its LEDs as bits, ``disturbances`` how often noise
    has struck, all as of the last command.
    """

    def __init__(self, compiled: CompiledBoard, process: subprocess.Popen[bytes]) -> None:
        self._compiled = compiled  # keeps the program
        self._process = process
        self._cycles = 0
        self.lights = 0
        self.disturbances = 0
        self._port: SimulatedPort | None = None

    @property
    def seconds(self) -> float:
        """The board's time since power-up."""
        return self._cycles / self._compiled.uart_hz

    def clock(self) -> float:
        """`seconds`, for whoever wants a function."""
        return self.seconds

    def plug_in(self) -> SimulatedPort:
        """A new port to the board; one that was there before is lost."""
        self.unplug()
        self._port = SimulatedPort(self)
        return self._port

    def unplug(self) -> None:
        """Pull the cable: what is on the line is cut off, the port fails from now on."""
        if self._port is not None:
            self._port.plugged = False
        self._send(b"C")

    def press_button(self, seconds: float) -> None:
        """Hold the reset button; what comes meanwhile is lost."""
        self._command(b"B", round(seconds * self._compiled.uart_hz))

    def wait(self, seconds: float) -> None:
        """Let time pass; bytes that come from the board are lost."""
        end = self._cycles + round(seconds * self._compiled.uart_hz)
        while self._cycles < end:
            self.run(end - self._cycles)

    def disturb(self, *, to_board: float = 0.0, from_board: float = 0.0, seed: int = 1) -> None:
        """Noise: chance per bit time of a disturbance of up to two bit times."""
        for line, chance in enumerate((to_board, from_board)):
            scaled = min(round(chance * (1 << 32)), (1 << 32) - 1)
            self._send(b"N" + struct.pack("<III", line, scaled, 2 * seed + line + 1))

    def send(self, data: bytes) -> None:
        """Queue bytes for the line to the board."""
        self._send(b"W" + struct.pack("<I", len(data)) + data)

    def run(self, cycles: int) -> bytes:
        """Run until bytes come, or ``cycles`` of the oscillator; the bytes."""
        return self._command(b"R", max(0, min(cycles, _LONGEST_RUN)))

    def run_for(self, seconds: float) -> bytes:
        """Run until bytes come, or ``seconds``; the bytes."""
        return self.run(max(1, round(seconds * self._compiled.uart_hz)))

    def close(self) -> None:
        """Switch the board off."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        end(self._process)
        self._process.stdout.close()

    def __enter__(self) -> SimulatedBoard:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)

    def _command(self, name: bytes, argument: int) -> bytes:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(name + struct.pack("<I", argument))
        stdin.flush()
        head = stdout.read(16)
        if len(head) != 16:
            raise SephwError(f"{_PURPOSE}: the program ended; build it again")
        passed, self.lights, self.disturbances, count = struct.unpack("<IIII", head)
        self._cycles += passed
        return stdout.read(count)


class SimulatedPort:
    """A serial port to a simulated board, as pyserial's. Timeouts are in the board's time."""

    name = "sim"

    def __init__(self, board: SimulatedBoard) -> None:
        self._board = board
        self._buffer = b""
        self.timeout: float | None = None
        self.plugged = True

    @property
    def in_waiting(self) -> int:
        """Bytes that a read gives at once."""
        return len(self._buffer)

    def read(self, size: int = 1) -> bytes:
        """At least one byte, or none at the timeout; OSError once unplugged."""
        self._check()
        if not self._buffer:
            self._buffer = self._board.run_for(1.0 if self.timeout is None else self.timeout)
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def write(self, data: bytes) -> int:
        """Queue all of ``data`` for the line; OSError once unplugged."""
        self._check()
        self._board.send(data)
        return len(data)

    def close(self) -> None:
        """Nothing to give back."""

    def _check(self) -> None:
        if not self.plugged:
            raise OSError(errno.EIO, "device disconnected")


def compile_board(rtl_directory: Path, board_directory: Path) -> CompiledBoard:
    """Build a board's top from its files and those of the RTL project; neither changes.

    Raises SephwError if a directory holds no such files, Verilator or a compiler is missing, or
    with their first error line.
    """
    try:
        description: dict[str, Any] = json.loads(
            (board_directory / ACCELERATOR).read_text(encoding="utf-8")
        )
        own = (board_directory / SIMULATION_LIST).read_text(encoding="utf-8").split()
        shared = (rtl_directory / FILE_LIST).read_text(encoding="utf-8").split()
    except (OSError, ValueError) as error:
        raise SephwError(
            f"{_PURPOSE}: '{board_directory}' and '{rtl_directory}' do not hold an exported board "
            f"({type(error).__name__}); export the model again"
        ) from None
    made = tempfile.TemporaryDirectory(prefix="sephw_board_")
    try:
        sources = Path(made.name) / "sources"
        sources.mkdir()
        for folder in (rtl_directory, board_directory):
            for path in folder.iterdir():
                if path.suffix in {".sv", ".mem", ".cpp", ".h"}:
                    shutil.copyfile(path, sources / path.name)
        program = build(
            [*shared, *own],
            description["top"],
            sources,
            Path(made.name) / "build",
            purpose=_PURPOSE,
        )
    except BaseException:
        made.cleanup()
        raise
    uart_hz, clock_hz, baud = (int(description[name]) for name in ("uart_hz", "clock_hz", "baud"))
    return CompiledBoard(uart_hz, clock_hz, baud, sources, program, made)
