// Sum of gated terms: a tree of adders whose first level holds the gates.
//
// Parameters: TERMS, at least 1; BITS per value, SIGNED or not (value 0 in the low bits); INVERT 0:
//   a gate of 0 makes its term 0; 1: a gate of 1 subtracts its term (SIGNED only) but for a one:
//   the first, third, ... term is inverted, -x is ~x + 1, and who uses this adds the ones;
//   LEVELS of adders to a register, as of sephw_adder_tree.
// Timing: `sum` is ceil(ceil(log2 TERMS) / LEVELS) cycles after its values and gates; new ones
//   every cycle.
// Invariant: each level adds one bit, so nothing overflows. An odd term waits one level.
`default_nettype none

module sephw_gated_tree #(
    parameter int TERMS = 2,
    parameter int BITS = 8,
    parameter bit SIGNED = 1,
    parameter bit INVERT = 0,
    parameter int LEVELS = 1
) (
    input  wire                          clk,
    input  wire [        TERMS*BITS-1:0] values,
    input  wire [             TERMS-1:0] gates,
    output wire [BITS+$clog2(TERMS)-1:0] sum
);
  generate
    if (TERMS == 1) begin : leaf
      assign sum = INVERT ? values ^ {BITS{gates[0]}} : values & {BITS{gates[0]}};
      wire unused = &{1'b0, clk};
    end else begin : level
      localparam int PAIRS = (TERMS + 1) / 2;
      localparam bit HELD = ($clog2(TERMS) - 1) % LEVELS == 0;
      wire [PAIRS*(BITS+1)-1:0] pairs;

      for (genvar i = 0; i < PAIRS; i++) begin : pair
        wire [BITS-1:0] left = values[2*i*BITS+:BITS];
        wire [BITS:0] wide_left = {SIGNED && left[BITS-1], left};
        if (2 * i + 1 < TERMS) begin : two
          wire [BITS-1:0] right = values[(2*i+1)*BITS+:BITS];
          wire [BITS:0] wide_right = {SIGNED && right[BITS-1], right};
          sephw_gated_add #(
              .BITS(BITS + 1),
              .INVERT(INVERT),
              .HELD(HELD)
          ) add (
              .clk,
              .a(wide_left),
              .gate_a(gates[2*i]),
              .b(wide_right),
              .gate_b(gates[2*i+1]),
              .sum(pairs[i*(BITS+1)+:BITS+1])
          );
        end else begin : one
          wire [BITS:0] gated = INVERT ? wide_left ^ {(BITS + 1) {gates[2*i]}}
                                       : wide_left & {(BITS + 1) {gates[2*i]}};
          sephw_stage #(
              .BITS(BITS + 1),
              .HELD(HELD)
          ) waiting (
              .clk,
              .value (gated),
              .staged(pairs[i*(BITS+1)+:BITS+1])
          );
        end
      end

      sephw_adder_tree #(
          .TERMS(PAIRS),
          .BITS(BITS + 1),
          .SIGNED(SIGNED),
          .LEVELS(LEVELS)
      ) rest (
          .clk,
          .terms(pairs),
          .sum
      );
    end
  endgenerate
endmodule

`default_nettype wire
