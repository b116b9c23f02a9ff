"""Runs an exported network on a Zynq board with PYNQ. Needs numpy and pynq (2.5 and later).

Copy this file, NAME.bit, NAME.hwh and accelerator.json into one folder on the board, then::

    from driver import Accelerator
    logits = Accelerator("NAME.bit").predict(images)     # uint8 (N, H, W, C) -> int64 (N, outputs)

Register numbers and bits: AMD's product guide PG021 (AXI DMA, direct register mode).
"""

from __future__ import annotations

import importlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

# Offsets in bytes; the receiving channel (S2MM) has the sending one's registers at + 0x30.
_SEND, _RECEIVE = 0x00, 0x30
_CONTROL, _STATUS, _ADDRESS, _ADDRESS_HIGH, _LENGTH = 0x00, 0x04, 0x18, 0x1C, 0x28
_RUN, _RESET = 1 << 0, 1 << 2
_HALTED, _IDLE = 1 << 0, 1 << 1
_ERRORS = {1 << 4: "internal error", 1 << 5: "slave error", 1 << 6: "address decode error"}
_IDENTITY = (0x00, 0x08)  # of the build's number: low and high half
_REGISTER_BYTES = 0x1000

# A frame's results start on a multiple of this: no bus of the DMA is wider, no cache line longer.
_ALIGNMENT = 128
_MAX_TRANSFER_BYTES = (1 << 26) - 1
# How far the board's clock may be above the one that timing was met for: its source is a PLL with
# an integer multiplier.
_CLOCK_TOLERANCE = 0.005
_AGAIN = "call again to reload the bitstream"


class AcceleratorError(RuntimeError):
    """An error of the accelerator: the reason and a fix, in one line."""


