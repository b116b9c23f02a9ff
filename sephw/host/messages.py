"""Requests and replies of the host link, version 2 (docs/host.md). All numbers little-endian."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

PROTOCOL = 2
_HEADER = struct.Struct("<BHIQ")
_IDENTITY = struct.Struct("<BIIBBI")
_STATUS = struct.Struct("<BH")
IDENTITY_BYTES, STATUS_BYTES = _IDENTITY.size, _STATUS.size
RESULT_FIXED_BYTES = 9
GATE_CYCLES = 1 << 14
MAX_REPEATS = (1 << 32) - 1
# The CRC and two flags.
FRAMING_BYTES = 6
FRAME_BYTES = _HEADER.size + FRAMING_BYTES


class Kind(IntEnum):
    """First byte of a request; its reply has bit 7 set as well."""

    IDENTIFY = 1
    RUN = 2
    STATUS = 3
    RESET = 4
    FAILURE = 0x7F


class Reason(IntEnum):
    """The reason for which the device refused a request, or could not finish it."""

    UNKNOWN = 1
    MALFORMED = 2
    STALLED = 3


@dataclass(frozen=True)
class Reply:
    """A whole reply. ``request_crc`` is the CRC of the request that it answers."""

    kind: int
    sequence: int
    request_crc: int
    build_id: int
    payload: bytes

    def answers(self, request: bytes) -> bool:
        """Whether this is the reply to that very request: number, kind and every byte of it."""
        return (
            self.kind in (request[0], Kind.FAILURE)
            and self.sequence == int.from_bytes(request[1:3], "little")
            and self.request_crc == zlib.crc32(request)
        )


@dataclass(frozen=True)
class Identity:
    """A design's description of itself.

    ``clock_cycles``: cycles of the network's clock in `GATE_CYCLES` of the oscillator; 0: not
    counted yet.
    """

    protocol: int
    build_id: int
    image_bytes: int
    outputs: int
    output_bits: int
    output_signed: bool
    clock_cycles: int


@dataclass(frozen=True, eq=False)
class Result:
    """Outputs int64 (outputs,) of the first of all repeats, and the cycles of all of them together.

    ``cycles``: from the first beat into the network to the last one out, both included. ``equal``:
    all repeats gave the same outputs; ``extra``: the network made output beats beyond those
    expected.
    """

    outputs: NDArray[np.int64]
    cycles: int
    equal: bool
    extra: bool


@dataclass(frozen=True)
class Status:
    """``damaged_requests`` since power-up or the reset button, at most 65535; ``extra`` as in
    `Result`.
    """

    damaged_requests: int
    extra: bool


def request(kind: Kind, sequence: int, payload: bytes = b"") -> bytes:
    """The body of a request."""
    return struct.pack("<BH", kind, sequence) + payload


def run_payload(image: bytes, repeats: int) -> bytes:
    """The payload of a RUN request."""
    return struct.pack("<I", repeats) + image


def run_frame_bytes(image_bytes: int) -> int:
    """The bytes on the line of a request to run an image: frame, CRC and flags, without escapes."""
    return len(request(Kind.RUN, 0, run_payload(b"", 1))) + image_bytes + FRAMING_BYTES


def result_frame_bytes(outputs: int, bits: int) -> int:
    """The bytes on the line of the reply with ``outputs`` of ``bits`` each, without escapes."""
    return FRAME_BYTES + RESULT_FIXED_BYTES + value_bytes(bits) * outputs


def parse_reply(body: bytes) -> Reply | None:
    """The reply in the body of a frame; None if the body is no reply."""
    if len(body) < _HEADER.size or not body[0] & 0x80:
        return None
    kind, sequence, request_crc, build_id = _HEADER.unpack_from(body)
    return Reply(kind & 0x7F, sequence, request_crc, build_id, body[_HEADER.size :])


def parse_identity(reply: Reply) -> Identity | None:
    """The content of IDENTIFY's reply; None if its length is not this version's."""
    if len(reply.payload) != _IDENTITY.size:
        return None
    protocol, image, outputs, bits, signed, clock = _IDENTITY.unpack(reply.payload)
    return Identity(protocol, reply.build_id, image, outputs, bits, bool(signed), clock)


def parse_result(reply: Reply, outputs: int, bits: int, signed: bool) -> Result | None:
    """The content of RUN's reply; None if its length is not that of ``outputs`` of ``bits``
    each.
    """
    size = value_bytes(bits)
    if len(reply.payload) != RESULT_FIXED_BYTES + size * outputs:
        return None
    raw = np.frombuffer(reply.payload, np.uint8, offset=RESULT_FIXED_BYTES).reshape(-1, size)
    wide = np.zeros((len(raw), 8), np.uint8)
    wide[:, :size] = raw
    if signed:
        wide[:, size:] = np.where(raw[:, -1:] & 0x80, 0xFF, 0)
    flags = reply.payload[0]
    cycles = int.from_bytes(reply.payload[1:RESULT_FIXED_BYTES], "little")
    values = wide.view("<i8").reshape(-1).astype(np.int64)
    return Result(values, cycles, bool(flags & 1), bool(flags & 2))


def parse_status(reply: Reply) -> Status | None:
    """The content of STATUS' or RESET's reply; None if its length is not this version's."""
    if len(reply.payload) != _STATUS.size:
        return None
    flags, damaged = _STATUS.unpack(reply.payload)
    return Status(damaged, bool(flags & 2))


def value_bytes(bits: int) -> int:
    """The bytes that one output of ``bits`` bits takes."""
    return -(-bits // 8)
