// Accumulator: the term is added to `start` where a sum begins, else to the sum so far.
//
// Parameters: BITS of everything (modulo 2^BITS).
// Timing: `sum` is one cycle after `term`, in the cycles in which `enable` is up; else it stays.
//
// On ECP5 the choice fits the LUT before the carry, see sephw_gated_add.sv: the generate function
// is that of `term` and `first` with `start` and `sum` at 0, so it is `term`.
`default_nettype none

module sephw_accumulate #(
    parameter int BITS = 16
) (
    input  wire             clk,
    input  wire             enable,
    input  wire             first,
    input  wire  [BITS-1:0] start,
    input  wire  [BITS-1:0] term,
    output logic [BITS-1:0] sum
);
  wire [BITS-1:0] result;
  always_ff @(posedge clk) if (enable) sum <= result;

`ifdef SEPHW_ECP5
  localparam int CELLS = (BITS + 1) / 2;
  // Inputs A: term, B: first, C: start, D: sum.
  localparam logic [15:0] FUNCTION = 16'h596A;

  wire [2*CELLS-1:0] wide_term = (2 * CELLS)'(term);
  wire [2*CELLS-1:0] wide_start = (2 * CELLS)'(start);
  wire [2*CELLS-1:0] wide_old = (2 * CELLS)'(sum);
  wire [2*CELLS-1:0] wide_sum;
  wire [CELLS:0] carry;
  assign carry[0] = 1'b0;
  assign result = wide_sum[BITS-1:0];

  for (genvar i = 0; i < CELLS; i++) begin : cells
    CCU2C #(
        .INIT0(FUNCTION),
        .INIT1(FUNCTION),
        .INJECT1_0("NO"),
        .INJECT1_1("NO")
    ) cell_i (
        .CIN(carry[i]),
        .A0(wide_term[2*i]),
        .B0(first),
        .C0(wide_start[2*i]),
        .D0(wide_old[2*i]),
        .A1(wide_term[2*i+1]),
        .B1(first),
        .C1(wide_start[2*i+1]),
        .D1(wide_old[2*i+1]),
        .S0(wide_sum[2*i]),
        .S1(wide_sum[2*i+1]),
        .COUT(carry[i+1])
    );
  end
`else
  assign result = (first ? start : sum) + term;
`endif
endmodule

`default_nettype wire
