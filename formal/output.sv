// What sephw_output (credits, valid bits, FIFO) promises, proved for every use of it.
//
// The user takes whenever it likes and a credit is free, and sends any data; the reader stalls at
// will. One issue, any, is marked and its beat followed: `ahead` counts the beats before it that
// are not popped yet. Proved of it:
//   - it leaves with its own data when `ahead` is 0, so nothing is lost, doubled or overtaken;
//   - it is at the head from STAGES + 2 cycles after its issue on, not earlier, if nothing is
//     before it;
// and of all: the head stays until it is popped, and a credit is free exactly while fewer than
// DEPTH beats are under way; no word of the FIFO's memory is written while it is read.
module output_proof #(
    parameter int DEPTH  = 3,
    parameter int STAGES = 1
) (
    input wire       clk,
    input wire       wish,
    input wire       mark,
    input wire [1:0] data,
    input wire       ready
);
  localparam int N = 5;  // bits of a count
  localparam logic [N-1:0] LIMIT = N'(DEPTH);
  localparam logic [N-1:0] VISIBLE = N'(STAGES + 2);

  logic rst_n = 1'b0;
  always_ff @(posedge clk) rst_n <= 1'b1;

  wire available;
  wire take = wish && available;
  wire head_valid;
  wire [1:0] head;
  wire pop = head_valid && ready;

  sephw_output #(
      .BITS(2),
      .DEPTH(DEPTH),
      .STAGES(STAGES)
  ) dut (
      .clk(clk),
      .rst_n(rst_n),
      .take(take),
      .available(available),
      .data(data),
      .m_axis_tdata(head),
      .m_axis_tvalid(head_valid),
      .m_axis_tready(ready)
  );

  logic [N-1:0] outstanding = '0;  // issued, not popped
  logic [N-1:0] travelling = '0;  // issued, not pushed
  logic [N-1:0] stored = '0;  // pushed, not at the head yet
  logic marked = 1'b0;
  logic gone = 1'b0;
  logic [N-1:0] ahead = '0;
  logic [N-1:0] age = '0;  // cycles since the marked issue, VISIBLE at most
  logic [1:0] sent = '0;
  wire here = marked && !gone;
  wire marking = take && mark && !marked;
  // Its data is on `data` STAGES cycles after the issue.
  wire sending = STAGES == 0 ? marking : here && age == N'(STAGES);
  wire leaving = here && pop && ahead == 0 && age == VISIBLE;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      {outstanding, travelling, stored, marked, gone, ahead, age} <= '0;
    end else begin
      outstanding <= outstanding + N'(take) - N'(pop);
      travelling <= travelling + N'(take) - N'(dut.push);
      stored <= stored + N'(dut.push) - N'(dut.fifo.load);
      if (marking) begin
        marked <= 1'b1;
        ahead <= outstanding - N'(pop);
        age <= N'(1);
      end else if (here) begin
        if (pop && !leaving) ahead <= ahead - N'(1);
        if (age != VISIBLE) age <= age + N'(1);
        if (leaving) gone <= 1'b1;
      end
      if (sending) sent <= data;
    end
  end

  // The promises.
  logic stalled = 1'b0;
  logic [1:0] stalled_head = '0;
  always_ff @(posedge clk) begin
    stalled <= rst_n && head_valid && !ready;
    stalled_head <= head;
    if (rst_n) begin
      if (stalled) assert (head_valid && head == stalled_head);
      assert (available == (outstanding < LIMIT));
      if (here && ahead == 0) begin
        assert (head_valid == (age == VISIBLE));
        if (head_valid) assert (head == sent);
      end
      cover (gone && outstanding == LIMIT);
      cover (gone && available && !head_valid);
    end
  end

  // What makes them inductive: how the parts of the design hang together.
  localparam int WORDS = DEPTH - 1;
  // Beats before the marked one in the memory; and whether it is there.
  wire [N-1:0] before_it = ahead - N'(head_valid);
  wire in_memory = here && age > N'(STAGES) && !(head_valid && ahead == 0);

  always_ff @(posedge clk) begin
    if (rst_n) begin
      assert (outstanding == travelling + stored + N'(head_valid));
      assert (outstanding <= LIMIT && stored <= N'(WORDS > 0 ? WORDS : 1));
      assert (head_valid || stored <= N'(1));
      assert (dut.fifo.waiting == (stored != 0));
      assert (!gone || marked);
      if (here) begin
        assert (age != 0 && age <= VISIBLE && ahead < outstanding);
        if (age <= N'(STAGES)) assert (ahead >= stored + N'(head_valid));
        if (in_memory) assert (before_it < stored);
        if (age == VISIBLE) assert (head_valid);
      end else if (!marked) assert (age == 0);
    end
  end

  if (DEPTH > 1) begin : counted
    always_ff @(posedge clk) begin
      if (rst_n) assert (N'(dut.credit.several.count) == LIMIT - outstanding);
    end
  end

  if (WORDS == 0) begin : no_word
    // On its way to the head, the beat is there before its valid bit.
    always_ff @(posedge clk) begin
      if (rst_n && in_memory) assert (head == sent);
    end
  end else if (WORDS == 1) begin : one_word
    always_ff @(posedge clk) begin
      if (rst_n && in_memory) assert (dut.fifo.single.beat == sent);
    end
  end else begin : several_words
    localparam int A = $clog2(WORDS);
    function automatic logic [A-1:0] back(input logic [A-1:0] at, input logic [N-1:0] steps);
      logic [N-1:0] place = N'(at) + N'(WORDS) - steps;
      return A'(place >= N'(WORDS) ? place - N'(WORDS) : place);
    endfunction
    wire [A-1:0] write_at = dut.fifo.several.write_at;
    wire [A-1:0] read_at = dut.fifo.several.read_at;
    wire [A-1:0] place = back(write_at, stored - before_it);

    always_ff @(posedge clk) begin
      if (rst_n) begin
        assert (!(dut.push && dut.fifo.load && write_at == read_at));
        assert (N'(dut.fifo.several.behind_head.several.count) == stored);
        assert (N'(write_at) < N'(WORDS) && N'(read_at) < N'(WORDS));
        assert (read_at == back(write_at, stored));
        if (in_memory) assert (dut.fifo.several.beats[place] == sent);
      end
    end
  end

  if (STAGES == 0) begin : no_stage
    always_ff @(posedge clk) if (rst_n) assert (travelling == 0);
  end else begin : some_stages
    wire [STAGES-1:0] valid = dut.delayed.valid;
    always_ff @(posedge clk) begin
      if (rst_n) begin
        assert (travelling == N'($countones(valid)));
        // Older beats are in higher stages; all that are not pushed yet and older are ahead.
        if (here && age <= N'(STAGES)) begin
          assert (valid[age-1]);
          assert (ahead == stored + N'(head_valid) + N'($countones(valid >> age)));
        end
      end
    end
  end
endmodule
