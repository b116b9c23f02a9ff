"""Digit-serial SystemVerilog: the same graph with adders of d bits, least significant digit first.

Sums are exact modulo 2^(cycles·d), which holds every output, so inner nodes need no width of
their own: all run for the same number of cycles, inputs sign- or zero-extended. A start strobe
travels along the stages one cycle ahead of the first digits; it clears carries and shift
registers, so frames may follow each other without a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from sephw.adder_graph.graph import AdderGraph
from sephw.adder_graph.pipeline import Pipeline, schedule
from sephw.adder_graph.ports import Ports, ports, unread_inputs
from sephw.errors import SephwError

DIGIT_BITS = (1, 2, 4, 8)


@dataclass(frozen=True)
class SerialCore:
    """The emitted text and its timing.

    ``interval_cycles``: the initiation interval, the digits of a frame. ``latency_cycles``: from
    the cycle of ``load`` to the one cycle in which ``out_data`` holds the result.
    """

    text: str
    interval_cycles: int
    latency_cycles: int


def emit_serial(
    graph: AdderGraph,
    module: str,
    digit_bits: int,
    *,
    in_bits: int | None = None,
    out_bits: int | None = None,
    pipeline: Pipeline | None = None,
) -> SerialCore:
    """Modules ``module`` (parallel ports: clk, load, in_data, out_data) and ``module``_digits.

    The latter has digits at both ends: ``in_digits``, with ``in_start`` up in the cycle before the
    first ones, ``out_digits`` and ``out_start``, ``pipeline.latency_cycles`` later.

    Raises SephwError where ``digit_bits`` is not 1, 2, 4 or 8, or a lane is too narrow.
    """
    if digit_bits not in DIGIT_BITS:
        raise SephwError(f"digit_bits is {digit_bits}; legal digit_bits: 1, 2, 4, 8")
    lanes = ports(graph, in_bits, out_bits)
    plan = pipeline or schedule(graph)
    cycles = max(-(-lanes.out_bits // digit_bits), -(-lanes.in_bits // digit_bits))
    text = "\n".join(
        [
            _head(graph, lanes, digit_bits, cycles, plan.latency_cycles),
            # Two modules in one file.
            "/* verilator lint_off DECLFILENAME */",
            _digits(graph, module, digit_bits, plan),
            "/* verilator lint_on DECLFILENAME */",
            _parallel_ends(graph, module, lanes, digit_bits, cycles),
            "`default_nettype wire\n",
        ]
    )
    return SerialCore(text, cycles, 1 + plan.latency_cycles + cycles)


def _head(graph: AdderGraph, lanes: Ports, digit: int, cycles: int, depth: int) -> str:
    return f"""\
