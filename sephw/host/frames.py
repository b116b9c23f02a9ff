"""Frames of the host link: flags, escapes and CRC-32 (docs/host.md)."""

from __future__ import annotations

import zlib

FLAG, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
CRC_BYTES = 4
# Between flags; no reply is that long. What is longer is noise.
LONGEST = 1 << 24


def encode(body: bytes) -> bytes:
    """The bytes of one frame: flag, escaped body and CRC, flag."""
    checked = body + crc(body)
    escaped = checked.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e")
    return b"\x7e" + escaped + b"\x7e"


def crc(body: bytes) -> bytes:
    """The four CRC bytes that follow a body."""
    return zlib.crc32(body).to_bytes(CRC_BYTES, "little")


class Decoder:
    """Decodes a byte stream into bodies of frames. ``damaged`` counts the damaged frames."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self.damaged = 0
        self.received = 0
        self._frame = bytearray()
        self._in_frame = False

    def feed(self, received: bytes) -> list[bytes]:
        """The bodies that ``received`` completes, without their CRC, in order."""
        self.received += len(received)
        bodies = []
        for byte in received:
            if byte == FLAG:
                body = _body(self._frame) if self._in_frame else None
                if body is not None:
                    bodies.append(body)
                elif self._frame:
                    self.damaged += 1
                self._frame.clear()
                self._in_frame = True
            else:
                self._frame.append(byte)
                if len(self._frame) > self._longest:
                    self._in_frame = False
                    del self._frame[1:]
        return bodies


def _body(frame: bytearray) -> bytes | None:
    """The unescaped body of a frame; None for a damaged frame or an empty body."""
    plain = bytearray()
    escaped = False
    for byte in frame:
        if byte == ESCAPE:
            if escaped:
                return None
            escaped = True
        else:
            plain.append(byte ^ FLIP if escaped else byte)
            escaped = False
    if escaped or len(plain) <= CRC_BYTES:
        return None
    body = bytes(plain[:-CRC_BYTES])
    return body if crc(body) == bytes(plain[-CRC_BYTES:]) else None
