"""Flip-flops of an engine: counted, not fitted."""

from __future__ import annotations

from sephw.ir import MemoryKind, OutputPart, Structure
from sephw.resources.blocks import in_dsp, word_register_bits
from sephw.resources.memories import MemoryMapping, map_fifo, map_part
from sephw.technologies import LOGIC, Technology


def flip_flops(parts: Structure, technology: Technology) -> int:
    """The number of flip-flops after synthesis."""
    total = parts.register_bits
    total += sum((period - 1).bit_length() + 1 for period in parts.counters if period > 1)
    for memory in parts.memories:
        writable = memory.kind is MemoryKind.RAM
        mapped = map_part(technology, memory)
        total += _memory(mapped, memory.distinct, memory.depth, writable)
        total += word_register_bits(memory, mapped)
    total += sum(_output(part, technology) for part in parts.outputs)
    logic = technology.require(LOGIC)
    if not logic.carry_gates:
        # Two results of a bit more in place of a pair of values.
        total += sum(2 * part.pairs for part in parts.pairs)
    if logic.shift_registers:
        total -= parts.delay_bits
    return total - in_dsp(parts, technology).registers


def _memory(mapped: MemoryMapping, bits: int, depth: int, writable: bool) -> int:
    """The read register, and the words themselves where they are logic."""
    if mapped.in_block:
        # Which row of block RAMs was read.
        return (mapped.rows - 1).bit_length()
    return bits * (1 + depth * (writable and mapped.ram is None))


def _output(part: OutputPart, technology: Technology) -> int:
    """Credits and what waits behind the head, two addresses, valid bits, the FIFO."""
    words = part.words
    waiting = words.bit_length() + 1 if words > 1 else 1
    credits = part.depth.bit_length() + 1 if part.depth > 1 else 1
    addresses = 2 * (words - 1).bit_length() if words else 0
    control = credits + waiting + addresses + 1
    mapped = map_fifo(technology, part)
    return control + part.stages + _memory(mapped, part.columns, words, True)