// {len(graph.outputs)} constant sums of {len(graph.inputs)} inputs by {len(graph.adders)} \
adders of {digit} bit{"s" if digit > 1 else ""} each; generated.
//
// in_data:  {len(graph.inputs)} lanes of {lanes.in_bits} bits, \
{"two's complement" if lanes.in_signed else "unsigned"}, lane 0 in the low bits.
// out_data: {len(graph.outputs)} lanes of {lanes.out_bits} bits, \
{"two's complement" if lanes.out_signed else "unsigned"}.
// Timing: a load every {cycles} cycles or more seldom; out_data holds its result in one cycle,
//   {1 + depth + cycles} cycles after load. No reset.
// Invariant: the start strobe of a stage is up in the cycle before the first digits of that stage.
`default_nettype none
"""


def _digits(graph: AdderGraph, module: str, digit: int, plan: Pipeline) -> str:
    inputs, latency = len(graph.inputs), plan.latency_cycles
    span = f"[{digit - 1}:0]"
    body: list[str] = []
    clocked: list[str] = []

    def name(node: int, delay: int) -> str:
        base = f"x{node}" if node < inputs else f"n{node - inputs}"
        return base if delay == 0 else f"{base}_d{delay}"

    starts = [f"start_{stage}" for stage in range(latency + 1)]
    body.append(f"wire {starts[0]} = in_start;")
    if latency:
        body.append(f"logic {', '.join(starts[1:])};")
        clocked += [f"{starts[s + 1]} <= {starts[s]};" for s in range(latency)]
    for node in range(graph.nodes):
        names = [name(node, delay) for delay in range(plan.delays(node) + 1)]
        if node < inputs:
            body.append(f"wire {span} {names[0]} = in_digits[{node * digit}+:{digit}];")
        else:
            body.append(f"wire {span} {names[0]};")
        if names[1:]:
            body.append(f"logic {span} {', '.join(names[1:])};")
            clocked += [f"{later} <= {earlier};" for earlier, later in pairwise(names)]

    shifted: dict[tuple[str, int], str] = {}

    def at(node: int, stage: int, shift: int) -> str:
        plain = name(node, stage - plan.stages[node])
        if shift == 0:
            return plain
        key = (plain, shift)
        if key not in shifted:
            shifted[key] = f"{plain}_s{shift}"
            body.append(f"wire {span} {shifted[key]};")
            body.append(
                f"sephw_serial_shift #(.DIGIT_BITS({digit}), .SHIFT({shift})) {plain}_by{shift} "
                f"(.clk, .start({starts[stage]}), .digit({plain}), .shifted({shifted[key]}));"
            )
        return shifted[key]

    for index, adder in enumerate(graph.adders):
        stage = plan.stages[inputs + index] - 1
        left = at(adder.left, stage, adder.left_shift)
        right = at(adder.right, stage, adder.right_shift)
        body.append(
            f"sephw_serial_add #(.DIGIT_BITS({digit}), .SUBTRACT({int(adder.subtract)})) "
            f"add{index} (.clk, .start({starts[stage]}), .left({left}), .right({right}), "
            f".sum(n{index}));"
        )
    for index, output in enumerate(graph.outputs):
        value = "'0" if output.node is None else at(output.node, latency, output.shift)
        body.append(f"assign out_digits[{index * digit}+:{digit}] = {value};")
    unused = [f"x{node}" for node in unread_inputs(graph)] + ([] if latency else ["clk"])
    if unused:
        body.append(f"wire unused = &{{1'b0, {', '.join(unused)}}};")
    if clocked:
        body += ["always_ff @(posedge clk) begin", *(f"  {c}" for c in clocked), "end"]
    return "\n".join(
        [
            f"module {module}_digits (",
            "    input  wire clk,",
            "    input  wire in_start,",
            f"    input  wire [{inputs * digit - 1}:0] in_digits,",
            "    output wire out_start,",
            f"    output wire [{len(graph.outputs) * digit - 1}:0] out_digits",
            ");",
            *(f"  {line}" for line in body),
            f"  assign out_start = {starts[latency]};",
            "endmodule",
            "",
        ]
    )


def _parallel_ends(graph: AdderGraph, module: str, lanes: Ports, digit: int, cycles: int) -> str:
    inputs, outputs = len(graph.inputs), len(graph.outputs)
    negated = sum(int(o.negate) << index for index, o in enumerate(graph.outputs))
    return f"""\
module {module} (
    input  wire clk,
    input  wire load,
    input  wire [{inputs * lanes.in_bits - 1}:0] in_data,
    output wire [{outputs * lanes.out_bits - 1}:0] out_data
);
  localparam bit [{outputs - 1}:0] NEGATED = {outputs}'h{negated:x};
  wire [{inputs * digit - 1}:0] in_digits;
  wire [{outputs * digit - 1}:0] out_digits;
  /* verilator lint_off UNUSEDSIGNAL */
  wire out_start;
  /* verilator lint_on UNUSEDSIGNAL */

  for (genvar i = 0; i < {inputs}; i++) begin : lane
    sephw_serial_source #(
        .BITS({lanes.in_bits}),
        .IS_SIGNED({int(lanes.in_signed)}),
        .DIGIT_BITS({digit})
    ) source (
        .clk,
        .load,
        .data(in_data[i*{lanes.in_bits}+:{lanes.in_bits}]),
        .digit(in_digits[i*{digit}+:{digit}])
    );
  end

  {module}_digits core (
      .clk,
      .in_start(load),
      .in_digits,
      .out_start,
      .out_digits
  );

  for (genvar o = 0; o < {outputs}; o++) begin : result
    wire [{lanes.out_bits - 1}:0] value;
    sephw_serial_sink #(
        .BITS({lanes.out_bits}),
        .CYCLES({cycles}),
        .DIGIT_BITS({digit})
    ) sink (
        .clk,
        .digit(out_digits[o*{digit}+:{digit}]),
        .data(value)
    );
    assign out_data[o*{lanes.out_bits}+:{lanes.out_bits}] = NEGATED[o] ? -value : value;
  end
endmodule
"""
