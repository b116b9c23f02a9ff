// Conv8: sums of x * w with 8-bit weights. Also linear layers: a 1 x 1 kernel on a 1 x 1 map.
//
// Parameters, stream order, timing and invariant: sephw_conv_engine.sv.
// Latency 7 + ceil(log2 SIMD) cycles, with LUT_MULTIPLIERS 9 + ceil(log2 SIMD).
`default_nettype none

module sephw_conv8 #(
    parameter int GROUPS = 1,
    parameter int NEURON_FOLDS = 1,
    parameter int SYNAPSE_FOLDS = 1,
    parameter int PE = 1,
    parameter int SIMD = 1,
    parameter int IN_BITS = 8,
    parameter int IN_SIGNED = 0,
    parameter int OUT_BITS = 16,
    parameter int LUT_MULTIPLIERS = 0,
    parameter WEIGHTS_FILE = "",
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
      .PATTERN(0),
      .LUT_MULTIPLIERS(LUT_MULTIPLIERS),
      .WEIGHTS_FILE(WEIGHTS_FILE),
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
