"""Yosys' mapping of memories to block RAMs, RAM in LUTs, or logic.

`memory_libmap` compares the costs of every shape of every kind of RAM of the technology with that
of logic, and takes the cheapest; this is that comparison for the memories of our engines, which
have one read port and at most one write port.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sephw.ir import MemoryKind, MemoryPart, OutputPart
from sephw.technologies import RAMS, Technology
from sephw.technologies.fabric import Ram

# Costs of bits that the address decoding outside of the RAMs chooses between, and of each port
# that is not shared with another one.
_CHOICE = 0.5
_PORT = 2


@dataclass(frozen=True)
class MemoryMapping:
    """``count`` RAMs of a kind in ``rows``, selected by logic outside; ``ram`` None: all logic.

    ``luts_saved``: LUTs that narrower RAMs save.
    """

    ram: Ram | None
    count: int = 0
    rows: int = 1
    luts_saved: int = 0

    @property
    def blocks(self) -> int:
        """Block RAMs."""
        return self.count * self.ram.blocks if self.ram is not None else 0

    @property
    def luts(self) -> int:
        """LUTs used as memory."""
        return self.count * self.ram.luts - self.luts_saved if self.ram is not None else 0

    @property
    def in_block(self) -> bool:
        """True for block RAM, which contains the read register as well."""
        return self.blocks > 0


# As in rtl/sephw_fifo.sv.
_FIFO_BITS_PER_BLOCK = 4096
# Cost of a bit of RAM in logic.
_LOGIC_RAM = 1.0


def map_fifo(technology: Technology, part: OutputPart) -> MemoryMapping:
    """The mapping of an output FIFO's memory; registers where ``ram`` is None.

    Where engines place their FIFOs, rtl/sephw_fifo.sv decides, which does not know constant bits,
    or ``part.in_block`` does; elsewhere the synthesis tool decides.
    """
    return _map_fifo(technology, part.bits, part.columns, part.words, part.in_block)


@cache
def _map_fifo(
    technology: Technology, width: int, columns: int, words: int, in_block: bool
) -> MemoryMapping:
    if words <= 2 or not columns:
        return MemoryMapping(None)
    rams = technology.require(RAMS)
    if not rams.engines_place_fifos:
        return map_memory(technology, columns, words, True)
    bits = -(-words // 16) * 16 * width
    in_luts = not in_block and bits <= _FIFO_BITS_PER_BLOCK * -(-width // 36)
    shapes = [
        _shape(ram, columns, words, True) for ram in rams.kinds if (ram.blocks == 0) == in_luts
    ]
    return min(shapes, key=lambda shape: shape[0])[1]


def map_part(technology: Technology, part: MemoryPart) -> MemoryMapping:
    """The mapping of a memory of an engine."""
    writable = part.kind is MemoryKind.RAM
    return map_memory(technology, part.columns, part.depth, writable, part.one_address)


@cache
def map_memory(
    technology: Technology, width: int, depth: int, writable: bool, one_address: bool = False
) -> MemoryMapping:
    """The mapping of ``depth`` words of ``width`` bits, constant ones not counted.

    ``one_address``: words are read where they are written.
    """
    if not width:
        return MemoryMapping(None)
    rams = technology.require(RAMS)
    # The tool keeps the best costs as integers.
    best = int(width * depth * (_LOGIC_RAM if writable else rams.rom_bit_cost))
    found = MemoryMapping(None)
    for ram in rams.kinds:
        if (not writable and not ram.rom) or (ram.one_address and not one_address):
            continue
        cost, mapped = _shape(ram, width, depth, writable)
        if cost < best:
            best, found = int(cost), mapped
    return found


def _shape(ram: Ram, width: int, depth: int, writable: bool) -> tuple[float, MemoryMapping]:
    """The cost and the mapping of the cheapest shape of ``ram``."""
    byte_index = max((i for i, bits in enumerate(ram.widths) if ram.byte >= bits), default=0)
    if not ram.byte:
        byte_index = len(ram.widths) - 1
    best: tuple[float, MemoryMapping] | None = None
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
            best, limit = (cost, MemoryMapping(ram, count, rows, rows * (unit - fits))), int(cost)
    assert best is not None
    return best


__all__ = ["MemoryMapping", "map_fifo", "map_memory", "map_part"]
