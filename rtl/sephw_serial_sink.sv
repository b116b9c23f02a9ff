// Digits, least significant first, to a parallel value.
//
// Parameters: BITS of the value; CYCLES digits per frame, CYCLES * DIGIT_BITS >= BITS; DIGIT_BITS.
// `data` holds the value in the cycle after the frame's last digit.
// Invariant: `held` is the last CYCLES digits, the newest on top.
`default_nettype none

module sephw_serial_sink #(
    parameter int BITS       = 16,
    parameter int CYCLES     = 16,
    parameter int DIGIT_BITS = 1
) (
    input  wire                   clk,
    input  wire  [DIGIT_BITS-1:0] digit,
    output wire  [      BITS-1:0] data
);
  localparam int WIDTH = CYCLES * DIGIT_BITS;

  // The last digit may have bits above the value.
  /* verilator lint_off UNUSEDSIGNAL */
  logic [WIDTH-1:0] held;
  /* verilator lint_on UNUSEDSIGNAL */

  generate
    if (CYCLES == 1) begin : one
      always_ff @(posedge clk) held <= digit;
    end else begin : several
      always_ff @(posedge clk) held <= {digit, held[WIDTH-1:DIGIT_BITS]};
    end
  endgenerate
  assign data = held[BITS-1:0];
endmodule

`default_nettype wire
