"""Family adder-graph: all constants as one shared graph of adders, a window every cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sephw.adder_graph import emit_parallel
from sephw.ir import Family, Structure
from sephw.ops.families.sizes import AdderSizes, constant_output_bits
from sephw.ops.families.whole_window import Adders, WholeWindowEngine


@dataclass(frozen=True)
class AdderGraphEngine(WholeWindowEngine):
    """Stages: the window's register, then one per level of adders."""

    family = Family.ADDER_GRAPH

    @property
    def interval_cycles(self) -> int:
        return 1

    @property
    def stages(self) -> int:
        return 1 + self.operator.adder_graph.depth

    def structure(self, fifo_depths: Sequence[int], *, solve: bool = True) -> Structure:
        found = super().structure(fifo_depths, solve=solve)
        if not solve:
            return found
        operator = self.operator
        constant = constant_output_bits(operator.adder_graph, operator.output_type.bits)
        return replace(
            found, outputs=tuple(replace(out, constant_bits=constant) for out in found.outputs)
        )

    def _adder_structure(self, sizes: AdderSizes) -> Structure:
        window = self.operator.input_shapes[0][2] * self.operator.input_dtype.bits
        return Structure(
            adders=sizes.parts,
            register_bits=window + sizes.register_bits,
            delay_bits=sizes.delay_bits,
            delay_chains=sizes.delay_chains,
            fanout=window,
            logic_depth=self.operator.output_type.bits,
        )

    def _rtl_adders(self, module: str) -> Adders:
        operator = self.operator
        text = emit_parallel(
            operator.adder_graph,
            module,
            in_bits=operator.input_dtype.bits,
            out_bits=operator.output_type.bits,
        )
        return Adders(
            text=text,
            connection=f"  {module} adders (.clk(ap_clk), .in_data(window), .out_data(sums));\n"
            "  wire unused = &{1'b0, load};",
            in_register=1,
        )
