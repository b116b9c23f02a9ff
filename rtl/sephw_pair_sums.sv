// Sums and differences of neighbouring values: what the lanes of a pattern engine choose from.
//
// Parameters: TERMS, at least 2; BITS per value (value 0 in the low bits), SIGNED or not.
// Out: for values 2i and 2i + 1, i in stream order, `sums` a + b and `differences` a - b, each
//   BITS + 1 wide; a difference has a sign, a sum only if SIGNED. An odd last value is its own sum
//   and difference, extended.
// Timing: one cycle.
`default_nettype none

module sephw_pair_sums #(
    parameter int TERMS = 2,
    parameter int BITS = 8,
    parameter bit SIGNED = 0,
    parameter int PAIRS = (TERMS + 1) / 2
) (
    input  wire                       clk,
    input  wire  [    TERMS*BITS-1:0] values,
    output logic [PAIRS*(BITS+1)-1:0] sums,
    output logic [PAIRS*(BITS+1)-1:0] differences
);
  for (genvar i = 0; i < PAIRS; i++) begin : pair
    wire [BITS-1:0] left = values[2*i*BITS+:BITS];
    wire [BITS:0] wide_left = {SIGNED && left[BITS-1], left};
    if (2 * i + 1 < TERMS) begin : two
      wire [BITS-1:0] right = values[(2*i+1)*BITS+:BITS];
      wire [BITS:0] wide_right = {SIGNED && right[BITS-1], right};
      always_ff @(posedge clk) begin
        sums[i*(BITS+1)+:BITS+1] <= wide_left + wide_right;
        differences[i*(BITS+1)+:BITS+1] <= wide_left - wide_right;
      end
    end else begin : one
      always_ff @(posedge clk) begin
        sums[i*(BITS+1)+:BITS+1] <= wide_left;
        differences[i*(BITS+1)+:BITS+1] <= wide_left;
      end
    end
  end
endmodule

`default_nettype wire
