// What sephw_fork hands to its outputs, proved for every input and every stall: each beat that it
// takes goes to all copies in that cycle, and it takes one as soon as all have room.
// output.sv proves that they then leave as they came.
module fork_proof (
    input wire       clk,
    input wire [3:0] tdata,
    input wire       tvalid,
    input wire [2:0] ready
);
  logic rst_n = 1'b0;
  always_ff @(posedge clk) rst_n <= 1'b1;

  wire tready;
  wire takes = tvalid && tready;
  sephw_fork #(
      .COPIES(3),
      .SIMD(2),
      .IN_BITS(2),
      .FIFO_DEPTH_0(1),
      .FIFO_DEPTH_1(2),
      .FIFO_DEPTH_2(3)
  ) dut (
      .ap_clk(clk),
      .ap_rst_n(rst_n),
      .s_axis_tdata(tdata),
      .s_axis_tvalid(tvalid),
      .s_axis_tready(tready),
      .m_axis_tdata(),
      .m_axis_tvalid(),
      .m_axis_tready(ready)
  );

  always_ff @(posedge clk) begin
    if (rst_n) begin
      assert (takes == (tvalid && (&dut.available)));
      assert (dut.copies[0].out.push == takes);
      assert (dut.copies[1].out.push == takes);
      assert (dut.copies[2].out.push == takes);
      if (takes) begin
        assert (dut.copies[0].out.data == tdata);
        assert (dut.copies[1].out.data == tdata);
        assert (dut.copies[2].out.data == tdata);
      end
      cover (takes);
    end
  end
endmodule
