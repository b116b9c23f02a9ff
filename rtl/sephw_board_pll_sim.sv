// Clock of a board in simulation: the PLL is a wire.
//
// Stands for the generated sephw_board_pll of a board; `locked` comes up after a few cycles.
`default_nettype none

/* verilator lint_off DECLFILENAME */
module sephw_board_pll (
    input  wire  clk_in,
    output wire  clk,
    output logic locked
);
  logic [3:0] cycles;
  initial cycles = '0;
  initial locked = 1'b0;
  assign clk = clk_in;

  always_ff @(posedge clk_in) begin
    cycles <= cycles + 1'b1;
    if (&cycles) locked <= 1'b1;
  end
endmodule
/* verilator lint_on DECLFILENAME */

`default_nettype wire
