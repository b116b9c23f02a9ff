"""The bits of each stream that a netlist observes: those that something in it reads.

Synthesis drops a register whose bit nobody reads, and keeps the net's name. Such a net has no
driver, or an arbitrary one; its value changes nothing that leaves the network.
"""

from __future__ import annotations

import numpy as np

from sephw.backends.layout import Layout, StreamInfo
from sephw.ir import Integers
from sephw.synth.netlist.model import Netlist
from sephw.technologies.cell_models import Bit, Function, Register


def observed_bits(netlist: Netlist, layout: Layout) -> dict[str, Integers]:
    """Masks of the observed bits, int64 (h, w, c), of inner streams with others, by tensor.

    Bits above a value's own are copies of its highest one, so they go with it.
    """
    read = read_nets(netlist)
    masks = {}
    for name, stream in layout.streams.items():
        bits = netlist.named.get(f"{stream.variable}_tdata", ())
        seen = [(isinstance(bit, int) and bit in read) or bit in ("0", "1") for bit in bits]
        if seen and not all(seen) and name not in (*layout.inputs, *layout.outputs):
            masks[name] = _mask(seen, stream)
    return masks


def read_nets(netlist: Netlist) -> frozenset[Bit]:
    """The nets that a part or an output of the module reads."""
    read: set[Bit] = set()
    for part in netlist.parts:
        if isinstance(part, Function):
            read.update(part.inputs)
        elif isinstance(part, Register):
            read.update((part.data, part.clock, part.enable, part.reset))
        else:
            for port, bits in part.ports.items():
                if port not in part.outputs:
                    read.update(bits)
    for direction, _, bits in netlist.ports:
        if direction == "output":
            read.update(bits)
    return frozenset(read)


def _mask(seen: list[bool], stream: StreamInfo) -> Integers:
    lanes = []
    for lane in range(stream.lanes):
        of_lane = seen[lane * stream.bits : (lane + 1) * stream.bits]
        mask = 0 if not of_lane[-1] else -1 << stream.bits
        lanes.append(mask | sum(1 << k for k, is_seen in enumerate(of_lane) if is_seen))
    return np.resize(np.array(lanes, np.int64), stream.shape)
