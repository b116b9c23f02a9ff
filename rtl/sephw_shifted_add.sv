// low + (high << SHIFT), or low - (high << SHIFT), registered; the lowest SHIFT bits only pass.
//
// Parameters: LOW_BITS (more than SHIFT), LOW_SIGNED, HIGH_BITS, HIGH_SIGNED, SHIFT, SUBTRACT,
//   OUT_BITS: at least what the result takes.
// Timing: `result` is one cycle after its terms.
`default_nettype none

module sephw_shifted_add #(
    parameter int LOW_BITS = 8,
    parameter bit LOW_SIGNED = 0,
    parameter int HIGH_BITS = 8,
    parameter bit HIGH_SIGNED = 0,
    parameter int SHIFT = 1,
    parameter bit SUBTRACT = 0,
    parameter int OUT_BITS = 10
) (
    input  wire                 clk,
    input  wire  [LOW_BITS-1:0] low,
    input  wire [HIGH_BITS-1:0] high,
    output logic [OUT_BITS-1:0] result
);
  localparam int TOP_BITS = OUT_BITS - SHIFT;
  // The result may need fewer bits than a term with its sign.
  /* verilator lint_off UNUSEDSIGNAL */
  wire signed [LOW_BITS-SHIFT:0] rest = {LOW_SIGNED && low[LOW_BITS-1], low[LOW_BITS-1:SHIFT]};
  wire signed [HIGH_BITS:0] term = {HIGH_SIGNED && high[HIGH_BITS-1], high};
  /* verilator lint_on UNUSEDSIGNAL */

  always_ff @(posedge clk) begin
    result[SHIFT-1:0] <= low[SHIFT-1:0];
    if (SUBTRACT) result[OUT_BITS-1:SHIFT] <= TOP_BITS'(rest) - TOP_BITS'(term);
    else result[OUT_BITS-1:SHIFT] <= TOP_BITS'(rest) + TOP_BITS'(term);
  end
endmodule

`default_nettype wire
