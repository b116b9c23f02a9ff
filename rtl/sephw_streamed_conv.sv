// StreamedConv: Conv8 (PATTERN 0) or PatternConv (PATTERN 1) with its weights from a stream.
//
// Parameters, stream order, timing and invariant: sephw_conv_engine.sv.
// In 1: a word of PE x SIMD weights per issue, SIMD innermost, in the order of the issues: all
//   words of the layer for each output pixel. Of patterns 0 adds and 1 subtracts.
// Latency as from memory: 6 + ceil(ceil(log2 SIMD) / ADDER_LEVELS) cycles for patterns; for 8-bit
// weights 7 + ceil(log2 SIMD), and 2 more with LUT_MULTIPLIERS.
`default_nettype none

module sephw_streamed_conv #(
    parameter int PATTERN = 0,
    parameter int GROUPS = 1,
    parameter int NEURON_FOLDS = 1,
    parameter int SYNAPSE_FOLDS = 1,
    parameter int PE = 1,
    parameter int SIMD = 1,
    parameter int IN_BITS = 8,
    parameter int IN_SIGNED = 0,
    parameter int OUT_BITS = 16,
    parameter int LUT_MULTIPLIERS = 0,
    parameter int ADDER_LEVELS = 1,
    parameter int CORRECTION_BITS = 1,
    parameter CORRECTIONS_FILE = "",
    parameter int FIFO_DEPTH_0 = 8,
    parameter int WEIGHT_BITS = PATTERN != 0 ? 1 : 8
) (
    input  wire                            ap_clk,
    input  wire                            ap_rst_n,
    input  wire  [       SIMD*IN_BITS-1:0] s_axis_0_tdata,
    input  wire                            s_axis_0_tvalid,
    output logic                           s_axis_0_tready,
    input  wire  [PE*SIMD*WEIGHT_BITS-1:0] s_axis_1_tdata,
    input  wire                            s_axis_1_tvalid,
    output logic                           s_axis_1_tready,
    output logic [        PE*OUT_BITS-1:0] m_axis_0_tdata,
    output logic                           m_axis_0_tvalid,
    input  wire                            m_axis_0_tready
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
      .PATTERN(PATTERN),
      .LUT_MULTIPLIERS(LUT_MULTIPLIERS),
      .ADDER_LEVELS(ADDER_LEVELS),
      .CORRECTION_BITS(CORRECTION_BITS),
      .CORRECTIONS_FILE(CORRECTIONS_FILE),
      .STREAM_WEIGHTS(1),
      .FIFO_DEPTH(FIFO_DEPTH_0)
  ) engine (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .s_axis_tdata(s_axis_0_tdata),
      .s_axis_tvalid(s_axis_0_tvalid),
      .s_axis_tready(s_axis_0_tready),
      .s_weights_tdata(s_axis_1_tdata),
      .s_weights_tvalid(s_axis_1_tvalid),
      .s_weights_tready(s_axis_1_tready),
      .m_axis_tdata(m_axis_0_tdata),
      .m_axis_tvalid(m_axis_0_tvalid),
      .m_axis_tready(m_axis_0_tready)
  );
endmodule

`default_nettype wire
