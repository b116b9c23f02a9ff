// PatternConv: sums of +x and -x; a stored bit of 0 adds, 1 subtracts.
//
// Parameters, stream order, timing and invariant: sephw_conv_engine.sv. PATTERNS_FILE is its
// WEIGHTS_FILE.
// Latency 6 + ceil(ceil(log2 SIMD) / ADDER_LEVELS) cycles.
`default_nettype none

module sephw_pattern_conv #(
    parameter int GROUPS = 1,
    parameter int NEURON_FOLDS = 1,
    parameter int SYNAPSE_FOLDS = 1,
    parameter int PE = 1,
    parameter int SIMD = 1,
    parameter int IN_BITS = 8,
    parameter int IN_SIGNED = 0,
    parameter int OUT_BITS = 16,
    parameter int ADDER_LEVELS = 1,
    parameter int CORRECTION_BITS = 1,
    parameter PATTERNS_FILE = "",
    parameter CORRECTIONS_FILE = "",
    parameter int FIFO_DEPTH_0 = 8
) (
    input  wire                     ap_clk,
    input  wire                     ap_rst_n,
    input  wire  [SIMD*IN_BITS-1:0] s_axis_0_tdata,
    input  wire                     s_axis_0_tvalid,
    output logic                    s_axis_0_tready,
    output logic [ PE*OUT_BITS-1:0] m_axis_0_tdata,
    output logic                    m_axis_0_tvalid,
    input  wire                     m_axis_0_tready
);
  sephw_conv_engine #(
      .GROUPS(GROUPS),
      .NEURON_FOLDS(NEURON_FOLDS),
      .SYNAPSE_FOLDS(SYNAPSE_FOLDS),
      .PE(PE),
      .SIMD(SIMD),
      .IN_BITS(IN_BITS),
      .IN_SIGNED(IN_SIGNED),
      .OUT_BITS(OUT_BITS),
      .PATTERN(1),
      .ADDER_LEVELS(ADDER_LEVELS),
      .CORRECTION_BITS(CORRECTION_BITS),
      .WEIGHTS_FILE(PATTERNS_FILE),
      .CORRECTIONS_FILE(CORRECTIONS_FILE),
      .FIFO_DEPTH(FIFO_DEPTH_0)
  ) engine (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .s_axis_tdata(s_axis_0_tdata),
      .s_axis_tvalid(s_axis_0_tvalid),
      .s_axis_tready(s_axis_0_tready),
      .s_weights_tdata('0),
      .s_weights_tvalid(1'b0),
      /* verilator lint_off PINCONNECTEMPTY */
      .s_weights_tready(),
      /* verilator lint_on PINCONNECTEMPTY */
      .m_axis_tdata(m_axis_0_tdata),
      .m_axis_tvalid(m_axis_0_tvalid),
      .m_axis_tready(m_axis_0_tready)
  );
endmodule

`default_nettype wire
