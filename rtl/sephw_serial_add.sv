// Digit-serial adder or subtractor, least significant digit first.
//
// Parameters: DIGIT_BITS per cycle; SUBTRACT: 1 for left - right, 0 for left + right.
// `start` is up in the cycle of the first digits of `left` and `right`; it replaces the carry of
// the frame before. `sum` is one cycle after its digits.
// Invariant: after k digits, sum = left +- right modulo 2^(k * DIGIT_BITS), and `carry` is what
// that left over (for a subtraction: 1 where nothing was borrowed).
`default_nettype none

module sephw_serial_add #(
    parameter int DIGIT_BITS = 1,
    parameter int SUBTRACT   = 0
) (
    input  wire                   clk,
    input  wire                   start,
    input  wire  [DIGIT_BITS-1:0] left,
    input  wire  [DIGIT_BITS-1:0] right,
    output logic [DIGIT_BITS-1:0] sum
);
  logic carry;
  wire  carry_in = start ? (SUBTRACT != 0) : carry;
  wire  [DIGIT_BITS-1:0] operand = SUBTRACT != 0 ? ~right : right;

  always_ff @(posedge clk) begin
    {carry, sum} <= (DIGIT_BITS + 1)'(left) + (DIGIT_BITS + 1)'(operand)
        + (DIGIT_BITS + 1)'(carry_in);
  end
endmodule

`default_nettype wire
