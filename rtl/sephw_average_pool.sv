// AveragePool: the sum of each channel over a window; the division by a power of two follows.
//
// Parameters: CHANNELS, KERNEL_HEIGHT, KERNEL_WIDTH, GROUPS, SIMD channels per beat (divides
// CHANNELS / GROUPS), IN_BITS and IN_SIGNED of a value, OUT_BITS of a sum (holds every one;
// signed where the input is), FIFO_DEPTH_0.
// Stream in: windows, per pixel in the order (group, ky, kx, channel of the group). Stream out:
// pixels, channel innermost. One issue takes one beat; those of the last tap make one.
// Timing and invariant: sephw_sum_pool.sv.
`default_nettype none

module sephw_average_pool #(
    parameter int CHANNELS = 4,
    parameter int KERNEL_HEIGHT = 2,
    parameter int KERNEL_WIDTH = 2,
    parameter int GROUPS = 1,
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
      .WORDS(CHANNELS / GROUPS / SIMD),
      .TURNS(KERNEL_HEIGHT * KERNEL_WIDTH),
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
