"""Family digit-serial: the adder graph with adders of d bits, least significant digit first."""

from __future__ import annotations

from dataclasses import dataclass

from sephw.adder_graph import DIGIT_BITS, emit_serial
from sephw.ir import Family, Structure
from sephw.ops.families.sizes import AdderSizes
from sephw.ops.families.whole_window import Adders, WholeWindowEngine


@dataclass(frozen=True)
class DigitSerialEngine(WholeWindowEngine):
    """Stages: load, one per level of adders, and the digits of a sum."""

    family = Family.DIGIT_SERIAL
    digit_widths = DIGIT_BITS

    @property
    def interval_cycles(self) -> int:
        """Digits of a sum; an input has more only where all weights are 0."""
        bits = max(self.operator.output_type.bits, self.operator.input_dtype.bits)
        return -(-bits // self.folding.digit_bits)

    @property
    def stages(self) -> int:
        return 1 + self.operator.adder_graph.depth + self.interval_cycles

    def _adder_structure(self, sizes: AdderSizes) -> Structure:
        operator, digit = self.operator, self.folding.digit_bits
        digits = -(-operator.input_dtype.bits // digit)
        values = operator.input_shapes[0][2]
        window = values * digits * digit
        # Where only one of the new value and the rest of the old one has a bit, none is chosen.
        bits = operator.input_dtype.bits
        chosen = digits * digit if operator.input_dtype.signed else max(0, bits - digit)
        # Held sums are read in parallel: no chain that a shift register could be.
        sums = operator.out_channels * self.interval_cycles * digit
        delays = (sizes.digit_registers - sizes.adders) * digit
        return Structure(
            serial_adders=sizes.adders,
            serial_shifts=sizes.shift_bits,
            digit_bits=digit,
            load_bits=values * chosen,
            register_bits=window
            + sums
            + delays
            + sizes.adders * (digit + 1)
            + sizes.shift_bits
            + sizes.depth,
            delay_bits=sizes.digit_delays * digit,
            delay_chains=sizes.digit_chains * digit,
            fanout=window,
            logic_depth=digit + 1,
        )

    def _rtl_adders(self, module: str) -> Adders:
        operator = self.operator
        core = emit_serial(
            operator.adder_graph,
            module,
            self.folding.digit_bits,
            in_bits=operator.input_dtype.bits,
            out_bits=operator.output_type.bits,
        )
        # The serial sources are the window's register.
        return Adders(
            text=core.text,
            connection=f"  {module} adders (\n"
            "      .clk(ap_clk), .load, .in_data(window), .out_data(sums));",
            in_register=0,
        )
