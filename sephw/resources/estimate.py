"""`estimate`: resources and clock rate of one engine, without synthesis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sephw.errors import SephwError
from sephw.ir import Folding, MemoryKind, Multipliers, Operator, Structure
from sephw.ir.resources import Resources
from sephw.resources.memories import map_memory
from sephw.targets import Technology

CHARACTERIZED = (Technology.ECP5, Technology.ICE40, Technology.XC7)


@dataclass(frozen=True)
class Estimate:
    """Of one engine. ``fmax_mhz``: infinite where the technology's clock is not modelled."""

    resources: Resources
    fmax_mhz: float


def estimate(
    operator: Operator,
    folding: Folding,
    fifo_depths: Sequence[int],
    technology: Technology,
    *,
    solve: bool = False,
) -> Estimate:
    """Resources and clock rate of an engine by itself; ``fifo_depths`` in beats, by output.

    ``solve``: solve the graph of an adder family (seconds, once) instead of guessing its size.
    Raises SephwError for a technology that has not been characterized.
    """
    if technology not in CHARACTERIZED:
        names = ", ".join(CHARACTERIZED)
        raise SephwError(
            f"resource model: {technology} has not been characterized; estimates exist for {names}"
        )
    parts = operator.structure(folding, fifo_depths, solve=solve)
    return _crude(parts, folding, technology)


def _crude(parts: Structure, folding: Folding, technology: Technology) -> Estimate:
    lut = ff = bram = dsp = 0.0
    wide = technology is Technology.XC7
    for memory in parts.memories:
        writable = memory.kind is MemoryKind.RAM
        mapped = map_memory(technology, memory.columns, memory.depth, writable)
        bram += mapped.blocks
        lut += mapped.luts
        if not mapped.in_block:
            ff += memory.columns
        if mapped.ram is None:
            bits = memory.columns * memory.depth
            lut += bits / (32 if wide else 10) if not writable else bits * 0.6
            ff += bits if writable else 0
    for out in parts.outputs:
        address = max(1, (out.depth - 1).bit_length())
        if out.depth <= 2:
            lut += out.bits / (2 if wide else 1)
            ff += out.bits * (out.depth + 1)
        else:
            mapped = map_memory(technology, out.bits, out.depth, True)
            bram += mapped.blocks
            lut += mapped.luts
            ff += 0 if mapped.in_block else out.bits
            if mapped.ram is None:
                lut += out.bits * out.depth * 0.6
                ff += out.bits * out.depth
        lut += 10 + 6 * address
        ff += 6 + 4 * address + out.stages
    for period in parts.counters:
        if period > 1:
            bits = (period - 1).bit_length()
            lut += 2 * bits + 2
            ff += bits + 1
    for product in parts.multipliers:
        if folding.multipliers is Multipliers.DSP and min(product.a_bits, product.b_bits) >= 4:
            dsp += product.count
        else:
            lut += product.count * product.a_bits * product.b_bits * (0.7 if wide else 1.2)
    lut += sum(part.count * (part.bits + 2 * (not wide)) for part in parts.adders)
    lut += parts.mux_bits * (0.5 if wide else 1.0) + parts.compare_bits
    lut += 0.6 * parts.shift_bits + 1.5 * parts.clipped_bits + parts.serial_adders
    ff += parts.register_bits
    counts = Resources(round(lut), round(ff), round(bram), round(dsp))
    scale = {Technology.ECP5: 150.0, Technology.ICE40: 45.0}
    if technology not in scale:
        return Estimate(counts, float("inf"))
    return Estimate(counts, scale[technology] / (1 + parts.logic_depth / 64 + parts.fanout / 4000))
