"""What Yosys makes of a memory: block RAMs, RAM in LUTs, or logic.

`memory_libmap` compares the costs of every shape of every kind of RAM of the technology with that
of logic, and takes the cheapest; this is that comparison for the memories of our engines, which
have one read port and at most one write port.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from sephw.ir import MemoryKind, MemoryPart, OutputPart
from sephw.targets import Technology

# Costs of bits that the address decoding outside of the RAMs chooses between, and of each port
# that is not shared with another one.
_CHOICE = 0.5
_PORT = 2


@dataclass(frozen=True)
class Ram:
    """One kind of RAM. ``widths`` in bits, narrowest first; 2^``address_bits`` words of that one.

    ``byte``: bits under one write enable, 0 for a whole word. ``write``, ``read``: indices into
    ``widths`` of the narrowest and widest word that the port has. ``blocks``: `Resources.bram`,
    ``luts`` `Resources.lut` of each. ``cost_width``: the part of ``cost`` that grows with the bits
    used. ``rom``: it can hold constants. ``one_address``: it is read where it is written.
    ``narrower``: widths of RAMs that take the place of the last one of a row, a LUT a bit.
    """

    name: str
    address_bits: int
    widths: tuple[int, ...]
    cost: int
    byte: int = 0
    write: tuple[int, int] = (0, 99)
    read: tuple[int, int] = (0, 99)
    blocks: int = 0
    luts: int = 0
    cost_width: int = 0
    rom: bool = True
    one_address: bool = False
    narrower: tuple[int, ...] = ()


@dataclass(frozen=True)
class Mapped:
    """``count`` RAMs of a kind, in ``rows`` that are chosen between outside; None: logic.

    ``spared``: LUTs that narrower RAMs take less.
    """

    ram: Ram | None
    count: int = 0
    rows: int = 1
    spared: int = 0

    @property
    def blocks(self) -> int:
        """Block RAMs."""
        return self.count * self.ram.blocks if self.ram is not None else 0

    @property
    def luts(self) -> int:
        """LUTs used as memory."""
        return self.count * self.ram.luts - self.spared if self.ram is not None else 0

    @property
    def in_block(self) -> bool:
        """True for block RAM, which holds the read register as well."""
        return self.blocks > 0


_ECP5 = (
    Ram("DPR16X4", 4, (4,), 4, luts=4, rom=False),
    Ram("DP16KD", 14, (1, 2, 4, 9, 18), 128, byte=9, blocks=1),
    Ram("PDPW16KD", 14, (1, 2, 4, 9, 18, 36), 128, byte=9, write=(5, 5), blocks=1),
)
_ICE40 = (
    Ram("RAM4K", 11, (2, 4, 8, 16), 64, write=(0, 2), blocks=1),
    Ram("RAM4K byte enables", 11, (2, 4, 8, 16), 64, byte=1, write=(3, 3), blocks=1),
)
_XC7 = (
    Ram("RAM32M", 5, (8,), 8, luts=4, cost_width=8, rom=False, one_address=True),
    Ram("RAM64X1S", 6, (4,), 8, luts=4, cost_width=8, rom=False, one_address=True),
    Ram("RAM128X1S", 7, (2,), 8, luts=4, cost_width=8, rom=False, one_address=True),
    Ram("RAM256X1S", 8, (1,), 8, luts=4, cost_width=8, rom=False, one_address=True),
    Ram("RAM32M", 5, (6,), 8, luts=4, cost_width=7, rom=False),
    Ram("RAM64M", 6, (3,), 8, luts=4, cost_width=7, rom=False),
    Ram("RAMB18 TDP", 14, (1, 2, 4, 9, 18), 129, byte=9, blocks=1),
    Ram("RAMB36 TDP", 15, (1, 2, 4, 9, 18, 36), 257, byte=9, blocks=2),
    Ram("RAMB18 SDP", 14, (1, 2, 4, 9, 18, 36), 129, byte=9, blocks=1),
    Ram("RAMB36 SDP", 15, (1, 2, 4, 9, 18, 36, 72), 257, byte=9, blocks=2),
)
_GOWIN = (
    Ram("RAM16SDP4", 4, (4,), 4, luts=4, cost_width=4, rom=False, narrower=(1, 2)),
    Ram("SP", 14, (1, 2, 4, 9, 18, 36), 128, byte=9, blocks=1, one_address=True),
    Ram("DP", 14, (1, 2, 4, 9, 18), 128, byte=9, blocks=1),
    Ram("SDP", 14, (1, 2, 4, 9, 18, 36), 128, byte=9, blocks=1),
)
_RAMS: Mapping[Technology, tuple[Ram, ...]] = {
    Technology.ECP5: _ECP5,
    Technology.ICE40: _ICE40,
    Technology.XC7: _XC7,
    Technology.GOWIN: _GOWIN,
}
# As in rtl/sephw_fifo.sv.
_FIFO_BITS_PER_BLOCK = 4096
# Cost of a bit in logic.
_LOGIC_RAM = 1.0
_LOGIC_ROM: Mapping[Technology, float] = {
    Technology.ECP5: 1 / 16,
    Technology.ICE40: 1 / 16,
    Technology.XC7: 1 / 64,
    Technology.GOWIN: 1 / 16,
}


def map_fifo(technology: Technology, part: OutputPart) -> Mapped:
    """The mapping of an output FIFO's memory; None: registers.

    On ECP5 rtl/sephw_fifo.sv chooses, which does not know what is constant, or ``part.in_block``
    does; elsewhere the tool.
    """
    return _map_fifo(technology, part.bits, part.columns, part.words, part.in_block)


@cache
def _map_fifo(
    technology: Technology, width: int, columns: int, words: int, in_block: bool
) -> Mapped:
    if words <= 2 or not columns:
        return Mapped(None)
    if technology is not Technology.ECP5:
        return map_memory(technology, columns, words, True)
    bits = -(-words // 16) * 16 * width
    in_luts = not in_block and bits <= _FIFO_BITS_PER_BLOCK * -(-width // 36)
    shapes = [_shape(ram, columns, words, True) for ram in _ECP5 if (ram.blocks == 0) == in_luts]
    return min(shapes, key=lambda shape: shape[0])[1]


def map_part(technology: Technology, part: MemoryPart) -> Mapped:
    """The mapping of a memory of an engine."""
    writable = part.kind is MemoryKind.RAM
    return map_memory(technology, part.columns, part.depth, writable, part.one_address)


@cache
def map_memory(
    technology: Technology, width: int, depth: int, writable: bool, one_address: bool = False
) -> Mapped:
    """The mapping of ``depth`` words of ``width`` bits, constant ones not counted.

    ``one_address``: words are read where they are written.
    """
    if not width:
        return Mapped(None)
    # The tool keeps the best costs as integers.
    best = int(width * depth * (_LOGIC_RAM if writable else _LOGIC_ROM[technology]))
    found = Mapped(None)
    for ram in _RAMS[technology]:
        if (not writable and not ram.rom) or (ram.one_address and not one_address):
            continue
        cost, mapped = _shape(ram, width, depth, writable)
        if cost < best:
            best, found = int(cost), mapped
    return found


def _shape(ram: Ram, width: int, depth: int, writable: bool) -> tuple[float, Mapped]:
    """The cheapest shape of ``ram``: its cost and what it takes."""
    byte_index = max((i for i, bits in enumerate(ram.widths) if ram.byte >= bits), default=0)
    if not ram.byte:
        byte_index = len(ram.widths) - 1
    best: tuple[float, Mapped] | None = None
    limit = 0
    for base in range(len(ram.widths)):
        unit_index = min(base, ram.read[1], *((ram.write[1],) if writable else ()))
        if unit_index != base and best is not None:
            break
        if writable and base < ram.write[0] and base < byte_index:
            continue
        unit = ram.widths[unit_index]
        byte = ram.byte if 0 < ram.byte <= unit else unit
        word = -(-width // byte) * byte if writable else width
        rows = -(-depth // (1 << (ram.address_bits - base)))
        count = -(-rows * word // unit)
        cost = (ram.cost - ram.cost_width) * count + ram.cost_width * rows * width / unit
        cost += _CHOICE * (rows - 1) * width + _PORT
        if writable and rows > 1:
            cost += _CHOICE * rows
        if best is None or cost < limit:
            rest = width % unit
            fits = min((n for n in ram.narrower if 0 < rest <= n), default=unit)
            best, limit = (cost, Mapped(ram, count, rows, rows * (unit - fits))), int(cost)
    assert best is not None
    return best


__all__ = ["Mapped", "Ram", "map_fifo", "map_memory", "map_part"]
