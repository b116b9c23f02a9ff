"""Bit-parallel SystemVerilog: each adder a register, delays shared, one vector per clock."""

from __future__ import annotations

from sephw.adder_graph.graph import Adder, AdderGraph, Interval
from sephw.adder_graph.pipeline import Pipeline, schedule
from sephw.adder_graph.ports import Ports, ports, unread_inputs


def emit_parallel(
    graph: AdderGraph,
    module: str,
    *,
    in_bits: int | None = None,
    out_bits: int | None = None,
    pipeline: Pipeline | None = None,
) -> str:
    """The SystemVerilog text of ``module``, with ports clk, in_data and out_data.

    ``out_data`` belongs to the ``in_data`` of ``pipeline.latency_cycles`` cycles before. Raises
    SephwError where ``in_bits`` or ``out_bits`` per lane is too small.
    """
    lanes = ports(graph, in_bits, out_bits)
    return _Emitter(graph, module, lanes, pipeline or schedule(graph)).text()


class _Emitter:
    def __init__(self, graph: AdderGraph, module: str, lanes: Ports, plan: Pipeline) -> None:
        self.graph = graph
        self.module = module
        self.lanes = lanes
        self.plan = plan
        self.inputs = len(graph.inputs)
        # Signals of which nothing, or not every bit, is read.
        self.unused = {f"x{node}" for node in unread_inputs(graph)}

    def text(self) -> str:
        graph, lanes = self.graph, self.lanes
        declared: list[str] = []
        clocked: list[str] = []
        for node, interval in enumerate(graph.intervals):
            self._declare(node, interval, declared)
            if node >= self.inputs:
                adder = graph.adders[node - self.inputs]
                clocked.append(f"{self._name(node, 0)} <= {self._sum(node, interval, adder)};")
            for delay in range(1, self.plan.delays(node) + 1):
                clocked.append(f"{self._name(node, delay)} <= {self._name(node, delay - 1)};")
        assigned = [self._output(index) for index in range(len(graph.outputs))]
        unused = ", ".join(["1'b0", *([] if clocked else ["clk"]), *sorted(self.unused)])
        if "," in unused:
            assigned.append(f"wire unused = &{{{unused}}};")
        lines = [
            f"// {len(graph.outputs)} constant sums of {self.inputs} inputs by "
            f"{len(graph.adders)} adders of two operands; generated.",
            "//",
            f"// in_data:  {self.inputs} lanes of {_kind(lanes.in_bits, lanes.in_signed)}.",
            f"// out_data: {len(graph.outputs)} lanes of "
            f"{_kind(lanes.out_bits, lanes.out_signed)}. Lane 0 is in the low bits.",
            f"// Timing: out_data is {self.plan.latency_cycles} cycles after its in_data; "
            "a new vector every cycle; no reset.",
            "// Invariant: each node is as wide as its exact interval, so nothing overflows.",
            "`default_nettype none",
            "",
            f"module {self.module} (",
            "    input  wire clk,",
            f"    input  wire [{self.inputs * lanes.in_bits - 1}:0] in_data,",
            f"    output wire [{len(graph.outputs) * lanes.out_bits - 1}:0] out_data",
            ");",
            *(f"  {line}" for line in declared),
        ]
        if clocked:
            lines += ["", "  always_ff @(posedge clk) begin"]
            lines += [*(f"    {line}" for line in clocked), "  end"]
        lines += ["", *(f"  {line}" for line in assigned), "endmodule", "", "`default_nettype wire"]
        return "\n".join(lines) + "\n"

    def _name(self, node: int, delay: int) -> str:
        base = f"x{node}" if node < self.inputs else f"n{node - self.inputs}"
        return base if delay == 0 else f"{base}_d{delay}"

    def _declare(self, node: int, interval: Interval, declared: list[str]) -> None:
        bits = interval.bits
        names = [self._name(node, delay) for delay in range(self.plan.delays(node) + 1)]
        if node < self.inputs:
            bits = self.lanes.in_bits
            lane = f"in_data[{node * bits}+:{bits}]"
            declared.append(f"wire {_range(bits, self.lanes.in_signed)} {names.pop(0)} = {lane};")
        if names:
            signed = self.lanes.in_signed if node < self.inputs else interval.signed
            declared.append(f"logic {_range(bits, signed)} {', '.join(names)};")

    def _width(self, node: int) -> int:
        return self.lanes.in_bits if node < self.inputs else self.graph.intervals[node].bits

    def _at(self, node: int, stage: int, bits: int, shift: int) -> str:
        """The node's value in ``stage`` as ``bits`` bits; modulo 2^bits its sign does not
        matter.
        """
        name = self._name(node, stage - self.plan.stages[node])
        if self._width(node) + shift > bits:
            self.unused.add(name)
        cast = name if self._width(node) == bits else f"{bits}'({name})"
        return f"({cast} << {shift})" if shift else cast

    def _sum(self, node: int, interval: Interval, adder: Adder) -> str:
        stage = self.plan.stages[node] - 1
        left = self._at(adder.left, stage, interval.bits, adder.left_shift)
        right = self._at(adder.right, stage, interval.bits, adder.right_shift)
        return f"{left} {'-' if adder.subtract else '+'} {right}"

    def _output(self, index: int) -> str:
        output, bits = self.graph.outputs[index], self.lanes.out_bits
        lane = f"out_data[{index * bits}+:{bits}]"
        if output.node is None:
            return f"assign {lane} = '0;"
        value = self._at(output.node, self.plan.latency_cycles, bits, output.shift)
        # In parentheses: Yosys reads -8'(x) as a cast to −8 bits.
        return f"assign {lane} = {f'-({value})' if output.negate else value};"


def _range(bits: int, signed: bool) -> str:
    return f"{'signed ' if signed else ''}[{bits - 1}:0]"


def _kind(bits: int, signed: bool) -> str:
    return f"{bits} bits, " + ("two's complement" if signed else "unsigned")
