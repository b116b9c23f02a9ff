// Sum of value * weight over some terms, with 8-bit two's complement weights, in logic.
//
// Parameters: TERMS, at least 1; BITS per value, SIGNED or not; term 0 is in the low bits.
// Timing: `sum` is ceil(log2 TERMS) + 3 cycles after its values and weights; new ones every cycle.
//
// One sum per bit of the weights, of the values whose weight has it; then these planes are added by
// their places, the sign's plane negative. That is 8 * TERMS - 1 adders, most of them hardly wider
// than a value, and the first half takes its gates into the adder's LUTs. Of a single term there
// are no sums to make, so the gates go into the first level of places.
`default_nettype none

module sephw_weighted_sum #(
    parameter int TERMS = 1,
    parameter int BITS = 8,
    parameter bit SIGNED = 0
) (
    input  wire                                 clk,
    input  wire  [            TERMS*BITS-1:0] values,
    input  wire  [               TERMS*8-1:0] weights,
    output wire  [BITS+8+$clog2(TERMS)-1:0] sum
);
  localparam int PLANE_BITS = BITS + $clog2(TERMS);
  // Two, four and eight planes.
  localparam int PAIR_BITS = PLANE_BITS + 2;
  localparam int QUAD_BITS = PLANE_BITS + 4;
  localparam int SUM_BITS = PLANE_BITS + 8;

  wire [4*PAIR_BITS-1:0] pairs;
  wire [2*QUAD_BITS-1:0] quads;

  generate
    if (TERMS == 1) begin : gated_pairs
      wire [PAIR_BITS-1:0] once = PAIR_BITS'($signed({SIGNED && values[BITS-1], values}));
      wire [PAIR_BITS-1:0] twice = {once[PAIR_BITS-2:0], 1'b0};
      for (genvar k = 0; k < 4; k++) begin : pair
        sephw_gated_add #(
            .BITS(PAIR_BITS),
            .SUBTRACT(k == 3)
        ) add (
            .clk,
            .a(twice),
            .gate_a(weights[2*k+1]),
            .b(once),
            .gate_b(weights[2*k]),
            .sum(pairs[k*PAIR_BITS+:PAIR_BITS])
        );
      end
    end else begin : planes
      wire [8*PLANE_BITS-1:0] plane_sums;
      for (genvar bit_i = 0; bit_i < 8; bit_i++) begin : plane
        wire [TERMS-1:0] gates;
        for (genvar term = 0; term < TERMS; term++) begin : gate
          assign gates[term] = weights[term*8+bit_i];
        end
        sephw_gated_tree #(
            .TERMS(TERMS),
            .BITS(BITS),
            .SIGNED(SIGNED)
        ) tree (
            .clk,
            .values,
            .gates,
            .sum(plane_sums[bit_i*PLANE_BITS+:PLANE_BITS])
        );
      end
      for (genvar k = 0; k < 4; k++) begin : pair
        sephw_shifted_add #(
            .LOW_BITS(PLANE_BITS),
            .LOW_SIGNED(SIGNED),
            .HIGH_BITS(PLANE_BITS),
            .HIGH_SIGNED(SIGNED),
            .SHIFT(1),
            .SUBTRACT(k == 3),
            .OUT_BITS(PAIR_BITS)
        ) add (
            .clk,
            .low(plane_sums[2*k*PLANE_BITS+:PLANE_BITS]),
            .high(plane_sums[(2*k+1)*PLANE_BITS+:PLANE_BITS]),
            .result(pairs[k*PAIR_BITS+:PAIR_BITS])
        );
      end
    end

    for (genvar k = 0; k < 2; k++) begin : quad
      sephw_shifted_add #(
          .LOW_BITS(PAIR_BITS),
          .LOW_SIGNED(SIGNED),
          .HIGH_BITS(PAIR_BITS),
          .HIGH_SIGNED(SIGNED || k == 1),
          .SHIFT(2),
          .OUT_BITS(QUAD_BITS)
      ) add (
          .clk,
          .low(pairs[2*k*PAIR_BITS+:PAIR_BITS]),
          .high(pairs[(2*k+1)*PAIR_BITS+:PAIR_BITS]),
          .result(quads[k*QUAD_BITS+:QUAD_BITS])
      );
    end
  endgenerate

  sephw_shifted_add #(
      .LOW_BITS(QUAD_BITS),
      .LOW_SIGNED(SIGNED),
      .HIGH_BITS(QUAD_BITS),
      .HIGH_SIGNED(1),
      .SHIFT(4),
      .OUT_BITS(SUM_BITS)
  ) total (
      .clk,
      .low(quads[QUAD_BITS-1:0]),
      .high(quads[2*QUAD_BITS-1:QUAD_BITS]),
      .result(sum)
  );
endmodule

`default_nettype wire
