"""Straight-line C++ for HLS: one exact ap_int or ap_uint per node."""

from __future__ import annotations

from sephw.adder_graph.graph import AdderGraph, Interval
from sephw.adder_graph.ports import ports, unread_inputs


def emit_cpp(
    graph: AdderGraph, function: str, *, in_bits: int | None = None, out_bits: int | None = None
) -> str:
    """A C++11 header with ``sephw::function(const in_t x[inputs], out_t y[outputs])``.

    in_t and out_t are ap_int or ap_uint of the widths of ``ports``. Raises SephwError where a
    given width is too small.
    """
    lanes = ports(graph, in_bits, out_bits)
    inputs = len(graph.inputs)
    names = [f"x[{node}]" for node in range(inputs)]
    names += [f"n{index}" for index in range(len(graph.adders))]
    guard = f"SEPHW_{function.upper()}_H_"
    lines = [
        f"// {len(graph.outputs)} constant sums of {inputs} inputs by {len(graph.adders)} adders "
        "of two operands; generated.",
        "// Each node is as wide as its exact interval, so nothing overflows.",
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        '#include "ap_int.h"',
        "",
        "namespace sephw {",
        "",
        f"inline void {function}(const {_type(lanes.in_bits, lanes.in_signed)} x[{inputs}],",
        f"    {_type(lanes.out_bits, lanes.out_signed)} y[{len(graph.outputs)}]) {{",
        "#pragma HLS INLINE off",
        "#pragma HLS PIPELINE II = 1",
        "#pragma HLS ARRAY_PARTITION variable = x complete",
        "#pragma HLS ARRAY_PARTITION variable = y complete",
    ]
    if len(unread_inputs(graph)) == inputs:
        lines.append("    (void)x;")
    for index, adder in enumerate(graph.adders):
        kind = _type_of(graph.intervals[inputs + index])
        left = _operand(kind, names[adder.left], adder.left_shift)
        right = _operand(kind, names[adder.right], adder.right_shift)
        lines.append(
            f"    const {kind} n{index} = {left} {'-' if adder.subtract else '+'} {right};"
        )
    kind = _type(lanes.out_bits, lanes.out_signed)
    for index, output in enumerate(graph.outputs):
        value = "0" if output.node is None else _operand(kind, names[output.node], output.shift)
        lines.append(f"    y[{index}] = {'-' if output.negate else ''}{value};")
    lines += ["}", "", "} // namespace sephw", "", "#endif", ""]
    return "\n".join(lines)


def _type(bits: int, signed: bool) -> str:
    return f"ap_{'' if signed else 'u'}int<{bits}>"


def _type_of(interval: Interval) -> str:
    return _type(interval.bits, interval.signed)


def _operand(kind: str, name: str, shift: int) -> str:
    # Converted before it is shifted: the result's type holds every bit that counts.
    return f"({kind}({name}) << {shift})" if shift else f"{kind}({name})"
