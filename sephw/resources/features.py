"""The features that an engine's LUTs are proportional to: counts per part of the structure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sephw.ir import (
    AdderPart,
    ChoicePart,
    MemoryKind,
    MemoryPart,
    MultiplierPart,
    OutputPart,
    PairPart,
    Structure,
)
from sephw.resources.blocks import ProductMapping, in_dsp, map_product
from sephw.resources.memories import MemoryMapping, map_fifo, map_part
from sephw.technologies import LOGIC, Technology


@dataclass(frozen=True)
class Features:
    """``fixed``: LUTs of memories, which need no fit. ``counts``: by name of a coefficient."""

    fixed: int
    counts: Mapping[str, float]


def features(parts: Structure, technology: Technology, kind: str) -> Features:
    """Features of an engine of ``kind`` (`Operator.cost_kind`), which names what it has once."""
    counted = _Counter(technology)
    counted.add(f"once:{kind}", 1)
    for memory in parts.memories:
        counted.memory(memory)
    for output in parts.outputs:
        counted.output(output)
    for period in parts.counters:
        counted.counter(period)
    for adder in parts.adders:
        counted.adder(adder)
    for pair in parts.pairs:
        counted.pair(pair)
    for choice in parts.choices:
        counted.choice(choice)
    for adder in in_dsp(parts, technology).adders:
        counted.adder(replace(adder, count=-adder.count))
    for part in parts.multipliers:
        counted.product(part)
    for name in (
        "xor_bits",
        "mux_bits",
        "load_bits",
        "compare_bits",
        "shift_bits",
        "clip_bits",
        "clipped_bits",
        "control_bits",
        "serial_adders",
        "serial_shifts",
        "chained_bits",
    ):
        # What serial adders take depends on their digits.
        suffix = f":{parts.digit_bits}" if name.startswith("serial") else ""
        counted.add(name + suffix, getattr(parts, name))
    if counted.logic.shift_registers:
        counted.add("delay_chains", parts.delay_chains)
    return Features(counted.fixed, dict(counted.counts))


class _Counter:
    def __init__(self, technology: Technology) -> None:
        self.technology = technology
        self.logic = technology.require(LOGIC)
        self.fixed = 0
        self.counts: defaultdict[str, float] = defaultdict(float)

    def add(self, name: str, count: float) -> None:
        if count:
            self.counts[name] += count

    def sum(self, name: str, count: int, bits: int) -> None:
        """Sums of two operands."""
        if bits <= self.logic.small_sum_bits:
            self.add(f"{name}:small", count * bits)
        else:
            self.add(name, count * self._carried(bits))

    def _carried(self, bits: int) -> int:
        """LUTs of the carry cells that add so many bits."""
        cell_bits = self.logic.carry_cell_bits
        return -(-bits // cell_bits) * cell_bits

    def adder(self, part: AdderPart) -> None:
        """Carry cells with gates are made by hand, however narrow."""
        if part.removable and not self.logic.carry_gates:
            return
        if (part.gates or part.removable) and self.logic.carry_gates:
            self.add("adder", part.count * self._carried(part.bits))
            return
        if part.gates:
            self.add(f"gates:{part.gates}", part.count * part.bits)
        self.sum("adder", part.count, part.bits)

    def product(self, part: MultiplierPart) -> None:
        a_bits, b_bits = max(part.a_bits, part.b_bits), min(part.a_bits, part.b_bits)
        whole = ProductMapping(0, ((a_bits, b_bits, part.product_bits),))
        found = whole if part.in_logic else map_product(part, self.technology)
        for a_bits, b_bits, product_bits in found.logic:
            if b_bits == 1:
                # Gates, which the adder behind them takes in.
                continue
            # Rows beyond two are compressed, three to two, before the one adder.
            self.add("multiplier:rows", part.count * a_bits * max(0, b_bits - 2))
            self.add("multiplier:once", part.count)
            self.sum("multiplier", part.count, product_bits)
        for bits in found.sums:
            self.sum("multiplier", part.count, bits)

    def pair(self, part: PairPart) -> None:
        """Gated adders of every lane, or one sum and one difference and a choice per lane."""
        if self.logic.carry_gates:
            self.adder(AdderPart(part.lanes * part.pairs, part.bits, gates=2))
            return
        self.sum("adder", 2 * part.pairs, part.value_bits + 1)
        self.add("pair:choice", part.lanes * part.pairs * part.bits)

    def choice(self, part: ChoicePart) -> None:
        """Multiplexers."""
        self.add("parts:choice", part.bits * self.logic.choice_luts(part.parts))

    def counter(self, period: int) -> None:
        if period > 1:
            self._address("counter", period)

    def _address(self, name: str, period: int) -> None:
        """Counts up to a period and starts again."""
        bits = (period - 1).bit_length()
        if bits <= 4:
            self.add(f"{name}:{bits}", 1)
            return
        self.add(f"{name}:once", 1)
        self.add(f"{name}:bits", bits)
        self.sum(name, 1, bits)

    def output(self, part: OutputPart) -> None:
        """Credits before the pipeline and behind the head, two addresses, the FIFO's words."""
        words = part.words
        self._credit(part.depth)
        if words > 1:
            self._credit(words)
        if not words:
            return
        if words & (words - 1):
            self._address("place", words)
            self._address("place", words)
        else:
            self.add("place:power", 2 * (words - 1).bit_length())
        mapped = map_fifo(self.technology, part)
        self._words(mapped, part.columns, words)

    def _credit(self, most: int) -> None:
        """Counts from 0 to ``most``, up and down."""
        count_bits = most.bit_length()
        if count_bits <= 4:
            self.add(f"credit:{count_bits}", 1)
            return
        self.add("credit:once", 1)
        self.add("credit:bits", count_bits)
        self.sum("credit", 2, count_bits)

    def memory(self, part: MemoryPart) -> None:
        mapped = map_part(self.technology, part)
        if mapped.ram is not None or part.kind is MemoryKind.RAM:
            self._words(mapped, part.columns, part.depth)
        elif part.depth > 1:
            self._table(part.distinct, part.depth)

    def _words(self, mapped: MemoryMapping, width: int, depth: int) -> None:
        """Words that can be written: RAM, or registers and the choice between them."""
        self.fixed += mapped.luts
        if mapped.ram is not None:
            self._rows(mapped, width)
        elif depth <= 2:
            self.add("registers:two", width * (depth - 1))
        else:
            self.add("registers:choice", width * (depth - 1))
            self.add("registers:words", depth)

    def _rows(self, mapped: MemoryMapping, width: int) -> None:
        if mapped.rows > 1:
            self.add(f"rows:{'block' if mapped.in_block else 'lut'}", width * (mapped.rows - 1))
            self.add("rows:writes", mapped.rows)

    def _table(self, distinct: int, depth: int) -> None:
        """Constants in logic: LUTs by the bits of the address."""
        bits = (depth - 1).bit_length()
        inputs = self.logic.lut_inputs
        if bits <= inputs:
            # No more than the functions there are, some of them plain wires.
            self.add(f"table:{bits}", min(distinct, 2 ** min(depth, 16)))
        else:
            self.add("table:words", distinct * depth / 2**inputs)
            self.add("table:once", distinct)


__all__ = ["Features", "features"]
