"""A netlist as Verilog that Verilator evaluates fast: an expression per function."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from sephw.backends.layout import Layout
from sephw.errors import SephwError
from sephw.synth.netlist.expression import expression, halves
from sephw.synth.netlist.model import Netlist
from sephw.technologies.cell_models import Bit, Block, Function, Register

_SIDES = ("tdata", "tvalid", "tready")
_NETS_PER_LINE = 12
_BITS = frozenset("01xz")


def verilog_text(netlist: Netlist, layout: Layout, *, seed: int = 0) -> str:
    """The module of ``netlist`` under the project's name, its streams visible to the testbench.

    Registers have no initial value; undefined constants and bits of parameters are drawn from
    ``seed``, as are nets that nothing drives. Raises SephwError naming a stream that the netlist
    lacks.
    """
    write = _Writer(np.random.default_rng(seed))
    functions = [part for part in netlist.parts if isinstance(part, Function)]
    registers = [part for part in netlist.parts if isinstance(part, Register)]
    blocks = [part for part in netlist.parts if isinstance(part, Block)]
    inputs = [bits for direction, _, bits in netlist.ports if direction == "input"]
    driven = [block.ports.get(port, ()) for block in blocks for port in sorted(block.outputs)]
    wires = [bit for bits in (*inputs, *driven) for bit in bits]
    wires += [function.output for function in functions]
    body = [
        *write.ports(netlist),
        *(f"  assign {write.bit(f.output)} = {write.function(f)};" for f in functions),
        *write.registers(registers),
        *(line for number, block in enumerate(blocks) for line in write.block(block, number)),
        *write.streams(netlist, layout),
    ]
    known = {*wires, *(register.output for register in registers)}
    floating = sorted(write.used - known)
    return "\n".join(
        [
            f"// The netlist of {layout.project}: functions, registers and blocks; generated.",
            "// Net k is n<k>.",
            f"module {layout.project} (",
            ",\n".join(f"  {way} wire {_range(bits)}{name}" for way, name, bits in netlist.ports),
            ");",
            *_declarations("wire", wires),
            *_declarations("reg", [register.output for register in registers]),
            *(f"  wire n{bit} = {write.drawn()};" for bit in floating),
            *body,
            "endmodule",
            "",
        ]
    )


@dataclass
class _Writer:
    """Text of parts; ``used``: the nets that were named."""

    rng: np.random.Generator
    used: set[int] = field(default_factory=set)

    def drawn(self) -> str:
        """A constant for what is undefined."""
        return f"1'b{self.rng.integers(2)}"

    def bit(self, bit: Bit) -> str:
        if isinstance(bit, int):
            self.used.add(bit)
            return f"n{bit}"
        return f"1'b{bit}" if bit in ("0", "1") else self.drawn()

    def bits(self, bits: Sequence[Bit]) -> str:
        """Lowest first, as a concatenation."""
        return f"{{{', '.join(self.bit(bit) for bit in reversed(bits))}}}"

    def function(self, function: Function) -> str:
        """A function's expression, with constant inputs folded into the table."""
        table, inputs = function.table, list(function.inputs)
        for at in reversed(range(len(inputs))):
            bit = inputs[at]
            if isinstance(bit, str):
                value = self.drawn()[-1] if bit in ("x", "z") else bit
                table = halves(table, len(inputs), at)[int(value)]
                del inputs[at]
        return expression(table, len(inputs)).format(*(self.bit(bit) for bit in inputs))

    def ports(self, netlist: Netlist) -> list[str]:
        lines = []
        for direction, name, bits in netlist.ports:
            if direction == "input":
                lines.append(f"  assign {self.bits(bits)} = {name};")
            else:
                lines.append(f"  assign {name} = {self.bits(bits)};")
        return lines

    def registers(self, registers: Iterable[Register]) -> list[str]:
        """One process per clock edge, and per asynchronous reset."""
        groups: dict[str, list[str]] = defaultdict(list)
        for register in registers:
            edges = f"{'posedge' if register.rising else 'negedge'} {self.bit(register.clock)}"
            if register.asynchronous and register.reset != "0":
                edge = "posedge" if register.reset_high else "negedge"
                edges += f", {edge} {self.bit(register.reset)}"
            groups[edges].append(self.assignment(register))
        return [
            line
            for edges, lines in groups.items()
            for line in (f"  always @({edges}) begin", *lines, "  end")
        ]

    def assignment(self, register: Register) -> str:
        """A register's assignment at its clock edge."""
        target = self.bit(register.output)
        enable = self.level(register.enable, register.enable_high)
        reset = self.level(register.reset, register.reset_high)
        take = f"if ({enable}) {target} <= {self.bit(register.data)};"
        clear = f"{target} <= 1'b{register.reset_value};"
        if register.gated_reset:
            return f"    if ({enable} && {reset}) {clear} else {take}"
        return f"    if ({reset}) {clear} else {take}"

    def level(self, bit: Bit, high: bool) -> str:
        """Where an input of this polarity is active."""
        return self.bit(bit) if high else f"!{self.bit(bit)}"

    def block(self, block: Block, number: int) -> list[str]:
        parameters = [f"      .{name}({self.value(v)})" for name, v in block.parameters.items()]
        ports = [f"      .{name}({self.bits(bits)})" for name, bits in block.ports.items() if bits]
        return [
            f"  // {block.name}",
            *(
                [f"  {block.module} #(", ",\n".join(parameters), f"  ) block{number} ("]
                if parameters
                else [f"  {block.module} block{number} ("]
            ),
            ",\n".join(ports),
            "  );",
        ]

    def value(self, text: str) -> str:
        """A parameter: bits, highest first, or a string."""
        if not text or not _BITS.issuperset(text):
            return f'"{text.removesuffix(" ")}"'
        bits = "".join(self.drawn()[-1] if bit in "xz" else bit for bit in text)
        return f"{len(bits)}'b{bits}"

    def streams(self, netlist: Netlist, layout: Layout) -> list[str]:
        """A wire for each side of each inner stream, visible to the testbench."""
        ends = {*layout.inputs, *layout.outputs}
        lines = []
        for name, stream in layout.streams.items():
            if name in ends:
                continue
            for side in _SIDES:
                wire = f"{stream.variable}_{side}"
                bits = netlist.named.get(wire)
                width = stream.bits * stream.lanes if side == "tdata" else 1
                if bits is None or len(bits) != width:
                    raise SephwError(
                        f"netlist of '{layout.project}': no net '{wire}' of {width} bits, so the "
                        f"stream '{name}' cannot be observed; synthesize again"
                    )
                lines.append(
                    f"  wire {_range(bits)}{wire} /* verilator public_flat_rd */ = "
                    f"{self.bits(bits)};"
                )
        return lines


def _range(bits: Sequence[Bit]) -> str:
    return f"[{len(bits) - 1}:0] " if len(bits) > 1 else ""


def _declarations(kind: str, bits: Sequence[Bit]) -> list[str]:
    lines = []
    for start in range(0, len(bits), _NETS_PER_LINE):
        names = ", ".join(f"n{bit}" for bit in bits[start : start + _NETS_PER_LINE])
        lines.append(f"  {kind} {names};")
    return lines
