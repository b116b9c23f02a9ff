// GlobalPool: the sum of each channel over all pixels.
//
// Parameters: HEIGHT, WIDTH, CHANNELS, SIMD channels per beat, IN_BITS and IN_SIGNED of a value,
// OUT_BITS of a sum (holds every one; signed where the input is), FIFO_DEPTH_0.
// Streams: pixels in, channel innermost; one pixel of sums out. One issue takes one beat; those
// of the last pixel make one.
// Timing and invariant: sephw_sum_pool.sv.
`default_nettype none

module sephw_global_pool #(
    parameter int HEIGHT = 2,
    parameter int WIDTH = 2,
    parameter int CHANNELS = 4,
    parameter int SIMD = 1,
    parameter int IN_BITS = 8,
    parameter bit IN_SIGNED = 0,
    parameter int OUT_BITS = 10,
    parameter int FIFO_DEPTH_0 = 2
) (
    input  wire                      ap_clk,
    input  wire                      ap_rst_n,
    input  wire  [ SIMD*IN_BITS-1:0] s_axis_0_tdata,
    input  wire                      s_axis_0_tvalid,
    output wire                      s_axis_0_tready,
    output wire  [SIMD*OUT_BITS-1:0] m_axis_0_tdata,
    output wire                      m_axis_0_tvalid,
    input  wire                      m_axis_0_tready
);
  sephw_sum_pool #(
      .WORDS(CHANNELS / SIMD),
      .TURNS(HEIGHT * WIDTH),
      .SIMD(SIMD),
      .IN_BITS(IN_BITS),
      .IN_SIGNED(IN_SIGNED),
      .OUT_BITS(OUT_BITS),
      .FIFO_DEPTH(FIFO_DEPTH_0)
  ) engine (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .s_axis_tdata(s_axis_0_tdata),
      .s_axis_tvalid(s_axis_0_tvalid),
      .s_axis_tready(s_axis_0_tready),
      .m_axis_tdata(m_axis_0_tdata),
      .m_axis_tvalid(m_axis_0_tvalid),
      .m_axis_tready(m_axis_0_tready)
  );
endmodule

`default_nettype wire
