// Engine around a generated adder graph: issue, window register, credits and output FIFO.
//
// Parameters: IN_BITS of a window, OUT_BITS of its sums; IN_REGISTER: 1 to hand the window on from
//   a register, a cycle after the issue; STAGES: cycles from an issue to its sums, that register
//   included; INTERVAL: least distance of two issues in cycles; FIFO_DEPTH of the output in beats.
// In:  one beat per output pixel, its whole window: (group, ky, kx, channel of the group).
// Out: one beat per output pixel, all channels.
// Adders: `load` is up in the cycle of an issue; `window` belongs to it (IN_REGISTER 0: in that
//   cycle, 1: in the next one); `sums` must hold the result STAGES cycles after `load`.
// Timing: latency STAGES + 2 cycles; the output FIFO is the 2.
// Invariant: `ready` is up unless an issue was less than INTERVAL cycles ago.
`default_nettype none

module sephw_graph_engine #(
    parameter int IN_BITS = 8,
    parameter int OUT_BITS = 16,
    parameter int IN_REGISTER = 1,
    parameter int STAGES = 1,
    parameter int INTERVAL = 1,
    parameter int FIFO_DEPTH = 8
) (
    input  wire                 clk,
    input  wire                 rst_n,
    input  wire  [ IN_BITS-1:0] s_axis_tdata,
    input  wire                 s_axis_tvalid,
    output wire                 s_axis_tready,
    output wire  [OUT_BITS-1:0] m_axis_tdata,
    output wire                 m_axis_tvalid,
    input  wire                 m_axis_tready,
    output wire                 load,
    output wire  [ IN_BITS-1:0] window,
    input  wire  [OUT_BITS-1:0] sums
);
  logic ready, credit;
  wire  issue = s_axis_tvalid && credit && ready;
  assign s_axis_tready = issue;
  assign load = issue;

  generate
    if (INTERVAL == 1) begin : always_ready
      assign ready = 1'b1;
    end else begin : pace
      // Cycles until `ready`, which knows a cycle ahead: no comparison in the path of the issue.
      localparam int COUNT_BITS = INTERVAL > 2 ? $clog2(INTERVAL - 1) : 1;
      logic [COUNT_BITS-1:0] rest;

      always_ff @(posedge clk) begin
        if (!rst_n) ready <= 1'b1;
        else if (issue) ready <= 1'b0;
        else if (rest == '0) ready <= 1'b1;
        rest <= issue ? COUNT_BITS'(INTERVAL - 2) : rest - 1'b1;
      end
    end

    if (IN_REGISTER != 0) begin : register
      logic [IN_BITS-1:0] held;
      always_ff @(posedge clk) held <= s_axis_tdata;
      assign window = held;
    end else begin : direct
      assign window = s_axis_tdata;
    end
  endgenerate

  sephw_output #(
      .BITS  (OUT_BITS),
      .DEPTH (FIFO_DEPTH),
      .STAGES(STAGES)
  ) sums_out (
      .clk,
      .rst_n,
      .take(issue),
      .available(credit),
      .data(sums),
      .m_axis_tdata,
      .m_axis_tvalid,
      .m_axis_tready
  );
endmodule

`default_nettype wire
