// Digit-serial adder or subtractor, least significant digit first.
//
// Parameters: DIGIT_BITS per cycle; SUBTRACT: 1 for left - right, 0 for left + right.
// `start` is up in the cycle before the first digits of `left` and `right`, which may be that of
// the last digits of the frame before: a synchronous reset of the carry, so that no LUT input is
// spent on it. `sum` is one cycle after its digits.
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
  wire  [DIGIT_BITS-1:0] operand = SUBTRACT != 0 ? ~right : right;
  wire  [DIGIT_BITS:0] total = (DIGIT_BITS + 1)'(left) + (DIGIT_BITS + 1)'(operand)
      + (DIGIT_BITS + 1)'(carry);

  always_ff @(posedge clk) begin
    sum <= total[DIGIT_BITS-1:0];
    if (start) carry <= SUBTRACT != 0;
    else carry <= total[DIGIT_BITS];
  end
endmodule

`default_nettype wire
