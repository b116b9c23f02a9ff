"""SystemVerilog of `sephw_board_pll`: the vendor's PLL cell, or a wire."""

from __future__ import annotations

from sephw.backends.board.pll import Clocking
from sephw.technologies import Device

_WIRE = """\
  assign uart_clk = clk_in;
  assign clk = clk_in;
  assign locked = 1'b1;
"""


def clock_module(clocking: Clocking, device: Device) -> str:
    """The module `sephw_board_pll` for one clock on one device."""
    body = _WIRE
    about = f"{float(clocking.input):g} MHz oscillator, no PLL"
    if clocking.settings is not None:
        body = device.pll()[0].body.format(
            **clocking.settings,
            input=float(clocking.input),
            output=clocking.output_mhz,
            device=device.size.pll_device or device.part,
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
