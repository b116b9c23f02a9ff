"""A board in Python: the link's protocol written down a second time, from docs/host.md alone."""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

BUILD = 0x0123456789ABCDEF
# The network's clock, and as a board with this oscillator counts it.
CLOCK_HZ, UART_HZ = 50_000_000, 25_000_000
CLOCK_CYCLES = 32768


def frame(body: bytes) -> bytes:
    """Flag, body and CRC with escapes, flag."""
    out = [0x7E]
    for byte in body + binascii.crc32(body).to_bytes(4, "little"):
        out += [0x7D, byte ^ 0x20] if byte in (0x7D, 0x7E) else [byte]
    return bytes([*out, 0x7E])


def bodies(stream: bytes) -> list[bytes]:
    """Whole frames between flags, without CRC."""
    found = []
    for piece in stream.split(b"\x7e"):
        plain, rest = bytearray(), iter(piece)
        for byte in rest:
            plain.append(next(rest, 0) ^ 0x20 if byte == 0x7D else byte)
        body, crc = bytes(plain[:-4]), bytes(plain[-4:])
        if body and binascii.crc32(body).to_bytes(4, "little") == crc:
            found.append(body)
    return found


@dataclass
class FakeBoard:
    """A port with a board behind it: two signed 12-bit outputs, images of 1 x 2 x 1.

    ``outputs`` of an image; ``change`` may replace a reply's bytes on the line, given the body.
    Time passes in reads only: a read without bytes takes its whole timeout.
    """

    outputs: Callable[[bytes], tuple[int, int]] = lambda image: (image[0] - image[1], -2048)
    change: Callable[[bytes], bytes] = frame
    build: int = BUILD
    protocol: int = 2
    flags: int = 1
    cycles: Callable[[int], int] = lambda repeats: 70 + 30 * (repeats - 1)
    fail: int | None = None
    sizes: tuple[int, int, int, int, int] = (2, 2, 12, 1, CLOCK_CYCLES)
    short: bool = False
    timeout: float | None = None
    seconds: float = 0.0
    sent: list[bytes] = field(default_factory=list)
    waiting: bytes = b""

    def clock(self) -> float:
        return self.seconds

    def write(self, data: bytes) -> int:
        for body in bodies(data):
            self.sent.append(body)
            self.waiting += self.change(self.reply(body))
        return len(data)

    def read(self, size: int = 1) -> bytes:
        if not self.waiting:
            self.seconds += self.timeout or 0.0
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        return taken

    def reply(self, body: bytes) -> bytes:
        kind, payload = body[0] | 0x80, b""
        if kind == 0x81:
            image, outputs, bits, signed, clock = self.sizes
            payload = bytes([self.protocol]) + image.to_bytes(4, "little")
            payload += outputs.to_bytes(4, "little") + bytes([bits, signed])
            payload += clock.to_bytes(4, "little")
        elif kind == 0x82 and self.fail is not None:
            kind, payload = 0xFF, bytes([self.fail])
        elif kind == 0x82:
            repeats, image = int.from_bytes(body[3:7], "little"), body[7:]
            payload = bytes([self.flags]) + self.cycles(repeats).to_bytes(8, "little")
            payload += b"".join(v.to_bytes(2, "little", signed=True) for v in self.outputs(image))
            payload = payload[:-1] if self.short else payload
        else:
            payload = bytes([self.flags & 2, 0, 0])
        head = bytes([kind]) + body[1:3] + binascii.crc32(body).to_bytes(4, "little")
        return head + self.build.to_bytes(8, "little") + payload


def write_description(directory: Path, **changes: object) -> Path:
    """accelerator.json of a `FakeBoard`."""
    content: dict[str, object] = {
        "format": "sephw-accelerator",
        "version": 2,
        "link": "uart",
        "name": "tiny",
        "target": "ulx3s-85f",
        "cable": "ulx3s",
        "build_id": f"{BUILD:016x}",
        "image_shape": [1, 2, 1],
        "image_bits": 8,
        "output_shape": [1, 1, 2],
        "output_bits": 12,
        "output_signed": True,
        "clock_hz": CLOCK_HZ,
        "uart_hz": UART_HZ,
        "baud": 1_000_000,
        "frame_limit_cycles": 500,
    }
    content.update(changes)
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "accelerator.json"
    path.write_text(json.dumps(content))
    return path
