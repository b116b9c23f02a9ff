"""What single FPGA cells do, in Python and apart from the product: for tests of cell models.

A model sees the pins of a cell as integers. Its outputs are (value, known): bits that are not in
``known`` are not compared, as those of a flip-flop that was never loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Pins = dict[str, int]
_WORD = 0xFFFFFFFF
_MAC_REGISTERS = ("A", "B", "C", "D", "first", "second", "sum")
PIPELINED = "PIPELINE_16x16_MULT_REG1"
Outputs = dict[str, tuple[int, int]]


class Model:
    """Combinational unless it overrides an edge."""

    def settle(self, pins: Pins) -> None:
        """Inputs have changed."""

    def fall(self, pins: Pins) -> None:
        """The clock falls."""

    def rise(self, pins: Pins) -> None:
        """The clock rises."""

    def outputs(self, pins: Pins) -> Outputs:
        raise NotImplementedError


@dataclass
class Formula(Model):
    """Outputs from inputs alone, every bit known; ``widths`` by output."""

    formula: Callable[[Pins], dict[str, int]]
    widths: dict[str, int]

    def outputs(self, pins: Pins) -> Outputs:
        found = self.formula(pins)
        return {name: (found[name], (1 << width) - 1) for name, width in self.widths.items()}


@dataclass
class FlipFlop(Model):
    """``enable``, ``reset``: whether they are active, from the pins."""

    data: str
    enable: Callable[[Pins], bool]
    reset: Callable[[Pins], bool]
    reset_value: int
    rising: bool
    asynchronous: bool
    enable_first: bool
    output: str = "Q"
    state: int | None = None

    def settle(self, pins: Pins) -> None:
        if self.asynchronous and self.reset(pins):
            self.state = self.reset_value

    def edge(self, pins: Pins) -> None:
        enabled = self.enable(pins)
        if self.reset(pins) and (enabled or not self.enable_first or self.asynchronous):
            self.state = self.reset_value
        elif enabled:
            self.state = pins[self.data]

    def fall(self, pins: Pins) -> None:
        if not self.rising:
            self.edge(pins)

    def rise(self, pins: Pins) -> None:
        if self.rising:
            self.edge(pins)

    def outputs(self, pins: Pins) -> Outputs:
        return {self.output: (self.state or 0, int(self.state is not None))}


@dataclass
class DistributedRam(Model):
    """16 words, asynchronous read."""

    words: list[int]
    write: Callable[[Pins], bool]
    rising: bool
    width: int = 4

    def _edge(self, pins: Pins) -> None:
        if self.write(pins):
            self.words[pins["WAD"]] = pins["DI"]

    def fall(self, pins: Pins) -> None:
        if not self.rising:
            self._edge(pins)

    def rise(self, pins: Pins) -> None:
        if self.rising:
            self._edge(pins)

    def outputs(self, pins: Pins) -> Outputs:
        return {"DO": (self.words[pins["RAD"]], (1 << self.width) - 1)}


@dataclass
class Ecp5Port:
    """One port of a block RAM: which of 2,048 bytes of ``unit`` bits it sees."""

    letter: str
    width: int
    mode: str
    unit: int = 9
    read: int = 0
    known: int = 0

    def bits(self, address: int) -> list[tuple[int, int]]:
        """(byte, bit) of each data bit, lowest first."""
        if self.width >= self.unit:
            count = self.width // self.unit
            first = (address >> 3) // count * count
            return [(first + k // self.unit, k % self.unit) for k in range(self.width)]
        low = address % 8 // self.width * self.width
        return [(address >> 3, low + k) for k in range(self.width)]

    def enabled_bits(self, address: int) -> list[bool]:
        """Which of them a write changes: bytes have enables in the lowest address bits."""
        if self.width >= 2 * self.unit:
            return [bool(address >> k // self.unit & 1) for k in range(self.width)]
        return [True] * self.width


@dataclass
class Ecp5BlockRam(Model):
    """DP16KD with plain outputs; a wide port A (36 bits) takes both ports' data pins."""

    memory: list[int]
    a: Ecp5Port
    b: Ecp5Port

    def rise(self, pins: Pins) -> None:
        writes: dict[str, dict[tuple[int, int], int]] = {}
        for port in (self.a, self.b):
            data = pins.get(f"DI{port.letter}", 0)
            if port.width == 36:
                data = pins["DIA"] | pins["DIB"] << 18
            address = pins[f"AD{port.letter}"]
            writes[port.letter] = {}
            if self._active(port, pins) and pins.get(f"WE{port.letter}", 0):
                writes[port.letter] = {
                    place: data >> k & 1
                    for k, (place, on) in enumerate(
                        zip(port.bits(address), port.enabled_bits(address), strict=True)
                    )
                    if on
                }
        for port, other in ((self.a, "B"), (self.b, "A")):
            self._read(port, pins, writes[port.letter], writes[other])
        for changes in writes.values():
            for (byte, bit), value in changes.items():
                self.memory[byte] = self.memory[byte] & ~(1 << bit) | value << bit

    def _active(self, port: Ecp5Port, pins: Pins) -> bool:
        return bool(pins[f"CE{port.letter}"]) and pins.get(f"CS{port.letter}", 0) == 0

    def _read(
        self,
        port: Ecp5Port,
        pins: Pins,
        own: dict[tuple[int, int], int],
        others: dict[tuple[int, int], int],
    ) -> None:
        if pins.get(f"RST{port.letter}", 0):
            port.read, port.known = 0, (1 << port.width) - 1
            return
        writing = bool(pins.get(f"WE{port.letter}", 0))
        if not self._active(port, pins) or (writing and port.mode == "NORMAL"):
            return
        port.read = port.known = 0
        for k, (byte, bit) in enumerate(port.bits(pins[f"AD{port.letter}"])):
            value = self.memory[byte] >> bit & 1
            if (byte, bit) in others:
                value ^= 1  # undefined by the vendor; the model promises the wrong one
            if port.mode == "WRITETHROUGH" and (byte, bit) in own:
                value = own[byte, bit]
            port.read |= value << k
            port.known |= 1 << k

    def outputs(self, pins: Pins) -> Outputs:
        if self.b.width == 36:
            low, high = self.b.read & 0x3FFFF, self.b.read >> 18
            return {
                "DOA": (low, self.b.known & 0x3FFFF),
                "DOB": (high, self.b.known >> 18),
            }
        found = {"DOB": (self.b.read, self.b.known)}
        return found | ({} if self.a.width == 36 else {"DOA": (self.a.read, self.a.known)})


