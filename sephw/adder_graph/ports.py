"""Lanes at the ports of a core: of equal widths, lane 0 in the low bits, as on the streams."""

from __future__ import annotations

from dataclasses import dataclass

from sephw.adder_graph.graph import AdderGraph, Interval
from sephw.errors import SephwError


@dataclass(frozen=True)
class Ports:
    """Width and sign of every input lane and of every output lane, in bits."""

    in_bits: int
    in_signed: bool
    out_bits: int
    out_signed: bool


def ports(graph: AdderGraph, in_bits: int | None = None, out_bits: int | None = None) -> Ports:
    """The narrowest lanes for the graph's intervals, or wider ones of the given widths in bits.

    Raises SephwError where a given width is too small.
    """
    least_in, in_signed = _lane(graph.inputs)
    least_out, out_signed = _lane(graph.output_intervals)
    for what, given, least in (("in", in_bits, least_in), ("out", out_bits, least_out)):
        if given is not None and given < least:
            raise SephwError(
                f"adder graph: {what}_bits={given} cannot hold its {what}puts; give {least} or more"
            )
    return Ports(in_bits or least_in, in_signed, out_bits or least_out, out_signed)


def _lane(intervals: tuple[Interval, ...]) -> tuple[int, bool]:
    signed = any(interval.signed for interval in intervals)
    widths = [i.signed_bits if signed else i.bits for i in intervals]
    return max(widths, default=1), signed


def unread_inputs(graph: AdderGraph) -> list[int]:
    """Inputs that no adder and no output reads."""
    read = {adder.left for adder in graph.adders} | {adder.right for adder in graph.adders}
    read |= {output.node for output in graph.outputs if output.node is not None}
    return [node for node in range(len(graph.inputs)) if node not in read]
