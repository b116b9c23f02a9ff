// What sephw_width_converter hands to its output, proved for every input and every stall.
//
// The integers of the beats it takes are written down in order, NARROW bits at a time; what it
// hands over must be just these, in order, a beat as soon as one is complete and none besides.
// output.sv proves that they then leave as they came.
module width_converter_proof #(
    parameter int LANES_IN  = 2,
    parameter int LANES_OUT = 4
) (
    input wire                   clk,
    input wire [2*LANES_IN-1:0]  tdata,
    input wire                   tvalid,
    input wire                   ready
);
  localparam bit WIDENS = LANES_OUT > LANES_IN;
  localparam int WIDE = 2 * (WIDENS ? LANES_OUT : LANES_IN);
  localparam int NARROW = 2 * (WIDENS ? LANES_IN : LANES_OUT);
  localparam int PARTS = WIDE / NARROW;
  localparam int N = 4;

  logic rst_n = 1'b0;
  always_ff @(posedge clk) rst_n <= 1'b1;

  wire tready;
  sephw_width_converter #(
      .LANES_IN(LANES_IN),
      .LANES_OUT(LANES_OUT),
      .IN_BITS(2),
      .FIFO_DEPTH_0(3)
  ) dut (
      .ap_clk(clk),
      .ap_rst_n(rst_n),
      .s_axis_0_tdata(tdata),
      .s_axis_0_tvalid(tvalid),
      .s_axis_0_tready(tready),
      .m_axis_0_tdata(),
      .m_axis_0_tvalid(),
      .m_axis_0_tready(ready)
  );

  // Parts of the wide beat that are done, and the beat as far as it is known.
  logic [N-1:0] done = '0;
  logic [WIDE-1:0] wide = '0;
  wire ends = done == N'(PARTS - 1);
  wire reads = WIDENS || done == 0;
  wire writes = !WIDENS || ends;
  wire step = (tvalid || !reads) && (dut.available || !writes);
  wire takes = tvalid && tready;

  logic [WIDE-1:0] now;
  always_comb begin
    now = wide;
    if (takes && WIDENS) now[done*NARROW+:NARROW] = tdata[NARROW-1:0];
    if (takes && !WIDENS) now = WIDE'(tdata);
  end

  logic due = 1'b0;
  logic [2*LANES_OUT-1:0] expected = '0;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      done <= '0;
      due  <= 1'b0;
    end else begin
      wide <= now;
      if (step) done <= ends ? '0 : done + N'(1);
      due <= step && writes;
      expected <= WIDENS ? (2 * LANES_OUT)'(now) : (2 * LANES_OUT)'(now >> done * NARROW);
    end
  end

  always_ff @(posedge clk) begin
    if (rst_n) begin
      // It takes a beat where it needs one, and only then.
      assert (tready == (step && reads));
      assert (dut.out.push == due);
      if (due) assert (dut.out.data == expected);
      cover (due && !takes);
      // Inductive: the counter, and what is held of the wide beat.
      assert (done < N'(PARTS));
      assert (dut.first == (done == 0));
      assert (dut.last == ends);
      if (!WIDENS && done != 0) assert (dut.held == wide);
      if (WIDENS) begin
        for (int i = 0; i < PARTS; i++) begin
          if (i < done) begin
            assert (dut.held[(PARTS-int'(done)+i)*NARROW+:NARROW] == wide[i*NARROW+:NARROW]);
          end
        end
      end
    end
  end
  if (PARTS > 1 && !WIDENS) begin : showing
    // The part that was written last: none before the first beat.
    always_ff @(posedge clk) begin
      if (rst_n && due) assert (N'(dut.narrow.shown) == (done == 0 ? N'(PARTS - 1) : done - N'(1)));
      if (rst_n && due) assert (dut.held == wide);
    end
  end
  if (PARTS > 1) begin : counting
    always_ff @(posedge clk) if (rst_n) assert (N'(dut.part.value) == done);
  end
endmodule
