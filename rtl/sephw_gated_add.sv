// Sum of two gated terms: b + a, or b - a; each term passes its gate bit by bit.
//
// Parameters: BITS of the terms and of the sum (modulo 2^BITS; the caller extends the terms);
//   INVERT 0: a gate of 0 makes its term 0; INVERT 1: a gate of 1 makes b negative and inverts all
//   bits of a (-a is ~a + 1, and who uses this adds the one); SUBTRACT: b - a (INVERT 0 only);
//   HELD: a register behind the sum.
// Timing: `sum` is one cycle after its terms and gates if HELD, else in the same.
//
// A carry cell of ECP5 has a LUT of four inputs before it, enough for both gates of a bit; the
// synthesis would take two further LUTs for them. The cell's generate function is that of its
// first two inputs with the others at 0, so it is the gated `a`, as the carry wants it. With
// SEPHW_ECP5 defined the cells stand here one by one.
`default_nettype none

module sephw_gated_add #(
    parameter int BITS = 8,
    parameter bit INVERT = 0,
    parameter bit SUBTRACT = 0,
    parameter bit HELD = 1
) (
    input  wire             clk,
    input  wire  [BITS-1:0] a,
    input  wire             gate_a,
    input  wire  [BITS-1:0] b,
    input  wire             gate_b,
    output wire  [BITS-1:0] sum
);
  wire [BITS-1:0] result;
  sephw_stage #(
      .BITS(BITS),
      .HELD(HELD)
  ) level (
      .clk,
      .value(result),
      .staged(sum)
  );

`ifdef SEPHW_ECP5
  localparam int CELLS = (BITS + 1) / 2;
  // Inputs A, B: a and its gate; C, D: b and its gate.
  localparam logic [15:0] FUNCTION = INVERT ? 16'h6996 : SUBTRACT ? 16'h8777 : 16'h7888;

  wire [2*CELLS-1:0] wide_a = (2 * CELLS)'(a);
  wire [2*CELLS-1:0] wide_b = (2 * CELLS)'(b);
  wire [2*CELLS-1:0] wide_sum;
  wire [CELLS:0] carry;
  assign carry[0] = INVERT ? gate_b : SUBTRACT;
  assign result = wide_sum[BITS-1:0];

  for (genvar i = 0; i < CELLS; i++) begin : cells
    CCU2C #(
        .INIT0(FUNCTION),
        .INIT1(FUNCTION),
        .INJECT1_0("NO"),
        .INJECT1_1("NO")
    ) cell_i (
        .CIN(carry[i]),
        .A0(wide_a[2*i]),
        .B0(gate_a),
        .C0(wide_b[2*i]),
        .D0(gate_b),
        .A1(wide_a[2*i+1]),
        .B1(gate_a),
        .C1(wide_b[2*i+1]),
        .D1(gate_b),
        .S0(wide_sum[2*i]),
        .S1(wide_sum[2*i+1]),
        .COUT(carry[i+1])
    );
  end
`else
  wire [BITS-1:0] gated_a = INVERT ? a ^ {BITS{gate_a}} : a & {BITS{gate_a}};
  wire [BITS-1:0] gated_b = INVERT ? b ^ {BITS{gate_b}} : b & {BITS{gate_b}};
  assign result = SUBTRACT ? gated_b - gated_a : gated_b + gated_a + BITS'(INVERT && gate_b);
`endif
endmodule

`default_nettype wire
