"""A network on a board, driven from Python."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sephw.command_line import command_line
from sephw.host.description import Description, read_description
from sephw.host.errors import DeviceError, ImageError, WrongDesignError
from sephw.host.link import Link, Retries
from sephw.host.messages import (
    FRAME_BYTES,
    GATE_CYCLES,
    IDENTITY_BYTES,
    MAX_REPEATS,
    PROTOCOL,
    STATUS_BYTES,
    Identity,
    Kind,
    Reason,
    Reply,
    Result,
    Status,
    parse_identity,
    parse_result,
    parse_status,
    result_frame_bytes,
    run_payload,
)
from sephw.host.port import Port, open_port

# The count is of some thousand cycles at least and right within one.
_CLOCK_ERROR = 0.002
_REASONS = {
    Reason.UNKNOWN: "it does not know the request",
    Reason.MALFORMED: "the request has another length than it takes",
    Reason.STALLED: "the network stopped before its last output",
}


@dataclass(frozen=True)
class Throughput:
    """Latency and throughput measured on one board.

    ``alone_last_output_cycles``: the latency of a single frame, from its first beat in to its last
    beat out. ``interval_cycles``: the frame interval of a long run. Both come from the counter in
    the design. ``link_frames_per_second``: the rate of `Accelerator.predict`, the line to the host
    included.
    """

    frames: int
    clock_hz: int
    alone_last_output_cycles: int
    interval_cycles: float
    link_frames: int
    link_frames_per_second: float

    @property
    def frames_per_second(self) -> float:
        """The network's frame rate at the design's clock, without the link."""
        return self.clock_hz / self.interval_cycles


class Accelerator:
    """A board that holds a network. Not for several threads.

    ``port``: a device or URL for pyserial, or an open `Port`. ``description``: an export directory,
    its accelerator.json, or what was read from it. ``baud`` None: the design's own.
    Every method raises a HostError where the board fails; nothing is returned then.
    """

    def __init__(
        self,
        port: str | Port,
        description: str | Path | Description,
        *,
        baud: int | None = None,
        retries: Retries | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        known = description if isinstance(description, Description) else None
        self.description = known if known is not None else read_description(str(description))
        rate = self.description.baud if baud is None else baud
        self.port_name = port if isinstance(port, str) else getattr(port, "name", "(given)")
        self._opened = open_port(port, rate) if isinstance(port, str) else None
        self._clock = clock
        found: Any = self._opened if self._opened is not None else port
        self._link = Link(found, str(self.port_name), rate, retries or Retries(), clock)
        self._clean = False
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    @property
    def retried(self) -> int:
        """The number of requests that were sent again so far."""
        return self._link.retried

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Run ``images`` uint8 (N, height, width, channels); returns outputs int64 (N, outputs).

        These are the integers of the network's last layer, row by row, channels innermost.
        """
        frames = self._checked(images)
        outputs = np.empty((len(frames), self.description.outputs), np.int64)
        for index, frame in enumerate(frames):
            outputs[index] = self._run(frame, 1).outputs
        return outputs

    def classes(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The channel of the largest output, int64 (N,), or of every pixel's; see `Description`.

        Raises DescriptionError, before anything is sent, where the network has one output channel.
        """
        if not self.description.has_classes:
            images = images[:0]
        return self.description.classes(self.predict(images))

    def throughput(
        self, images: NDArray[np.uint8] | None = None, *, frames: int = 1000
    ) -> Throughput:
        """Measure ``frames`` (at least 2, even) runs on the chip, and all ``images`` over the line.

        Without ``images``, 16 of noise are used. Raises DeviceError where the same image gives
        different outputs.
        """
        if frames < 2 or frames % 2 or frames > MAX_REPEATS:
            raise ImageError(f"throughput of {frames} frames; give an even number of at least 2")
        if images is None:
            shape, top = (16, *self.description.image_shape), 1 << self.description.image_bits
            images = np.random.default_rng(0).integers(0, top, shape, np.uint8)
        checked = self._checked(images)
        if not len(checked):
            raise ImageError("throughput needs at least one image")
        runs = [self._run(checked[0], count) for count in (1, frames // 2, frames)]
        if any(not np.array_equal(run.outputs, runs[0].outputs) for run in runs):
            raise self._device_error("runs of the same image gave different outputs")
        # The second half alone: the network has settled.
        interval = (runs[2].cycles - runs[1].cycles) / (frames // 2)
        if interval <= 0:
            raise self._device_error("its cycle counter stands still")
        began = self._clock()
        self.predict(checked)
        seconds = max(self._clock() - began, 1e-9)
        return Throughput(
            frames=frames,
            clock_hz=self.description.clock_hz,
            # The counter includes both ends.
            alone_last_output_cycles=runs[0].cycles - 1,
            interval_cycles=interval,
            link_frames=len(checked),
            link_frames_per_second=len(checked) / seconds,
        )

    def status(self) -> Status:
        """The link's error counters since power-up."""
        return self._status(Kind.STATUS)

    def reset(self) -> None:
        """Reset the network; a run in progress ends without a result."""
        self._status(Kind.RESET)
        self._clean = True

    def close(self) -> None:
        """Close the port if this object opened it."""
        close = getattr(self._opened, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Accelerator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _prepare(self) -> None:
        """End any run of an earlier host, and check that the design is the one described."""
        self._link.call(Kind.RESET, reply_bytes=FRAME_BYTES + STATUS_BYTES)
        reply = self._link.call(Kind.IDENTIFY, reply_bytes=FRAME_BYTES + IDENTITY_BYTES)
        protocol = reply.payload[0] if reply.kind == Kind.IDENTIFY and reply.payload else 0
        if protocol != PROTOCOL:
            raise WrongDesignError(
                f"port '{self.port_name}': the board speaks version {protocol} of the host link, "
                f"this driver version {PROTOCOL}; export and program the design again"
            )
        self._check_design(reply)
        identity, wanted = parse_identity(reply), self.description
        counted = 0 if identity is None else identity.clock_cycles
        expected = Identity(
            PROTOCOL,
            wanted.build_id,
            wanted.image_bytes,
            wanted.outputs,
            wanted.output_bits,
            wanted.output_signed,
            counted,
        )
        if identity != expected:
            raise WrongDesignError(
                f"port '{self.port_name}': the design's sizes are not those of '{wanted.name}' "
                "though its build is; export and program it again"
            )
        self._check_clock(counted)
        self._clean = True

    def _check_clock(self, counted: int) -> None:
        """Check the clock that the board has counted, once it has, against the description."""
        wanted = self.description
        clock_hz = counted * wanted.uart_hz / GATE_CYCLES
        if counted and abs(clock_hz / wanted.clock_hz - 1) > _CLOCK_ERROR:
            raise WrongDesignError(
                f"port '{self.port_name}': the network's clock runs at {clock_hz / 1e6:.2f} MHz, "
                f"that of '{wanted.name}' at {wanted.clock_hz / 1e6:.2f} MHz; load it with: "
                f"{command_line('program', [wanted.directory])}"
            )

    def _run(self, frame: NDArray[np.uint8], repeats: int) -> Result:
        """Run one image ``repeats`` times; returns the first result, fully checked."""
        known = self.description
        if not self._clean:
            self.reset()
        self._clean = False
        payload = run_payload(np.ascontiguousarray(frame).tobytes(), repeats)
        size = result_frame_bytes(known.outputs, known.output_bits)
        seconds = repeats * known.frame_limit_cycles / known.clock_hz
        reply = self._link.call(Kind.RUN, payload, reply_bytes=size, seconds=seconds)
        self._check_reply(reply)
        result = parse_result(reply, known.outputs, known.output_bits, known.output_signed)
        if result is None:
            raise self._device_error("a reply has another length than the design says")
        if result.extra:
            raise self._device_error("the network gave more outputs than it was asked for")
        if not result.equal:
            raise self._device_error("runs of the same image gave different outputs")
        low, high = known.output_range
        if result.outputs.size and not low <= result.outputs.min() <= result.outputs.max() <= high:
            raise self._device_error(f"an output is not in {low}..{high}")
        self._clean = True
        return result

    def _status(self, kind: Kind) -> Status:
        reply = self._link.call(kind, reply_bytes=FRAME_BYTES + STATUS_BYTES)
        self._check_reply(reply)
        status = parse_status(reply)
        if status is None:
            raise self._device_error("a reply has another length than the design says")
        return status

    def _check_reply(self, reply: Reply) -> None:
        self._check_design(reply)
        if reply.kind == Kind.FAILURE:
            code = reply.payload[0] if reply.payload else 0
            raise self._device_error(_REASONS.get(Reason(code), "") if code in _CODES else "")

    def _check_design(self, reply: Reply) -> None:
        wanted = self.description
        if reply.build_id != wanted.build_id:
            raise WrongDesignError(
                f"port '{self.port_name}': the board holds build {reply.build_id:016x}, "
                f"'{wanted.name}' is build {wanted.build_id:016x}; load it with: "
                f"{command_line('program', [wanted.directory])}"
            )

    def _device_error(self, what: str) -> DeviceError:
        return DeviceError(
            f"port '{self.port_name}': the design failed: {what or 'it gave no reason'}; "
            "reset the board, or load the design again"
        )

    def _checked(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        frames, known = np.asarray(images), self.description
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[1:] != known.image_shape:
            raise ImageError(
                f"images of {frames.dtype} {frames.shape}; '{known.name}' takes uint8 "
                f"(N, {', '.join(map(str, known.image_shape))})"
            )
        if frames.size and int(frames.max()) >> known.image_bits:
            raise ImageError(
                f"an image holds {frames.max()}; '{known.name}' takes values up to "
                f"{(1 << known.image_bits) - 1}"
            )
        return frames


_CODES = {reason.value for reason in Reason}
