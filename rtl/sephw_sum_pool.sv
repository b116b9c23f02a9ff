// Sums of WORDS beats over TURNS turns each: what AveragePool and GlobalPool have in common.
//
// Parameters: WORDS beats per turn, TURNS per sum, SIMD values per beat, IN_BITS and IN_SIGNED of a
// value, OUT_BITS of a sum (holds every one; signed where the input is), FIFO_DEPTH.
// Streams: turn after turn, a beat per word, in; a beat of sums per word out. One issue takes one
// beat; those of the last turn make one.
// Timing: stage 1 reads the sums so far, stage 2 holds the new ones; a beat is on m_axis 4
// cycles after its issue.
// Invariant: before the issue of (turn, word), sums[word] is the sum over the turns before `turn`.
`default_nettype none

module sephw_sum_pool #(
    parameter int WORDS = 4,
    parameter int TURNS = 4,
    parameter int SIMD = 1,
    parameter int IN_BITS = 8,
    parameter bit IN_SIGNED = 0,
    parameter int OUT_BITS = 10,
    parameter int FIFO_DEPTH = 2
) (
    input  wire                      clk,
    input  wire                      rst_n,
    input  wire  [ SIMD*IN_BITS-1:0] s_axis_tdata,
    input  wire                      s_axis_tvalid,
    output wire                      s_axis_tready,
    output wire  [SIMD*OUT_BITS-1:0] m_axis_tdata,
    output wire                      m_axis_tvalid,
    input  wire                      m_axis_tready
);
  localparam int WORD_BITS = WORDS > 1 ? $clog2(WORDS) : 1;

  wire [WORD_BITS-1:0] word;
  wire last_word;
  wire last_turn;
  logic first_turn;
  wire available;
  wire issue = s_axis_tvalid && (available || !last_turn);
  assign s_axis_tready = issue;

  sephw_modulo_counter #(
      .PERIOD(WORDS)
  ) word_counter (
      .clk(clk),
      .rst_n(rst_n),
      .advance(issue),
      .value(word),
      .last(last_word)
  );
  sephw_modulo_counter #(
      .PERIOD(TURNS)
  ) turn_counter (
      .clk(clk),
      .rst_n(rst_n),
      .advance(issue && last_word),
      /* verilator lint_off PINCONNECTEMPTY */
      .value(),
      /* verilator lint_on PINCONNECTEMPTY */
      .last(last_turn)
  );
  always_ff @(posedge clk) begin
    if (!rst_n) first_turn <= 1'b1;
    else if (issue && last_word) first_turn <= last_turn;
  end

  // Stage 1: the beat beside the sums so far of its word.
  logic valid_1;
  logic first_turn_1;
  logic [WORD_BITS-1:0] word_1;
  logic [SIMD*IN_BITS-1:0] beat_1;
  wire [SIMD*OUT_BITS-1:0] held_1;
  wire [SIMD*OUT_BITS-1:0] sums_1;

  always_ff @(posedge clk) begin
    if (!rst_n) valid_1 <= 1'b0;
    else valid_1 <= issue;
    first_turn_1 <= first_turn;
    word_1 <= word;
    beat_1 <= s_axis_tdata;
  end

  for (genvar lane = 0; lane < SIMD; lane++) begin : lanes
    wire [IN_BITS-1:0] narrow = beat_1[lane*IN_BITS+:IN_BITS];
    wire [OUT_BITS-1:0] beat = IN_SIGNED ? OUT_BITS'($signed(narrow)) : OUT_BITS'(narrow);
    wire [OUT_BITS-1:0] held = held_1[lane*OUT_BITS+:OUT_BITS];
    wire [OUT_BITS-1:0] start = first_turn_1 ? '0 : held;
    assign sums_1[lane*OUT_BITS+:OUT_BITS] = start + beat;
  end

  sephw_turn_store #(
      .WIDTH(SIMD * OUT_BITS),
      .WORDS(WORDS)
  ) sums (
      .clk(clk),
      .read_word(word),
      .held(held_1),
      .write(valid_1),
      .write_word(word_1),
      .value(sums_1)
  );

  // Stage 2.
  logic [SIMD*OUT_BITS-1:0] sums_2;
  always_ff @(posedge clk) sums_2 <= sums_1;

  sephw_output #(
      .BITS(SIMD * OUT_BITS),
      .DEPTH(FIFO_DEPTH),
      .STAGES(2)
  ) out (
      .clk(clk),
      .rst_n(rst_n),
      .take(issue && last_turn),
      .available(available),
      .data(sums_2),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(m_axis_tready)
  );
endmodule

`default_nettype wire
