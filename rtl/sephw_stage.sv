// A register, or nothing: what ends a level of adders.
//
// Parameters: BITS; HELD 1 for the register.
// Timing: `staged` is the `value` of the cycle before if HELD, else of the same.
`default_nettype none

module sephw_stage #(
    parameter int BITS = 8,
    parameter bit HELD = 1
) (
    input  wire             clk,
    input  wire  [BITS-1:0] value,
    output logic [BITS-1:0] staged
);
  generate
    if (HELD) begin : held
      always_ff @(posedge clk) staged <= value;
    end else begin : passed
      assign staged = value;
      wire unused = &{1'b0, clk};
    end
  endgenerate
endmodule

`default_nettype wire
