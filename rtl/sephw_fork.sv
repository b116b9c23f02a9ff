// Fork: one stream becomes COPIES equal ones. A beat leaves when every copy has room for it.
//
// Parameters: COPIES 2 to 4, SIMD channels per beat, IN_BITS per channel, FIFO_DEPTH_<copy> (those
// from COPIES on are unused).
// Ports: copy i is bit i of m_axis_tvalid and m_axis_tready and lanes i * SIMD.. of m_axis_tdata;
// the module that the operator generates around this one gives each copy its own port.
// Timing: no register before the FIFOs; a beat is on every m_axis 2 cycles after its issue.
// Invariant: issue i copies beat i.
`default_nettype none

module sephw_fork #(
    parameter int COPIES = 2,
    parameter int SIMD = 1,
    parameter int IN_BITS = 8,
    parameter int FIFO_DEPTH_0 = 2,
    parameter int FIFO_DEPTH_1 = 2,
    parameter int FIFO_DEPTH_2 = 2,
    parameter int FIFO_DEPTH_3 = 2
) (
    input  wire                           ap_clk,
    input  wire                           ap_rst_n,
    input  wire  [      SIMD*IN_BITS-1:0] s_axis_tdata,
    input  wire                           s_axis_tvalid,
    output wire                           s_axis_tready,
    output wire  [COPIES*SIMD*IN_BITS-1:0] m_axis_tdata,
    output wire  [            COPIES-1:0] m_axis_tvalid,
    input  wire  [            COPIES-1:0] m_axis_tready
);
  localparam int BITS = SIMD * IN_BITS;

  wire [COPIES-1:0] available;
  wire issue = s_axis_tvalid && (&available);
  assign s_axis_tready = issue;

  for (genvar copy = 0; copy < COPIES; copy++) begin : copies
    localparam int DEPTH = copy == 0 ? FIFO_DEPTH_0 :
                           copy == 1 ? FIFO_DEPTH_1 :
                           copy == 2 ? FIFO_DEPTH_2 : FIFO_DEPTH_3;

    sephw_output #(
        .BITS(BITS),
        .DEPTH(DEPTH),
        .STAGES(0)
    ) out (
        .clk(ap_clk),
        .rst_n(ap_rst_n),
        .take(issue),
        .available(available[copy]),
        .data(s_axis_tdata),
        .m_axis_tdata(m_axis_tdata[copy*BITS+:BITS]),
        .m_axis_tvalid(m_axis_tvalid[copy]),
        .m_axis_tready(m_axis_tready[copy])
    );
  end
endmodule

`default_nettype wire
