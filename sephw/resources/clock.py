"""The components of an engine's clock period."""

from __future__ import annotations

from collections.abc import Mapping
from math import log2

from sephw.ir import Structure
from sephw.resources.blocks import dsp, mapped_memories
from sephw.resources.memories import map_fifo
from sephw.technologies import Technology


def delays(parts: Structure, technology: Technology) -> Mapping[str, float]:
    """The terms of the period by the name of their coefficient, which is in ns."""
    memories = mapped_memories(parts, technology)
    fifos = [map_fifo(technology, out) for out in parts.outputs]
    return {
        "once": 1.0,
        "carry": float(parts.logic_depth),
        "chained": float(parts.chained_bits > 0),
        "fanout": log2(1 + parts.fanout),
        "block": float(any(mapped.in_block for mapped in (*memories, *fifos))),
        "dsp": float(dsp(parts, technology) > 0),
        "rows": log2(max(mapped.rows for mapped in (*memories, *fifos))),
        "counter": log2(max((*parts.counters, *(out.depth for out in parts.outputs), 2))),
        "table": max(
            (
                log2(m.depth)
                for m, mapped in zip(parts.memories, memories, strict=True)
                if mapped.ram is None and m.depth > 1
            ),
            default=0.0,
        ),
    }


__all__ = ["delays"]
