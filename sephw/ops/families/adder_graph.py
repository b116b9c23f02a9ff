"""Family adder-graph: all constants as one shared graph of adders, a window every cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from sephw.adder_graph import emit_parallel
from sephw.ir import Folding, Structure
from sephw.ops.families.sizes import AdderSizes, constant_output_bits
from sephw.ops.families.whole_window import Adders, WholeWindowEngine, WholeWindowVariant

if TYPE_CHECKING:
    from sephw.ops.convolution import FoldedConvolution


@dataclass(frozen=True)
class BitParallel(WholeWindowVariant):
    """The adder graph with adders of whole words."""

    family: ClassVar[str] = "adder-graph"

    @classmethod
    def foldings(cls, operator: FoldedConvolution) -> tuple[Folding, ...]:
        return (cls().whole(operator),)

    def build(self, operator: FoldedConvolution, folding: Folding) -> BitParallelEngine:
        return BitParallelEngine(operator, folding)


@dataclass(frozen=True)
class BitParallelEngine(WholeWindowEngine):
    """Stages: the window's register, then one per level of adders."""

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
