// Sum of terms, by registered adders of two operands: wide sums in one expression become
// carry-save trees, which are twice as large.
//
// Parameters: TERMS, at least 1; BITS per term (term 0 in the low bits), SIGNED or not.
// Timing: `sum` is ceil(log2 TERMS) cycles after its terms; a new set of terms every cycle.
// Invariant: each level adds one bit, so nothing overflows. An odd term waits one level.
`default_nettype none

module sephw_adder_tree #(
    parameter int TERMS = 2,
    parameter int BITS  = 8,
    parameter bit SIGNED = 1
) (
    input  wire                            clk,
    input  wire [          TERMS*BITS-1:0] terms,
    output wire [BITS+$clog2(TERMS)-1:0] sum
);
  generate
    if (TERMS == 1) begin : leaf
      assign sum = terms;
      wire unused = &{1'b0, clk};
    end else begin : level
      localparam int PAIRS = (TERMS + 1) / 2;
      logic [PAIRS*(BITS+1)-1:0] pairs;

      for (genvar i = 0; i < PAIRS; i++) begin : pair
        wire [BITS-1:0] left = terms[2*i*BITS+:BITS];
        wire [BITS:0] wide_left = {SIGNED && left[BITS-1], left};
        if (2 * i + 1 < TERMS) begin : two
          wire [BITS-1:0] right = terms[(2*i+1)*BITS+:BITS];
          wire [BITS:0] wide_right = {SIGNED && right[BITS-1], right};
          always_ff @(posedge clk) pairs[i*(BITS+1)+:BITS+1] <= wide_left + wide_right;
        end else begin : one
          always_ff @(posedge clk) pairs[i*(BITS+1)+:BITS+1] <= wide_left;
        end
      end

      sephw_adder_tree #(
          .TERMS(PAIRS),
          .BITS(BITS + 1),
          .SIGNED(SIGNED)
      ) rest (
          .clk(clk),
          .terms(pairs),
          .sum(sum)
      );
    end
  endgenerate
endmodule

`default_nettype wire
