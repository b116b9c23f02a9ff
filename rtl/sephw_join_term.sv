// One branch of one lane of a Join: mantissa * value << shift.
//
// Parameters: IN_BITS and IN_SIGNED of the value, MANTISSA_BITS (signed), SHIFT_BITS (unsigned),
// ACC_BITS of the result (signed).
// Timing: a register after the product and one after the shift; `shift` comes one cycle after
// `value` and `mantissa`.
// Invariant: the caller's ACC_BITS hold every term, so cutting it to them loses nothing.
`default_nettype none

module sephw_join_term #(
    parameter int IN_BITS = 8,
    parameter bit IN_SIGNED = 0,
    parameter int MANTISSA_BITS = 5,
    parameter int SHIFT_BITS = 2,
    parameter int ACC_BITS = 16
) (
    input  wire                      clk,
    input  wire  [      IN_BITS-1:0] value,
    input  wire  [MANTISSA_BITS-1:0] mantissa,
    input  wire  [   SHIFT_BITS-1:0] shift,
    output logic [     ACC_BITS-1:0] term
);
  // Of an unsigned value with a sign; the product never needs that bit, so it is cut again.
  localparam int VALUE_BITS = IN_SIGNED ? IN_BITS : IN_BITS + 1;
  localparam int FULL_BITS = VALUE_BITS + MANTISSA_BITS;
  localparam int PRODUCT_BITS = FULL_BITS < ACC_BITS ? FULL_BITS : ACC_BITS;

  wire signed [VALUE_BITS-1:0] operand = VALUE_BITS'(value);
  wire signed [PRODUCT_BITS-1:0] product;

  sephw_product #(
      .A_BITS(VALUE_BITS),
      .B_BITS(MANTISSA_BITS),
      .BITS  (PRODUCT_BITS)
  ) multiplier (
      .clk,
      .a(operand),
      .b(mantissa),
      .product(product)
  );

  always_ff @(posedge clk) term <= ACC_BITS'(product) << shift;
endmodule

`default_nettype wire
