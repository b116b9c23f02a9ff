"""A stand-in for the `pynq` module on a board: memory behind caches, an AXI DMA, the network.

The DMA is that of PG021 in direct register mode. Time passes with each status that is read, so a
driver that waits for the wrong thing waits for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

PAGE = 4096
DMA_AT, IDENTITY_AT, MEMORY_AT = 0x40400000, 0x41200000, 0x1_4000_0000
SEND, RECEIVE = 0x00, 0x30
CONTROL, STATUS, ADDRESS, ADDRESS_HIGH, LENGTH = 0x00, 0x04, 0x18, 0x1C, 0x28
HALTED, IDLE = 1, 2


class Buffer(np.ndarray):
    """What ``pynq.allocate`` gives: an array in a cache, at a place in memory."""

    board: Board
    physical_address: int
    freed: bool

    def __array_finalize__(self, parent: Any) -> None:
        if isinstance(parent, Buffer) and hasattr(parent, "board"):
            start, of = (x.__array_interface__["data"][0] for x in (self, parent))
            self.board, self.physical_address = parent.board, parent.physical_address + start - of

    def flush(self) -> None:
        """Cache to memory."""
        self.board.view(self.physical_address, self.nbytes)[:] = self.reshape(-1).view(np.ndarray)

    def invalidate(self) -> None:
        """Memory to cache."""
        held = self.board.view(self.physical_address, self.nbytes)
        self.view(np.ndarray)[:] = held.reshape(self.shape)

    def freebuffer(self) -> None:
        """Give the memory back; twice would be a fault."""
        assert self.physical_address in self.board.buffers, "freed twice"
        assert self.board.quiet, "memory given back while the DMA may write it"
        del self.board.buffers[self.physical_address]


@dataclass
class Board:
    """A board with one bitstream. ``network``: bytes of a frame to packets of bytes, each TLAST.

    ``ahead``: frames it takes before the first result has been fetched. ``slow``: status reads
    that a transfer takes. ``clock_mhz``: what the .hwh sets; ``source_mhz`` is divided by integers.
    ``faults``: status bits by (channel, number of its transfer). ``dead``: no result ever comes.
    """

    settings: Mapping[str, Any]
    network: Callable[[bytes], list[bytes]]
    build_id: int
    ahead: int = 2
    slow: int = 3
    clock_mhz: float = 100.0
    source_mhz: float = 1000.0
    stuck: bool = False
    memory_bytes: int = 1 << 22
    faults: dict[tuple[int, int], int] = field(default_factory=dict)
    dead: bool = False
    blocks: tuple[str, ...] = ("dma", "identity", "ps")
    loaded: list[Path] = field(default_factory=list)
    buffers: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.memory = np.random.default_rng(1).integers(0, 256, self.memory_bytes, np.uint8)
        self.next_address = MEMORY_AT
        self.started = {SEND: 0, RECEIVE: 0}
        self.power_up()

    def power_up(self) -> None:
        """As after a bitstream is loaded: halted, nothing inside."""
        self.registers = {c + r: 0 for c in (SEND, RECEIVE) for r in range(0, 0x2C, 4)}
        self.registers[SEND + STATUS] = self.registers[RECEIVE + STATUS] = HALTED
        self.busy = {SEND: 0, RECEIVE: 0}
        self.resetting = self.sent = 0
        self.inside = b""
        self.packets: deque[bytes] = deque()

    @property
    def quiet(self) -> bool:
        """Whether no transfer is under way that could touch memory."""
        return not any(self.busy.values())

    # -- module pynq --------------------------------------------------------------------------

    @property
    def module(self) -> Any:
        """What ``import pynq`` finds."""
        board = self

        class Overlay:
            def __init__(self, path: str, download: bool) -> None:
                assert download
                bit = Path(path)
                if not bit.exists():
                    raise OSError(f"Bitstream file {bit} does not exist.")
                if not bit.with_suffix(".hwh").exists():
                    raise ValueError(f"Cannot find HWH or TCL file for {bit}.")
                board.loaded.append(bit)
                board.power_up()
                board.running_mhz = board.clock_mhz
                places = {"dma": DMA_AT, "identity": IDENTITY_AT, "ps": 0}
                self.ip_dict = {name: {"phys_addr": places[name]} for name in board.blocks}

        class Mmio:
            def __init__(self, base: int, length: int) -> None:
                assert length % 4 == 0 and base in (DMA_AT, IDENTITY_AT)
                self.base, self.length = base, length

            def read(self, offset: int) -> int:
                assert offset % 4 == 0 and 0 <= offset < self.length
                return board.read(self.base + offset)

            def write(self, offset: int, value: int) -> None:
                # PYNQ refuses NumPy's integers.
                assert type(value) is int and 0 <= value < 1 << 32
                assert offset % 4 == 0 and 0 <= offset < self.length
                board.write(self.base + offset, value)

        class _Clocks(type):
            @property
            def fclk0_mhz(cls) -> float:
                return board.running_mhz

            @fclk0_mhz.setter
            def fclk0_mhz(cls, wanted: float) -> None:
                divider = max(1, round(board.source_mhz / wanted))
                if not board.stuck:
                    board.running_mhz = board.source_mhz / divider

        class Module:
            Overlay: Any
            MMIO: Any
            Clocks: Any

            @staticmethod
            def allocate(shape: tuple[int, ...], dtype: Any) -> Buffer:
                return board.allocate(shape, dtype)

        Module.Overlay, Module.MMIO = Overlay, Mmio
        Module.Clocks = _Clocks("Clocks", (), {})
        return Module()

    def allocate(self, shape: tuple[int, ...], dtype: Any) -> Buffer:
        """Page-aligned, with whatever was in memory before, and other things in the cache."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if self.next_address + size > MEMORY_AT + self.memory_bytes:
            raise RuntimeError("Failed to allocate Memory!")
        buffer = np.full(shape, 0xA5, dtype).view(Buffer)
        buffer.board, buffer.physical_address = self, self.next_address
        self.buffers[self.next_address] = size
        self.next_address += -(-size // PAGE) * PAGE
        return buffer

    def view(self, address: int, size: int) -> np.ndarray:
        """Memory; only inside one buffer."""
        inside = [a for a, n in self.buffers.items() if a <= address and address + size <= a + n]
        assert inside, f"{size} bytes at {address:#x} are in no buffer"
        return self.memory[address - MEMORY_AT : address - MEMORY_AT + size]

    # -- registers ----------------------------------------------------------------------------

    def read(self, address: int) -> int:
        """A register; a status lets time pass."""
        if address >= IDENTITY_AT:
            half = {0: 0, 8: 32}[address - IDENTITY_AT]
            return self.build_id >> half & 0xFFFFFFFF
        offset = address - DMA_AT
        if offset == SEND + CONTROL and self.resetting:
            self.resetting -= 1
            return self.registers[offset] | 4
        if offset in (SEND + STATUS, RECEIVE + STATUS):
            self.step()
        return self.registers[offset]

    def write(self, address: int, value: int) -> None:
        """A register: starts, stops and resets as PG021 says."""
        offset = address - DMA_AT
        channel, register = (RECEIVE, offset - RECEIVE) if offset >= RECEIVE else (SEND, offset)
        if register == CONTROL and value & 4:
            self.registers = dict.fromkeys(self.registers, 0)
            self.registers[SEND + STATUS] = self.registers[RECEIVE + STATUS] = HALTED
            self.busy = {SEND: 0, RECEIVE: 0}
            self.resetting = 2
        elif register == CONTROL:
            assert not self.resetting, "written while in reset"
            if value & 1:
                self.registers[channel + STATUS] &= ~HALTED
        elif register == LENGTH:
            self.start(channel, value)
        else:
            assert register in (ADDRESS, ADDRESS_HIGH)
            assert not self.busy[channel], "address changed under a transfer"
            self.registers[offset] = value

    def start(self, channel: int, length: int) -> None:
        """A transfer begins."""
        status = self.registers[channel + STATUS]
        assert not status & HALTED and not self.busy[channel], "started while halted or busy"
        assert 0 < length < 1 << 26
        end = "input" if channel == SEND else "output"
        word = max(4, self.settings[end]["beat_bytes"])
        assert self.address(channel) % word == 0, "not aligned to the memory's width"
        assert length % self.settings[end]["beat_bytes"] == 0
        self.registers[channel + STATUS] &= ~IDLE
        self.registers[channel + LENGTH] = length
        self.busy[channel] = self.slow
        if channel == SEND:
            self.sent = 0
        fault = self.faults.get((channel, self.started[channel]))
        self.started[channel] += 1
        if fault:
            self.registers[channel + STATUS] |= fault
            self.busy[channel] = 0

    def address(self, channel: int) -> int:
        """Of the transfer under way."""
        high, low = (self.registers[channel + r] for r in (ADDRESS_HIGH, ADDRESS))
        return high << 32 | low

    def step(self) -> None:
        """Images in as far as the network takes them, a packet out where one is wanted."""
        frame = self.settings["input"]["beats"] * self.settings["input"]["beat_bytes"]
        if self.busy[SEND]:
            length = self.registers[SEND + LENGTH]
            if self.sent < length and len(self.packets) < self.ahead:
                part = min(frame, length - self.sent)
                data = self.view(self.address(SEND) + self.sent, part)
                self.inside += data.tobytes()
                self.sent += part
                while len(self.inside) >= frame:
                    image, self.inside = self.inside[:frame], self.inside[frame:]
                    self.packets.extend([] if self.dead else self.network(image))
            elif self.sent == length:
                self.finish(SEND)
        if self.busy[RECEIVE] and self.packets:
            if self.busy[RECEIVE] > 1:
                self.busy[RECEIVE] -= 1
                return
            packet, length = self.packets.popleft(), self.registers[RECEIVE + LENGTH]
            if len(packet) > length:
                self.registers[RECEIVE + STATUS] |= HALTED | 1 << 4
                self.busy[RECEIVE] = 0
                return
            self.view(self.address(RECEIVE), len(packet))[:] = np.frombuffer(packet, np.uint8)
            self.registers[RECEIVE + LENGTH] = len(packet)
            self.finish(RECEIVE)

    def finish(self, channel: int) -> None:
        """A transfer is done."""
        self.busy[channel] = 0
        self.registers[channel + STATUS] |= IDLE
