"""Family digit-serial: the adder graph with adders of d bits, least significant digit first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sephw.adder_graph import DIGIT_BITS, emit_serial
from sephw.ir import Folding, Operator, Structure
from sephw.ir.operator import check_choice
from sephw.ops.families.sizes import AdderSizes
from sephw.ops.families.whole_window import Adders, WholeWindowEngine, WholeWindowVariant

if TYPE_CHECKING:
    from sephw.ops.convolution import FoldedConvolution


@dataclass(frozen=True)
class DigitSerial(WholeWindowVariant):
    """The adder graph with adders of ``digit_bits`` bits."""

    family: ClassVar[str] = "digit-serial"

    digit_bits: int

    @property
    def label(self) -> str:
        return f"{self.family} {self.digit_bits}"

    @classmethod
    def foldings(cls, operator: FoldedConvolution) -> tuple[Folding, ...]:
        return tuple(cls(digit_bits).whole(operator) for digit_bits in DIGIT_BITS)

    def check(self, operator: Operator, where: str) -> None:
        check_choice(where, "digit_bits", self.digit_bits, DIGIT_BITS)

    def build(self, operator: FoldedConvolution, folding: Folding) -> DigitSerialEngine:
        return DigitSerialEngine(operator, folding, self.digit_bits)


@dataclass(frozen=True)
class DigitSerialEngine(WholeWindowEngine):
    """Stages: load, one per level of adders, and the digits of a sum."""

    digit_bits: int

    @property
    def suffix(self) -> str:
        return f"_d{self.digit_bits}"

    @property
    def interval_cycles(self) -> int:
        """Digits of a sum; an input has more only where all weights are 0."""
        bits = max(self.operator.output_type.bits, self.operator.input_dtype.bits)
        return -(-bits // self.digit_bits)

    @property
    def stages(self) -> int:
        return 1 + self.operator.adder_graph.depth + self.interval_cycles

    def _adder_structure(self, sizes: AdderSizes) -> Structure:
        operator, digit = self.operator, self.digit_bits
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
            self.digit_bits,
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
