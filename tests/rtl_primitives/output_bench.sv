// sephw_output at every depth and pipeline length of the test, side by side.
//
// `want` asks for an issue in this cycle; `took` tells that there was a credit for it. A beat is
// the number of its issue cycle.
`default_nettype none

module output_bench (
    input  wire          clk,
    input  wire          rst_n,
    input  wire [  20:0] want,
    input  wire [  20:0] ready,
    output wire [  20:0] took,
    output wire [  20:0] valid,
    output wire [335:0] data
);
  logic [15:0] cycle;
  always_ff @(posedge clk) cycle <= rst_n ? cycle + 1'b1 : '0;

  for (genvar i = 0; i < 21; i++) begin : units
    localparam int DEPTH = i % 7 < 5 ? i % 7 + 1 : i % 7 == 5 ? 16 : 512;
    localparam int STAGES = i / 7 == 2 ? 3 : i / 7;
    wire available;
    logic [47:0] travelling;

    always_ff @(posedge clk) travelling <= {travelling[31:0], cycle};
    assign took[i] = want[i] && available;
    sephw_output #(
        .BITS(16),
        .DEPTH(DEPTH),
        .STAGES(STAGES)
    ) out (
        .clk(clk),
        .rst_n(rst_n),
        .take(took[i]),
        .available(available),
        .data(STAGES == 0 ? cycle : travelling[(STAGES > 0 ? STAGES-1 : 0)*16+:16]),
        .m_axis_tdata(data[i*16+:16]),
        .m_axis_tvalid(valid[i]),
        .m_axis_tready(ready[i])
    );
  end
endmodule

`default_nettype wire
