// What sephw_crossing promises, proved for two clocks that know nothing of each other.
//
// Both clocks do what they like: they tick together, or one of them many times between two ticks of
// the other. (A register that samples a bit of the other clock while it changes may settle to its
// old or its new value: as if its tick had come just before or just after that change.) Words are
// taken and read at will, after a reset as the module wants it, which each side leaves when it
// likes. Proved: what is read are the words that were taken, in their order, each once and whole; a
// word at the output stays as it is until it is read; at most two are under way.
module crossing_proof (
    input wire       from_clk,
    input wire       to_clk,
    input wire       from_go,
    input wire       to_go,
    input wire       valid,
    input wire [1:0] data,
    input wire       ready
);
  // Both in reset: a tick of each, and after these two more of each.
  logic from_ticked = 1'b0;
  logic to_ticked = 1'b0;
  logic [1:0] from_more = '0;
  logic [1:0] to_more = '0;
  wire both_ticked = from_ticked && to_ticked;
  wire reset_done = from_more == 2 && to_more == 2;
  logic from_rst_n = 1'b0;
  logic to_rst_n = 1'b0;
  always_ff @(posedge from_clk) begin
    from_ticked <= 1'b1;
    if (both_ticked && from_more != 2) from_more <= from_more + 1'b1;
    from_rst_n <= from_rst_n || (reset_done && from_go);
  end
  always_ff @(posedge to_clk) begin
    to_ticked <= 1'b1;
    if (both_ticked && to_more != 2) to_more <= to_more + 1'b1;
    to_rst_n <= to_rst_n || (reset_done && to_go);
  end

  wire can_take, there;
  wire [1:0] word;
  sephw_crossing #(
      .BITS(2)
  ) dut (
      .from_clk(from_clk),
      .from_rst_n(from_rst_n),
      .s_valid(valid),
      .s_ready(can_take),
      .s_data(data),
      .to_clk(to_clk),
      .to_rst_n(to_rst_n),
      .m_valid(there),
      .m_ready(ready),
      .m_data(word)
  );

  // All words by their number, as far back as any is under way; numbers begin again after 3.
  logic [1:0] words[4];
  logic [1:0] taken = '0;
  logic [1:0] left = '0;
  always_ff @(posedge from_clk) begin
    if (from_rst_n && valid && can_take) begin
      words[taken] <= data;
      taken <= taken + 1'b1;
    end
  end
  always_ff @(posedge to_clk) begin
    if (to_rst_n && there && ready) left <= left + 1'b1;
  end

  // The promise. What is at the output is the word whose turn it is, as long as it is there, and
  // it goes only by being read.
  wire [1:0] under_way = taken - left;
  always_comb begin
    if (reset_done) begin
      assert (under_way <= 2);
      if (there) assert (under_way != 0 && word == words[left]);
    end
  end

  // What makes it inductive: at most one change is on its way around the handshake, and a word is
  // in `held` from the rise of the request on until the other side acknowledges it.
  wire [5:0] around = {
    dut.request, dut.requested[0], dut.requested[1],
    dut.acknowledge, dut.acknowledged[0], dut.acknowledged[1]
  };
  wire waits = dut.request && !dut.acknowledge;
  always_comb begin
    if (reset_done) begin
      assert ($countones(around[5:1] ^ around[4:0]) <= 1);
      assert (under_way == 2'(waits) + 2'(there));
      if (waits) assert (dut.held == words[2'(taken-2'd1)]);
      if (!from_rst_n) assert (!dut.request);
      if (!to_rst_n) assert (!dut.acknowledge && !there);
      cover (left == 1 && there && waits);
    end else begin
      assert (!from_rst_n && !to_rst_n && taken == 0 && left == 0);
      if (from_ticked) assert (!dut.request);
      if (to_ticked) assert (!dut.acknowledge && !there);
    end
    assert (from_more <= 2 && to_more <= 2);
    if (!both_ticked) assert (from_more == 0 && to_more == 0);
    if (from_more != 0 && !to_rst_n) assert (!dut.acknowledged[0]);
    if (from_more == 2 && !to_rst_n) assert (!dut.acknowledged[1]);
    if (to_more != 0 && !from_rst_n) assert (!dut.requested[0]);
    if (to_more == 2 && !from_rst_n) assert (!dut.requested[1]);
  end
endmodule
