// Clocks of a board in simulation: the bench drives `clk`, at any ratio to the oscillator.
//
// Stands for the generated sephw_board_pll of a board; `locked` comes up after a few cycles.
`default_nettype none

/* verilator lint_off DECLFILENAME */
module sephw_board_pll (
    input  wire  clk_in,
    output wire  uart_clk,
    output wire  clk,
    output logic locked
);
  /* verilator lint_off UNDRIVEN */
  logic driven  /* verilator public_flat_rw */;
  /* verilator lint_on UNDRIVEN */
  logic [3:0] cycles;
  initial cycles = '0;
  initial locked = 1'b0;
  assign clk = driven;
  assign uart_clk = clk_in;

  always_ff @(posedge clk_in) begin
    cycles <= cycles + 1'b1;
    if (&cycles) locked <= 1'b1;
  end
endmodule
/* verilator lint_on DECLFILENAME */

`default_nettype wire
