// Sum of terms, by adders of two operands: wide sums in one expression become carry-save trees,
// which are twice as large.
//
// Parameters: TERMS, at least 1; BITS per term (term 0 in the low bits), SIGNED or not; LEVELS of
//   adders to a register, which is behind the last of them.
// Timing: `sum` is ceil(ceil(log2 TERMS) / LEVELS) cycles after its terms; new ones every cycle.
// Invariant: each level adds one bit, so nothing overflows. An odd term waits one level.
`default_nettype none

module sephw_adder_tree #(
    parameter int TERMS = 2,
    parameter int BITS  = 8,
    parameter bit SIGNED = 1,
    parameter int LEVELS = 1
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
      localparam bit HELD = ($clog2(TERMS) - 1) % LEVELS == 0;
      wire [PAIRS*(BITS+1)-1:0] made;
      wire [PAIRS*(BITS+1)-1:0] pairs;

      for (genvar i = 0; i < PAIRS; i++) begin : pair
        wire [BITS-1:0] left = terms[2*i*BITS+:BITS];
        wire [BITS:0] wide_left = {SIGNED && left[BITS-1], left};
        if (2 * i + 1 < TERMS) begin : two
          wire [BITS-1:0] right = terms[(2*i+1)*BITS+:BITS];
          wire [BITS:0] wide_right = {SIGNED && right[BITS-1], right};
          if (HELD) begin : last
            assign made[i*(BITS+1)+:BITS+1] = wide_left + wide_right;
          end else begin : chained
            // As cells of its own on ECP5, so that it is not one expression with the next.
            sephw_gated_add #(
                .BITS(BITS + 1),
                .HELD(0)
            ) add (
                .clk,
                .a(wide_left),
                .gate_a(1'b1),
                .b(wide_right),
                .gate_b(1'b1),
                .sum(made[i*(BITS+1)+:BITS+1])
            );
          end
        end else begin : one
          assign made[i*(BITS+1)+:BITS+1] = wide_left;
        end
      end

      sephw_stage #(
          .BITS(PAIRS * (BITS + 1)),
          .HELD(HELD)
      ) register (
          .clk,
          .value(made),
          .staged(pairs)
      );

      sephw_adder_tree #(
          .TERMS(PAIRS),
          .BITS(BITS + 1),
          .SIGNED(SIGNED),
          .LEVELS(LEVELS)
      ) rest (
          .clk(clk),
          .terms(pairs),
          .sum(sum)
      );
    end
  endgenerate
endmodule

`default_nettype wire
