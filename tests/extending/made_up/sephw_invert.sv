// Invert: the largest value less x.
//
// Parameters: SIMD channels per beat, IN_BITS of a value, FIFO_DEPTH_0.
// Timing: no register before the FIFO; a beat is on m_axis 2 cycles after its issue.
// Invariant: issue i inverts beat i.
`default_nettype none

module sephw_invert #(
    parameter int SIMD = 1,
    parameter int IN_BITS = 8,
    parameter int FIFO_DEPTH_0 = 2
) (
    input  wire                     ap_clk,
    input  wire                     ap_rst_n,
    input  wire  [SIMD*IN_BITS-1:0] s_axis_0_tdata,
    input  wire                     s_axis_0_tvalid,
    output wire                     s_axis_0_tready,
    output wire  [SIMD*IN_BITS-1:0] m_axis_0_tdata,
    output wire                     m_axis_0_tvalid,
    input  wire                     m_axis_0_tready
);
  wire available;
  wire issue = s_axis_0_tvalid && available;
  assign s_axis_0_tready = issue;

  sephw_output #(
      .BITS(SIMD * IN_BITS),
      .DEPTH(FIFO_DEPTH_0),
      .STAGES(0)
  ) out (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .take(issue),
      .available(available),
      .data(~s_axis_0_tdata),
      .m_axis_tdata(m_axis_0_tdata),
      .m_axis_tvalid(m_axis_0_tvalid),
      .m_axis_tready(m_axis_0_tready)
  );
endmodule

`default_nettype wire