@dataclass
class Ice40BlockRam(Model):
    """SB_RAM40_4K: the same 4,096 bits as words of 16, 8, 4 or 2."""

    rows: list[int]
    read_mode: int
    write_mode: int
    collide: bool
    read: int = 0
    known: int = 0

    @staticmethod
    def lanes(mode: int, address: int) -> list[tuple[int, int]]:
        """(data pin, bit of the row) of each bit of the word at an address."""
        size = 1 << mode
        pin = {1: 0, 2: 0, 4: 1, 8: 3}[size]
        chosen = (address >> 8) % size
        return [(start + pin, start + chosen) for start in range(0, 16, size)]

    def rise(self, pins: Pins) -> None:
        changed = {}
        row = pins["WADDR"] & 255
        if pins["WE"] and pins["WCLKE"]:
            for pin, bit in self.lanes(self.write_mode, pins["WADDR"]):
                if self.write_mode or not pins["MASK"] >> bit & 1:
                    changed[bit] = pins["WDATA"] >> pin & 1
        if pins["RE"] and pins["RCLKE"]:
            self.read, self.known = 0, 0xFFFF
            same = row == pins["RADDR"] & 255
            for pin, bit in self.lanes(self.read_mode, pins["RADDR"]):
                value = self.rows[pins["RADDR"] & 255] >> bit & 1
                if same and bit in changed:
                    if not self.collide:
                        self.known &= ~(1 << pin)
                    value ^= 1
                self.read |= value << pin
        for bit, value in changed.items():
            self.rows[row] = self.rows[row] & ~(1 << bit) | value << bit

    def outputs(self, pins: Pins) -> Outputs:
        return {"RDATA": (self.read & self.known, self.known)}


