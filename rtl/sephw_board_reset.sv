// Reset of a board: up as soon as the clock fails or the button is pressed, down long after both.
//
// Parameter: HOLD_BITS; the reset ends 2^HOLD_BITS cycles after the last reason for it.
// Timing: `rst_n` is a register of `clk`. `locked` and `button` may change at any time.
// Power-up: in reset, on FPGAs that start with the registers' initial values.
`default_nettype none

module sephw_board_reset #(
    parameter int HOLD_BITS = 8
) (
    input  wire  clk,
    input  wire  locked,
    input  wire  button,
    output logic rst_n
);
  logic [2:0] fine;
  logic [HOLD_BITS-1:0] held;
  initial fine = '0;
  initial held = '0;
  initial rst_n = 1'b0;

  always_ff @(posedge clk) begin
    fine <= {fine[1:0], locked && !button};
    held <= !fine[2] ? '0 : (&held) ? held : held + 1'b1;
    rst_n <= &held;
  end
endmodule

`default_nettype wire
