"""SystemVerilog of `sephw_board_pll`: the vendor's PLL cell, or a wire."""

from __future__ import annotations

from collections.abc import Mapping

from sephw.backends.board.pll import Clocking
from sephw.targets import Device, Technology

_WIRE = """\
  assign uart_clk = clk_in;
  assign clk = clk_in;
  assign locked = 1'b1;
"""

# CPHASE = divider - 1 puts both edges where the cell's documentation has them at phase 0.
_ECP5 = """\
  wire loop;
  assign uart_clk = clk_in;

  (* FREQUENCY_PIN_CLKI = "{input:g}", FREQUENCY_PIN_CLKOS = "{output:.6g}" *)
  (* ICP_CURRENT = "12", LPF_RESISTOR = "8" *)
  EHXPLLL #(
      .PLLRST_ENA("DISABLED"),
      .INTFB_WAKE("DISABLED"),
      .STDBY_ENABLE("DISABLED"),
      .DPHASE_SOURCE("DISABLED"),
      .OUTDIVIDER_MUXA("DIVA"),
      .OUTDIVIDER_MUXB("DIVB"),
      .FEEDBK_PATH("CLKOP"),
      .CLKI_DIV({CLKI_DIV}),
      .CLKFB_DIV({CLKFB_DIV}),
      .CLKOP_ENABLE("ENABLED"),
      .CLKOP_DIV({CLKOP_DIV}),
      .CLKOP_CPHASE({CLKOP_DIV} - 1),
      .CLKOP_FPHASE(0),
      .CLKOS_ENABLE("ENABLED"),
      .CLKOS_DIV({CLKOS_DIV}),
      .CLKOS_CPHASE({CLKOS_DIV} - 1),
      .CLKOS_FPHASE(0)
  ) pll (
      .CLKI(clk_in),
      .CLKFB(loop),
      .CLKOP(loop),
      .CLKOS(clk),
      .LOCK(locked),
      .RST(1'b0),
      .STDBY(1'b0),
      .PHASESEL0(1'b0),
      .PHASESEL1(1'b0),
      .PHASEDIR(1'b1),
      .PHASESTEP(1'b1),
      .PHASELOADREG(1'b1),
      .PLLWAKESYNC(1'b0),
      .ENCLKOP(1'b0),
      .ENCLKOS(1'b0)
  );
"""

# The oscillator is on the PLL's own pad, which only the PLL can hand on.
_ICE40 = """\
  SB_PLL40_2_PAD #(
      .FEEDBACK_PATH("SIMPLE"),
      .DIVR(4'd{DIVR}),
      .DIVF(7'd{DIVF}),
      .DIVQ(3'd{DIVQ}),
      .FILTER_RANGE(3'd{FILTER_RANGE}),
      .PLLOUT_SELECT_PORTB("GENCLK")
  ) pll (
      .PACKAGEPIN(clk_in),
      .PLLOUTGLOBALA(uart_clk),
      .PLLOUTGLOBALB(clk),
      .LOCK(locked),
      .RESETB(1'b1),
      .BYPASS(1'b0)
  );
"""

_GOWIN = """\
  assign uart_clk = clk_in;

  rPLL #(
      .FCLKIN("{input:g}"),
      .DEVICE("{device}"),
      .IDIV_SEL({IDIV_SEL}),
      .FBDIV_SEL({FBDIV_SEL}),
      .ODIV_SEL({ODIV_SEL}),
      .DYN_IDIV_SEL("false"),
      .DYN_FBDIV_SEL("false"),
      .DYN_ODIV_SEL("false"),
      .CLKFB_SEL("internal"),
      .CLKOUT_BYPASS("false"),
      .CLKOUTP_BYPASS("false"),
      .CLKOUTD_BYPASS("false"),
      .CLKOUTD_SRC("CLKOUT"),
      .CLKOUTD3_SRC("CLKOUT"),
      .DYN_SDIV_SEL(2),
      .PSDA_SEL("0000"),
      .DUTYDA_SEL("1000"),
      .DYN_DA_EN("false"),
      .CLKOUT_FT_DIR(1'b1),
      .CLKOUTP_FT_DIR(1'b1),
      .CLKOUT_DLY_STEP(0),
      .CLKOUTP_DLY_STEP(0)
  ) pll (
      .CLKIN(clk_in),
      .CLKOUT(clk),
      .LOCK(locked),
      .RESET(1'b0),
      .RESET_P(1'b0),
      .CLKFB(1'b0),
      .FBDSEL(6'd0),
      .IDSEL(6'd0),
      .ODSEL(6'd0),
      .PSDA(4'd0),
      .DUTYDA(4'd0),
      .FDLY(4'd0)
  );
"""

_CELLS: Mapping[Technology, str] = {
    Technology.ECP5: _ECP5,
    Technology.ICE40: _ICE40,
    Technology.GOWIN: _GOWIN,
}
# rPLL wants the series' name.
_GOWIN_SERIES: Mapping[str, str] = {"gw1nr-9": "GW1NR-9C", "gw2ar-18": "GW2AR-18C"}


def clock_module(clocking: Clocking, device: Device) -> str:
    """The module `sephw_board_pll` for one clock on one device."""
    body = _WIRE
    about = f"{float(clocking.input):g} MHz oscillator, no PLL"
    if clocking.settings is not None:
        body = _CELLS[clocking.technology].format(
            **clocking.settings,
            input=float(clocking.input),
            output=clocking.output_mhz,
            device=_GOWIN_SERIES.get(device.name, device.part),
        )
        about = (
            f"{float(clocking.input):g} MHz to {clocking.output_mhz:.6g} MHz, "
            f"oscillator at {float(clocking.oscillator):.6g} MHz"
        )
    return (
        f"// Clock of the board: {about}; generated.\n"
        "`default_nettype none\n\n"
        "module sephw_board_pll (\n"
        "    input  wire clk_in,\n"
        "    output wire uart_clk,\n"
        "    output wire clk,\n"
        "    output wire locked\n"
        ");\n"
        f"{body}"
        "endmodule\n\n"
        "`default_nettype wire\n"
    )
