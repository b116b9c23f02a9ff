"""One request at a time over a port: sequence numbers, deadlines, retries."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from sephw.host.errors import DamagedError, DeviceSilentError, DisconnectedError
from sephw.host.frames import FLAG, Decoder, encode
from sephw.host.messages import Kind, Reply, parse_reply, request
from sephw.host.port import Port

# With its start and its stop bit.
BITS_PER_BYTE = 10
_LONGEST_MARGIN_SECONDS = 2.0
# Before a repetition: ends whatever frame the noise has opened, on both sides of a lost flag.
_RESYNCHRONIZE = bytes([FLAG, FLAG])


@dataclass(frozen=True)
class Retries:
    """The retry policy: the number of attempts, and the time beyond the line's own for each reply.

    ``margin_seconds`` grows by half with each attempt, to 2 s at most.
    """

    attempts: int = 8
    margin_seconds: float = 0.25


class Link:
    """Sends requests and receives their replies. Not thread-safe.

    ``retried`` counts the attempts beyond the first of each request.
    """

    def __init__(
        self,
        port: Port,
        name: str,
        baud: int,
        retries: Retries,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._port, self._name, self._baud, self._retries = port, name, baud, retries
        self._clock = clock
        self._decoder = Decoder()
        # Random, so that a reply to an earlier process's request is not taken for ours.
        self._sequence = secrets.randbits(16)
        self.retried = 0

    def call(
        self, kind: Kind, payload: bytes = b"", *, reply_bytes: int, seconds: float = 0.0
    ) -> Reply:
        """Send one request; returns the undamaged reply to this very request.

        ``reply_bytes``: the length of its longest reply before escapes. ``seconds``: the device's
        computing time. Raises DeviceSilentError, DamagedError or DisconnectedError where no such
        reply comes.
        """
        self._sequence = (self._sequence + 1) & 0xFFFF
        body = request(kind, self._sequence, payload)
        frame = encode(body)
        line_seconds = (len(frame) + 2 * reply_bytes) * BITS_PER_BYTE / self._baud
        margin = self._retries.margin_seconds
        self._decoder = Decoder()
        for attempt in range(self._retries.attempts):
            if attempt:
                self.retried += 1
            self._write(_RESYNCHRONIZE + frame if attempt else frame)
            reply = self._wait(body, self._clock() + line_seconds + seconds + margin)
            if reply is not None:
                return reply
            margin = min(1.5 * margin, _LONGEST_MARGIN_SECONDS)
        if self._decoder.received == 0:
            raise DeviceSilentError(
                f"port '{self._name}': no answer to {self._retries.attempts} requests at "
                f"{self._baud} baud; check that the board is programmed, the cable, and the port"
            )
        raise DamagedError(
            f"port '{self._name}': {self._retries.attempts} requests without a whole answer "
            f"({self._decoder.received} bytes came, {self._decoder.damaged} damaged frames); check "
            f"the cable and the baud rate ({self._baud})"
        )

    def _wait(self, body: bytes, deadline: float) -> Reply | None:
        """The reply to ``body`` if it comes before the deadline; other replies are skipped."""
        while (left := deadline - self._clock()) > 0:
            for found in self._decoder.feed(self._read(left)):
                reply = parse_reply(found)
                if reply is not None and reply.answers(body):
                    return reply
        return None

    def _read(self, seconds: float) -> bytes:
        try:
            self._port.timeout = seconds
            waiting = getattr(self._port, "in_waiting", 0)
            return self._port.read(max(1, int(waiting)))
        except (OSError, TypeError) as error:
            raise self._lost(error) from None

    def _write(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except OSError as error:
            raise self._lost(error) from None

    def _lost(self, error: Exception) -> DisconnectedError:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return DisconnectedError(
            f"port '{self._name}': the connection was lost ({reason}); plug the board in, open "
            "the port again"
        )