@dataclass
class Ice40Mac(Model):
    """SB_MAC16 on 32 bits: both halves set alike, all resets one signal.

    ``registers``: parameters that are 1; ``select``: of both outputs; ``adder``: its settings.
    """

    signs: tuple[bool, bool]
    registers: frozenset[str]
    select: int
    adder: dict[str, str]
    held: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_MAC_REGISTERS, 0))

    def _values(self, pins: Pins) -> dict[str, int]:
        """What stands before each register."""
        v: dict[str, int] = {}
        for pin in "ABCD":
            v[pin] = pins[pin]
            v[f"{pin}_now"] = self.held[pin] if f"{pin}_REG" in self.registers else pins[pin]
        a, b = (
            v[f"{pin}_now"] - (1 << 16 if on and v[f"{pin}_now"] >> 15 else 0)
            for pin, on in zip("AB", self.signs, strict=True)
        )
        v["first"] = a * b & _WORD
        v["second"] = self.held["first"] if PIPELINED in self.registers else v["first"]
        two = "PIPELINE_16x16_MULT_REG2" in self.registers
        v["product"] = self.held["second"] if two else v["second"]
        cd = v["C_now"] << 16 | v["D_now"]
        upper = cd if "TOPADDSUB_UPPERINPUT" in self.adder else self.held["sum"]
        of_product = "TOPADDSUB_LOWERINPUT" in self.adder
        lower = v["product"] if of_product else v["A_now"] << 16 | v["B_now"]
        carry = pins["CI"] if "BOTADDSUB_CARRYSELECT" in self.adder else 0
        total = upper - lower - carry if pins["ADDSUBTOP"] else upper + lower + carry
        v["sum"] = cd if pins["OLOADTOP"] else total & _WORD
        return v

    def settle(self, pins: Pins) -> None:
        if pins["IRSTTOP"]:
            self.held = dict.fromkeys(_MAC_REGISTERS, 0)

    def rise(self, pins: Pins) -> None:
        if not pins["CE"] or pins["IRSTTOP"]:
            return
        now = self._values(pins)
        holds = {**{pin: pins[f"{pin}HOLD"] for pin in "ABCD"}, "sum": pins["OHOLDTOP"]}
        self.held = {n: v if holds.get(n) else now[n] for n, v in self.held.items()}

    def outputs(self, pins: Pins) -> Outputs:
        now = self._values(pins)
        found = {0: now["sum"], 1: self.held["sum"], 3: now["product"]}[self.select]
        return {"O": (found, _WORD)}


@dataclass
class GowinBlockRam(Model):
    """2,048 bytes of 8 or 9 bits; ``single``: one port, pins AD, else A writes and B reads."""

    unit: int
    memory: list[int]
    write_width: int
    read_width: int
    single: bool
    write_mode: int = 0
    asynchronous: bool = False
    read: int = 0
    known: int = 0

    def places(self, width: int, address: int) -> list[tuple[int, int]]:
        """(byte, bit) of each data bit, lowest first."""
        count = width // self.unit
        if count:
            first = (address >> 3) // count * count
            return [(first + k // self.unit, k % self.unit) for k in range(width)]
        return [(address >> 3, address % 8 // width * width + k) for k in range(width)]

    def _clear(self) -> None:
        self.read, self.known = 0, (1 << self.read_width) - 1

    def _reset(self, pins: Pins) -> bool:
        return bool(pins["RESET" if self.single else "RESETB"])

    def settle(self, pins: Pins) -> None:
        if self.asynchronous and self._reset(pins):
            self._clear()

    def rise(self, pins: Pins) -> None:
        to, at = ("AD", "AD") if self.single else ("ADA", "ADB")
        chosen = not any(pins[name] for name in pins if name.startswith("BLKSEL"))
        writes = bool(pins["CE"] and pins["WRE"] if self.single else pins["CEA"]) and chosen
        changed: dict[tuple[int, int], int] = {}
        if writes:
            for k, place in enumerate(self.places(self.write_width, pins[to])):
                by_byte = self.write_width >= 2 * self.unit
                if not by_byte or pins[to] >> k // self.unit & 1:
                    changed[place] = pins["DI"] >> k & 1
        reads = bool(pins["CE" if self.single else "CEB"]) and chosen
        if self.single and writes and self.write_mode == 0:
            reads = False
        if self._reset(pins):
            self._clear()
        elif reads:
            self._clear()
            for k, (byte, bit) in enumerate(self.places(self.read_width, pins[at])):
                value = self.memory[byte] >> bit & 1
                if (byte, bit) in changed and not self.single:
                    value ^= 1  # not defined; the model promises the wrong one
                elif (byte, bit) in changed and self.write_mode == 1:
                    value = changed[byte, bit]
                self.read |= value << k
        for (byte, bit), value in changed.items():
            self.memory[byte] = self.memory[byte] & ~(1 << bit) | value << bit

    def outputs(self, pins: Pins) -> Outputs:
        return {"DO": (self.read, self.known)}


@dataclass
class GowinDualRam(Ecp5BlockRam):
    """DPB, DPX9B: ports as those of ECP5, under other names."""

    asynchronous: bool = False

    def settle(self, pins: Pins) -> None:
        for port in (self.a, self.b):
            if self.asynchronous and pins[f"RESET{port.letter}"]:
                port.read, port.known = 0, (1 << port.width) - 1

    def rise(self, pins: Pins) -> None:
        names = {"WRE": "WE", "RESET": "RST", "BLKSEL": "CS"}
        super().rise(
            {f"{names.get(pin[:-1], pin[:-1])}{pin[-1]}": value for pin, value in pins.items()}
        )
