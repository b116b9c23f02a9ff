// AveragePool: the sum of each channel over a window; the division by a power of two follows.
//
// Parameters: CHANNELS, KERNEL_HEIGHT, KERNEL_WIDTH, GROUPS, SIMD channels per beat (divides
// CHANNELS / GROUPS), IN_BITS and IN_SIGNED of a value, OUT_BITS of a sum (holds every one;
// signed where the input is), FIFO_DEPTH_0.
// Stream in: windows, per pixel in the order (group, ky, kx, channel of the group). Stream out:
// pixels, channel innermost. One issue takes one beat; those of the last tap make one.
// Timing: stage 1 reads the sums so far, stage 2 holds the new ones; a beat is on m_axis 4
// cycles after its issue.
// Invariant: before the issue of (tap, word), sums[word] is the sum over the group's taps before
// `tap`.
`default_nettype none

module sephw_average_pool #(
    parameter int CHANNELS = 4,
    parameter int KERNEL_HEIGHT = 2,
    parameter int KERNEL_WIDTH = 2,
    parameter int GROUPS = 1,
    parameter int SIMD = 1,
    parameter int IN_BITS = 8,
    parameter bit IN_SIGNED = 0,
    parameter int OUT_BITS = 10,
    parameter int FIFO_DEPTH_0 = 2
) (
    input  wire                      ap_clk,
    input  wire                      ap_rst_n,
    input  wire  [ SIMD*IN_BITS-1:0] s_axis_0_tdata,
    input  wire                      s_axis_0_tvalid,
    output wire                      s_axis_0_tready,
    output wire  [SIMD*OUT_BITS-1:0] m_axis_0_tdata,
    output wire                      m_axis_0_tvalid,
    input  wire                      m_axis_0_tready
);
  localparam int WORDS = CHANNELS / GROUPS / SIMD;
  localparam int WORD_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam int TAPS = KERNEL_HEIGHT * KERNEL_WIDTH;

  wire [WORD_BITS-1:0] word;
  wire last_word;
  wire last_tap;
  logic first_tap;
  wire available;
  wire issue = s_axis_0_tvalid && (available || !last_tap);
  assign s_axis_0_tready = issue;

  sephw_modulo_counter #(
      .PERIOD(WORDS)
  ) word_counter (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .advance(issue),
      .value(word),
      .last(last_word)
  );
  sephw_modulo_counter #(
      .PERIOD(TAPS)
  ) tap_counter (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .advance(issue && last_word),
      /* verilator lint_off PINCONNECTEMPTY */
      .value(),
      /* verilator lint_on PINCONNECTEMPTY */
      .last(last_tap)
  );
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) first_tap <= 1'b1;
    else if (issue && last_word) first_tap <= last_tap;
  end

  // Stage 1: the beat beside the sums so far of its word.
  logic valid_1;
  logic first_tap_1;
  logic [WORD_BITS-1:0] word_1;
  logic [SIMD*IN_BITS-1:0] beat_1;
  wire [SIMD*OUT_BITS-1:0] held_1;
  wire [SIMD*OUT_BITS-1:0] sums_1;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) valid_1 <= 1'b0;
    else valid_1 <= issue;
    first_tap_1 <= first_tap;
    word_1 <= word;
    beat_1 <= s_axis_0_tdata;
  end

  for (genvar lane = 0; lane < SIMD; lane++) begin : lanes
    wire [IN_BITS-1:0] narrow = beat_1[lane*IN_BITS+:IN_BITS];
    wire [OUT_BITS-1:0] beat = IN_SIGNED ? OUT_BITS'($signed(narrow)) : OUT_BITS'(narrow);
    wire [OUT_BITS-1:0] held = held_1[lane*OUT_BITS+:OUT_BITS];
    wire [OUT_BITS-1:0] start = first_tap_1 ? '0 : held;
    assign sums_1[lane*OUT_BITS+:OUT_BITS] = start + beat;
  end

  sephw_turn_store #(
      .WIDTH(SIMD * OUT_BITS),
      .WORDS(WORDS)
  ) sums (
      .clk(ap_clk),
      .read_word(word),
      .held(held_1),
      .write(valid_1),
      .write_word(word_1),
      .value(sums_1)
  );

  // Stage 2.
  logic [SIMD*OUT_BITS-1:0] sums_2;
  always_ff @(posedge ap_clk) sums_2 <= sums_1;

  sephw_output #(
      .BITS(SIMD * OUT_BITS),
      .DEPTH(FIFO_DEPTH_0),
      .STAGES(2)
  ) out (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .take(issue && last_tap),
      .available(available),
      .data(sums_2),
      .m_axis_tdata(m_axis_0_tdata),
      .m_axis_tvalid(m_axis_0_tvalid),
      .m_axis_tready(m_axis_0_tready)
  );
endmodule

`default_nettype wire
