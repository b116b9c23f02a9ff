"""One request at a time: which replies count, when a request is sent again, what is said."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from fake_board import FakeBoard, bodies, frame

from sephw.host import DamagedError, DeviceSilentError, DisconnectedError, Retries
from sephw.host.link import Link
from sephw.host.messages import Kind

QUICK = Retries(attempts=3, margin_seconds=0.1)


def _link(port, retries: Retries = QUICK, clock=None) -> Link:
    return Link(port, "/dev/ttyX", 1_000_000, retries, clock or port.clock)


def test_a_reply_is_the_one_to_this_request() -> None:
    board = FakeBoard()
    reply = _link(board).call(Kind.STATUS, reply_bytes=20)
    assert (reply.kind, reply.payload) == (Kind.STATUS, b"\0\0\0")
    assert len(board.sent) == 1


@pytest.mark.parametrize("at", [0, 1, 2, 3, 6])
def test_a_whole_reply_to_something_else_does_not_count(at: int) -> None:
    """Kind, sequence number and CRC of the request: one bit in any makes it somebody else's."""

    def change(body: bytes) -> bytes:
        other = bytearray(body)
        other[at] ^= 0x40 if at == 0 else 1
        return frame(bytes(other))

    board = FakeBoard(change=change)
    with pytest.raises(DamagedError):
        _link(board).call(Kind.STATUS, reply_bytes=20)
    assert len(board.sent) == QUICK.attempts


def test_other_replies_before_it_are_passed_over() -> None:
    board = FakeBoard(change=lambda body: frame(b"\x83abc") + b"\x11\x22" + frame(body))
    assert _link(board).call(Kind.STATUS, reply_bytes=20).payload == b"\0\0\0"


def test_a_damaged_reply_is_asked_for_again_with_the_same_bytes() -> None:
    replies = iter([lambda body: frame(body)[:-3] + b"\x00\x7e", frame])
    board = FakeBoard(change=lambda body: next(replies)(body))
    link = _link(board)
    assert link.call(Kind.STATUS, reply_bytes=20).payload == b"\0\0\0"
    assert link.retried == 1
    assert board.sent[0] == board.sent[1]


def test_each_request_has_its_own_number_and_wraps() -> None:
    board = FakeBoard()
    link = _link(board)
    link._sequence = 0xFFFE
    for _ in range(3):
        link.call(Kind.STATUS, reply_bytes=20)
    assert [body[1] | body[2] << 8 for body in board.sent] == [0xFFFF, 0, 1]


def test_patience_grows_and_ends() -> None:
    board = FakeBoard(change=lambda body: b"")
    retries = Retries(attempts=8, margin_seconds=1.0)
    with pytest.raises(DeviceSilentError):
        _link(board, retries).call(Kind.STATUS, reply_bytes=0, seconds=5.0)
    line = (3 + 4 + 2) * 10 / 1e6
    expected = sum(line + 5.0 + margin for margin in (1.0, 1.5, *[2.0] * 6))
    assert board.seconds == pytest.approx(expected, abs=1e-3)


def test_silence() -> None:
    with pytest.raises(DeviceSilentError) as caught:
        _link(FakeBoard(change=lambda body: b"")).call(Kind.STATUS, reply_bytes=20)
    assert str(caught.value) == (
        "port '/dev/ttyX': no answer to 3 requests at 1000000 baud; check that the board is "
        "programmed, the cable, and the port"
    )


def test_nothing_but_noise() -> None:
    with pytest.raises(DamagedError) as caught:
        _link(FakeBoard(change=lambda body: b"\x7e\x01\x02\x7e")).call(Kind.STATUS, reply_bytes=20)
    assert str(caught.value) == (
        "port '/dev/ttyX': 3 requests without a whole answer (12 bytes came, 3 damaged frames); "
        "check the cable and the baud rate (1000000)"
    )


@dataclass
class BrokenPort:
    """Fails in ``read`` or ``write`` with ``error``."""

    where: str
    error: Exception
    timeout: float | None = None
    seen: list[bytes] = field(default_factory=list)

    def clock(self) -> float:
        return 0.0

    def read(self, size: int = 1) -> bytes:
        if self.where == "read":
            raise self.error
        return b""

    def write(self, data: bytes) -> int:
        if self.where == "write":
            raise self.error
        self.seen.append(data)
        return len(data)


@pytest.mark.parametrize("where", ["read", "write"])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(5, "Input/output error"), "Input/output error"),
        (OSError("device reports readiness to read but returned no data"), "device reports.*data"),
        (OSError(), "OSError"),
    ],
)
def test_disconnect(where: str, error: Exception, reason: str) -> None:
    with pytest.raises(DisconnectedError) as caught:
        _link(BrokenPort(where, error)).call(Kind.STATUS, reply_bytes=20)
    assert re.fullmatch(
        rf"port '/dev/ttyX': the connection was lost \({reason}\); plug the board in, open the "
        r"port again",
        str(caught.value),
    )


def test_a_port_closed_by_another_thread_is_a_disconnect() -> None:
    """pyserial's read of a closed port fails with TypeError."""
    with pytest.raises(DisconnectedError):
        _link(BrokenPort("read", TypeError("an integer is required"))).call(
            Kind.STATUS, reply_bytes=20
        )


def test_a_repetition_first_ends_what_noise_has_opened() -> None:
    board = FakeBoard(change=lambda body: b"")
    lines: list[bytes] = []
    write = board.write
    board.write = lambda data: lines.append(data) or write(data)  # type: ignore[method-assign]
    with pytest.raises(DeviceSilentError):
        _link(board).call(Kind.STATUS, reply_bytes=20)
    assert lines[1] == lines[2] == b"\x7e\x7e" + lines[0]
    assert bodies(b"\x01\x02" + lines[1])[-1] == board.sent[0]
