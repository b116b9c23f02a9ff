// Between a DMA's AXI-Streams and a network's: widths of whole bytes, TLAST on each frame's end.
//
// Parameters: IN_BITS and OUT_BITS per beat of the network, IN_BUS_BITS and OUT_BUS_BITS per beat
//   of the DMA (at least as many, 8 * 2^n), OUT_BEATS per frame of the network's output.
// In: s_axis (from the DMA; bits above IN_BITS are ignored, frames are told apart by counting, so
//   there is no TLAST), out_axis (from the network).
// Out: in_axis (to the network), m_axis (to the DMA; bits above OUT_BITS are 0, TKEEP is all ones).
// Timing: both directions pass through without a register; m_axis_tlast is a register.
// Invariant: TLAST is up exactly on beats OUT_BEATS - 1, 2 * OUT_BEATS - 1, … since reset.
`default_nettype none

module sephw_axis_frame #(
    parameter int IN_BITS      = 8,
    parameter int IN_BUS_BITS  = 8,
    parameter int OUT_BITS     = 21,
    parameter int OUT_BUS_BITS = 32,
    parameter int OUT_BEATS    = 10
) (
    input  wire                       ap_clk,
    input  wire                       ap_rst_n,
    input  wire  [   IN_BUS_BITS-1:0] s_axis_tdata,
    input  wire                       s_axis_tvalid,
    output wire                       s_axis_tready,
    output wire  [       IN_BITS-1:0] in_axis_tdata,
    output wire                       in_axis_tvalid,
    input  wire                       in_axis_tready,
    input  wire  [      OUT_BITS-1:0] out_axis_tdata,
    input  wire                       out_axis_tvalid,
    output wire                       out_axis_tready,
    output wire  [  OUT_BUS_BITS-1:0] m_axis_tdata,
    output wire  [OUT_BUS_BITS/8-1:0] m_axis_tkeep,
    output wire                       m_axis_tlast,
    output wire                       m_axis_tvalid,
    input  wire                       m_axis_tready
);
  localparam int BEAT_BITS = OUT_BEATS > 1 ? $clog2(OUT_BEATS) : 1;

  assign in_axis_tdata   = s_axis_tdata[IN_BITS-1:0];
  assign in_axis_tvalid  = s_axis_tvalid;
  assign s_axis_tready   = in_axis_tready;
  assign m_axis_tdata    = OUT_BUS_BITS'(out_axis_tdata);
  assign m_axis_tkeep    = '1;
  assign m_axis_tvalid   = out_axis_tvalid;
  assign out_axis_tready = m_axis_tready;

  wire [BEAT_BITS-1:0] beat;

  sephw_modulo_counter #(
      .PERIOD(OUT_BEATS)
  ) beats (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .advance(m_axis_tvalid && m_axis_tready),
      .value(beat),
      .last(m_axis_tlast)
  );

  wire unused = &{1'b0, beat, s_axis_tdata};
endmodule

`default_nettype wire