class Accelerator:
    """A network in the programmable logic.

    ``bitfile`` names NAME.bit; NAME.hwh and accelerator.json lie beside it. ``batch`` frames are
    sent in one transfer. ``timeout_seconds`` is the longest that one frame may take.
    Raises AcceleratorError where bitstream, settings and board do not belong together.
    """

    def __init__(
        self, bitfile: str | Path, *, batch: int = 256, timeout_seconds: float = 5.0
    ) -> None:
        self._path = Path(bitfile)
        self._settings = _read_settings(self._path)
        self._timeout_seconds = timeout_seconds
        self._source: dict[str, Any] = self._settings["input"]
        self._sink: dict[str, Any] = self._settings["output"]
        self._source_bytes = self._source["beats"] * self._source["beat_bytes"]
        self._sink_bytes = self._sink["beats"] * self._sink["beat_bytes"]
        self._slot_bytes = -(-self._sink_bytes // _ALIGNMENT) * _ALIGNMENT
        if batch < 1:
            raise AcceleratorError(f"batch {batch} is no number of frames; give at least 1")
        self._batch = min(batch, _MAX_TRANSFER_BYTES // self._source_bytes)
        self._pynq = _import_pynq()
        self._dma: Any = None
        self._closed = False
        self._load()
        self._send = self._allocate(self._source_bytes)
        self._receive = self._allocate(self._slot_bytes)

    @property
    def name(self) -> str:
        """Name of the network."""
        return str(self._settings["name"])

    def predict(self, images: Any) -> Any:
        """Outputs int64 (N, outputs) of ``images`` uint8 (N, H, W, C).

        The integers of the network's last layer, row by row, channels innermost.

        Raises AcceleratorError for other images, and when the DMA reports an error, falls silent or
        delivers a frame of another length; then no result is returned, and the next call loads the
        bitstream again, since half a frame may be inside.
        """
        frames = self._checked(images)
        results = np.empty((len(frames), self._settings["outputs"]), np.int64)
        if self._dma is None:
            self._load()
        try:
            for start in range(0, len(frames), self._batch):
                chunk = frames[start : start + self._batch]
                results[start : start + len(chunk)] = self._run(chunk)
        except BaseException:
            self._stop()
            raise
        return results

    def classes(self, images: Any) -> Any:
        """Number of the largest output, the first of equals, int64 (N,).

        Where the output is a map, that of every pixel, (N, height, width). Raises AcceleratorError,
        before anything is sent, where there is one channel.
        """
        height, width, channels = self._settings["output_shape"]
        if channels < 2:
            raise AcceleratorError(
                f"'{self.name}' gives one value per {'pixel' if height * width > 1 else 'image'}, "
                "no classes; use predict"
            )
        found = self.predict(images).reshape(-1, height, width, channels).argmax(axis=3)
        return found[:, 0, 0] if height * width == 1 else found

    def throughput(self, images: Any = None, *, frames: int = 1000) -> float:
        """Frames per second of ``predict``: packing, transfers and unpacking included.

        ``images`` uint8 (N, H, W, C) are repeated up to ``frames``; without them, noise.
        """
        if images is None:
            shape = (min(frames, self._batch), *self._settings["image_shape"])
            images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        checked = self._checked(images)
        if frames < 1 or not len(checked):
            raise AcceleratorError("throughput needs at least one frame")
        many = checked[np.arange(frames) % len(checked)]
        self.predict(many[: self._batch])
        started = time.perf_counter()
        self.predict(many)
        return frames / (time.perf_counter() - started)

    def close(self) -> None:
        """Stop the DMA and give the buffers back; the bitstream stays loaded."""
        if not self._closed:
            self._closed = True
            self._stop()
            for buffer in (self._send, self._receive):
                buffer.freebuffer()

    def __enter__(self) -> Accelerator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _allocate(self, frame_bytes: int) -> Any:
        try:
            return self._pynq.allocate(shape=(self._batch, frame_bytes), dtype=np.uint8)
        except (RuntimeError, MemoryError) as error:
            raise AcceleratorError(
                f"no memory for {self._batch} frames of {frame_bytes} bytes ({error}); "
                "give a smaller batch"
            ) from None

    def _load(self) -> None:
        """Load the bitstream, check that it is the one of the settings, and start the DMA."""
        try:
            overlay = self._pynq.Overlay(str(self._path), download=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise AcceleratorError(
                f"'{self._path}' cannot be loaded ({error}); run as root, with the .hwh beside it"
            ) from None
        dma = self._registers(overlay, "dma")
        identity = self._registers(overlay, "identity")
        low, high = (int(identity.read(at)) & 0xFFFFFFFF for at in _IDENTITY)
        found, expected = f"{high:08x}{low:08x}", self._settings["build_id"]
        if found != expected:
            raise AcceleratorError(
                f"'{self._path.name}' holds build {found}, accelerator.json describes "
                f"{expected}; copy both from the same export"
            )
        self._check_clock()
        dma.write(_SEND + _CONTROL, _RESET)  # resets both channels
        self._wait(dma, _SEND, _CONTROL, _RESET, 0, "the DMA does not leave reset")
        for channel in (_SEND, _RECEIVE):
            dma.write(channel + _CONTROL, _RUN)
            self._wait(dma, channel, _STATUS, _HALTED, 0, "the DMA does not start")
        self._dma = dma

    def _stop(self) -> None:
        """Whatever it is in, the DMA writes no memory after this; the next call loads again."""
        dma, self._dma = self._dma, None
        if dma is not None:
            dma.write(_SEND + _CONTROL, _RESET)

    def _check_clock(self) -> None:
        """PYNQ has set the clock that the .hwh asks for; bring it down where it is too fast."""
        clocks, wanted = self._pynq.Clocks, self._settings["clock_mhz"]
        limit = wanted * (1 + _CLOCK_TOLERANCE)
        if float(clocks.fclk0_mhz) > limit:
            clocks.fclk0_mhz = wanted
        running = float(clocks.fclk0_mhz)
        if running > limit:
            raise AcceleratorError(
                f"the board's clock runs at {running:g} MHz, '{self._path.name}' is made for "
                f"{wanted:g} MHz at most; results would not be reliable"
            )

    def _registers(self, overlay: Any, cell: str) -> Any:
        entry: dict[str, Any] | None = overlay.ip_dict.get(cell)
        if entry is None:
            raise AcceleratorError(
                f"'{self._path.name}' has no block '{cell}'; is it a bitstream of sephw?"
            )
        return self._pynq.MMIO(int(entry["phys_addr"]), _REGISTER_BYTES)

    def _checked(self, images: Any) -> Any:
        if self._closed:
            raise AcceleratorError(f"'{self.name}' is closed; make a new Accelerator")
        frames = np.asarray(images)
        shape = tuple(self._settings["image_shape"])
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[1:] != shape:
            raise AcceleratorError(
                f"images of {frames.dtype} {frames.shape}; '{self.name}' takes uint8 "
                f"(N, {', '.join(map(str, shape))})"
            )
        return frames

    def _run(self, chunk: Any) -> Any:
        """One transfer out, one per frame back: the stream marks each frame's end."""
        count, dma = len(chunk), self._dma
        self._send[:count] = pack(chunk, self._source)
        self._send[:count].flush()
        # The receiving channel first: the network may answer before this thread runs again.
        receive = int(self._receive.physical_address)
        self._start(_RECEIVE, receive, self._sink_bytes)
        self._start(_SEND, int(self._send.physical_address), count * self._source_bytes)
        for frame in range(count):
            what = f"no result of frame {frame} of {count}"
            self._wait(dma, _RECEIVE, _STATUS, _IDLE, _IDLE, what)
            length = dma.read(_RECEIVE + _LENGTH) & _MAX_TRANSFER_BYTES
            if length != self._sink_bytes:
                raise AcceleratorError(
                    f"frame {frame} has {length} bytes instead of {self._sink_bytes}; "
                    "accelerator.json and the bitstream differ: copy both from the same export"
                )
            if frame + 1 < count:
                at = receive + (frame + 1) * self._slot_bytes
                self._start(_RECEIVE, at, self._sink_bytes)
        self._wait(dma, _SEND, _STATUS, _IDLE, _IDLE, "the images are not taken")
        self._receive[:count].invalidate()
        return unpack(np.asarray(self._receive)[:count, : self._sink_bytes], self._sink)

    def _start(self, channel: int, address: int, length_bytes: int) -> None:
        self._dma.write(channel + _ADDRESS, address & 0xFFFFFFFF)
        self._dma.write(channel + _ADDRESS_HIGH, address >> 32)
        self._dma.write(channel + _LENGTH, length_bytes)  # this starts the transfer

    def _wait(
        self, dma: Any, channel: int, register: int, mask: int, value: int, what: str
    ) -> None:
        """Read until the bits under ``mask`` are ``value``; errors and time end it."""
        deadline = time.monotonic() + self._timeout_seconds
        transfer = register == _STATUS and mask == _IDLE
        while True:
            late = time.monotonic() > deadline
            found = dma.read(channel + register)
            if transfer:
                _check_status(channel, found)
            if found & mask == value:
                return
            if transfer and channel == _RECEIVE:
                # Results also fail to come because the images do not go.
                _check_status(_SEND, dma.read(_SEND + _STATUS))
            if late:
                raise AcceleratorError(
                    f"{what} within {self._timeout_seconds:g} s (status {found:#x}); {_AGAIN}"
                )


def _check_status(channel: int, status: int) -> None:
    """AcceleratorError for errors, and for a channel that stopped, which it does by itself."""
    side = "sending" if channel == _SEND else "receiving"
    for bit, name in _ERRORS.items():
        if status & bit:
            raise AcceleratorError(f"DMA {name} while {side} (status {status:#x}); {_AGAIN}")
    if status & _HALTED:
        raise AcceleratorError(f"the DMA stopped while {side} (status {status:#x}); {_AGAIN}")


def pack(images: Any, stream: dict[str, Any]) -> Any:
    """uint8 (N, bytes per frame) from uint8 (N, H, W, C): lane 0 in the low byte, then padding."""
    beats = images.reshape(len(images), stream["beats"], stream["lanes"])
    packed = np.zeros((len(images), stream["beats"], stream["beat_bytes"]), np.uint8)
    packed[:, :, : stream["lanes"]] = beats
    return packed.reshape(len(images), -1)


def unpack(frames: Any, stream: dict[str, Any]) -> Any:
    """int64 (N, integers per frame) from uint8 (N, bytes per frame)."""
    bits, lanes = stream["bits"], stream["lanes"]
    beats = frames.reshape(len(frames), stream["beats"], stream["beat_bytes"])
    digits = np.unpackbits(beats, axis=2, bitorder="little")[:, :, : bits * lanes]
    digits = digits.reshape(len(frames), stream["beats"] * lanes, bits)
    weights = np.int64(1) << np.arange(bits, dtype=np.int64)
    if stream["signed"]:
        weights[-1] = -(1 << (bits - 1))
    return (digits.astype(np.int64) * weights).sum(axis=2)


def _import_pynq() -> Any:
    try:
        return importlib.import_module("pynq")
    except ImportError as error:
        raise AcceleratorError(
            f"the package pynq cannot be imported ({error}); run this on a board with a PYNQ image"
        ) from None


def _read_settings(bitfile: Path) -> dict[str, Any]:
    path = bitfile.parent / "accelerator.json"
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        known = (settings["format"], settings["version"]) == ("sephw-dma-accelerator", 1)
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise AcceleratorError(
            f"'{path}' is missing or not written by sephw; copy it from the export"
        )
    return dict(settings)
