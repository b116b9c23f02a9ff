// Output of an engine: credits, the valid bits that travel beside the pipeline, and the FIFO.
//
// Parameters: BITS per beat, DEPTH of the FIFO in beats, STAGES registers of the pipeline.
// `take` is up in the cycle of an issue that makes a beat (only while `available`); its beat is
// on `data` STAGES cycles later, and on m_axis from STAGES + 2 cycles after the issue on.
// Invariant: beats in the pipeline and in the FIFO + free credits = DEPTH.
`default_nettype none

module sephw_output #(
    parameter int BITS   = 8,
    parameter int DEPTH  = 2,
    parameter int STAGES = 1
) (
    input  wire             clk,
    input  wire             rst_n,
    input  wire             take,
    output wire             available,
    input  wire  [BITS-1:0] data,
    output wire  [BITS-1:0] m_axis_tdata,
    output wire             m_axis_tvalid,
    input  wire             m_axis_tready
);
  wire push;

  sephw_credit #(
      .DEPTH(DEPTH)
  ) credit (
      .clk(clk),
      .rst_n(rst_n),
      .take(take),
      .give(m_axis_tvalid && m_axis_tready),
      .available(available)
  );

  if (STAGES == 0) begin : direct
    assign push = take;
  end else begin : delayed
    logic [STAGES-1:0] valid;

    always_ff @(posedge clk) begin
      if (!rst_n) valid <= '0;
      else valid <= STAGES'({valid, take});
    end
    assign push = valid[STAGES-1];
  end

  sephw_fifo #(
      .BITS (BITS),
      .DEPTH(DEPTH)
  ) fifo (
      .clk(clk),
      .rst_n(rst_n),
      .push(push),
      .push_data(data),
      .head_valid(m_axis_tvalid),
      .head_data(m_axis_tdata),
      .head_ready(m_axis_tready)
  );
endmodule

`default_nettype wire
