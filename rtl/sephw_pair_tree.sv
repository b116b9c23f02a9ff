// Sum of terms +x and -x from the sums and differences of pairs: a choice, then adders.
//
// Parameters: TERMS, at least 2; BITS per value, SIGNED or not, as of sephw_pair_sums; LEVELS to a
//   register, as of sephw_adder_tree, the choice being one.
// A gate of 0 adds its value, one of 1 subtracts it. Of values a and b with gates a and b:
//   a + b: the sum; a - b: the difference; -a + b and -a - b: these two inverted, so one less
//   (-x is ~x + 1, and who uses this adds the ones, as many as gates of the first values are 1).
// Timing: `sum` is ceil(ceil(log2 TERMS) / LEVELS) cycles after sums, differences and gates; new
//   ones every cycle.
// Invariant: each level adds one bit, so nothing overflows.
`default_nettype none

module sephw_pair_tree #(
    parameter int TERMS = 2,
    parameter int BITS = 8,
    parameter bit SIGNED = 0,
    parameter int LEVELS = 1,
    parameter int PAIRS = (TERMS + 1) / 2,
    parameter int CHOICE_BITS = BITS + (SIGNED ? 1 : 2)
) (
    input  wire                                     clk,
    input  wire [               PAIRS*(BITS+1)-1:0] sums,
    input  wire [               PAIRS*(BITS+1)-1:0] differences,
    input  wire [                        TERMS-1:0] gates,
    output wire [CHOICE_BITS-1+$clog2(TERMS)-1:0] sum
);
  localparam bit HELD = ($clog2(TERMS) - 1) % LEVELS == 0;
  wire [PAIRS*CHOICE_BITS-1:0] made;
  wire [PAIRS*CHOICE_BITS-1:0] choices;

  for (genvar i = 0; i < PAIRS; i++) begin : pair
    wire [BITS:0] total = sums[i*(BITS+1)+:BITS+1];
    wire [BITS:0] difference = differences[i*(BITS+1)+:BITS+1];
    wire [CHOICE_BITS-1:0] wide_total = CHOICE_BITS'($signed({SIGNED && total[BITS], total}));
    wire [CHOICE_BITS-1:0] wide_difference = CHOICE_BITS'($signed(difference));
    wire first = gates[2*i];
    wire differ;
    if (2 * i + 1 < TERMS) begin : two
      assign differ = first ^ gates[2*i+1];
    end else begin : one
      assign differ = 1'b0;
    end
    assign made[i*CHOICE_BITS+:CHOICE_BITS] =
        (differ ? wide_difference : wide_total) ^ {CHOICE_BITS{first}};
  end

  sephw_stage #(
      .BITS(PAIRS * CHOICE_BITS),
      .HELD(HELD)
  ) level (
      .clk,
      .value(made),
      .staged(choices)
  );

  sephw_adder_tree #(
      .TERMS(PAIRS),
      .BITS (CHOICE_BITS),
      .LEVELS(LEVELS)
  ) rest (
      .clk,
      .terms(choices),
      .sum
  );
endmodule

`default_nettype wire
