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
  // One bit more than an unsigned value needs; the product never needs it, so it is cut again.
  localparam int FULL_BITS = IN_BITS + 1 + MANTISSA_BITS;
  localparam int PRODUCT_BITS = FULL_BITS < ACC_BITS ? FULL_BITS : ACC_BITS;

  wire signed [IN_BITS:0] extended = {IN_SIGNED && value[IN_BITS-1], value};
  wire signed [FULL_BITS-1:0] full = FULL_BITS'(extended) * FULL_BITS'($signed(mantissa));
  logic signed [PRODUCT_BITS-1:0] product;

  always_ff @(posedge clk) begin
    product <= full[PRODUCT_BITS-1:0];
    term <= ACC_BITS'(product) << shift;
  end
  if (PRODUCT_BITS < FULL_BITS) begin : cut
    wire unused = &{1'b0, full[FULL_BITS-1:PRODUCT_BITS]};
  end
endmodule

`default_nettype wire
