// Thresholds: each channel's count of thresholds that its value reaches, by binary search.
//
//   y = BASE + (directions[c] ? 2^STAGES - 1 - n : n), n = number of thresholds[c] <= key
//
// Parameters: CHANNELS, SIMD channels per beat, IN_BITS and IN_SIGNED of a value, THRESHOLD_BITS
// (at least IN_BITS), STAGES 1 to 8, so that there are 2^STAGES - 1 thresholds per channel, BASE,
// OUT_BITS, FIFO_DEPTH_0. Tables: THRESHOLDS_<k>_FILE of stage k holds, for each beat of a pixel,
// 2^k rows of one unsigned entry per lane: row word * 2^k + p has the threshold that decides bit k
// of counts that begin with p. DIRECTIONS_FILE has one row per beat, a bit per lane.
// Keys are the values with their sign bits flipped, which orders them like unsigned numbers.
// One issue takes a beat and makes one.
// Timing: stage k reads its tables in cycle 2k after the issue and knows its bit in cycle 2k + 2;
// a beat is on m_axis 2 * STAGES + 2 cycles after its issue.
// Invariant: `word` counts issues modulo the beats of a pixel.
`default_nettype none

module sephw_thresholds #(
    parameter THRESHOLDS_0_FILE = "",
    parameter THRESHOLDS_1_FILE = "",
    parameter THRESHOLDS_2_FILE = "",
    parameter THRESHOLDS_3_FILE = "",
    parameter THRESHOLDS_4_FILE = "",
    parameter THRESHOLDS_5_FILE = "",
    parameter THRESHOLDS_6_FILE = "",
    parameter THRESHOLDS_7_FILE = "",
    parameter DIRECTIONS_FILE = "",
    parameter int CHANNELS = 1,
    parameter int SIMD = 1,
    parameter int IN_BITS = 8,
    parameter bit IN_SIGNED = 1,
    parameter int THRESHOLD_BITS = 8,
    parameter int STAGES = 1,
    parameter int BASE = 0,
    parameter int OUT_BITS = 1,
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
  localparam int WORDS = CHANNELS / SIMD;
  localparam int WORD_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam logic [IN_BITS-1:0] SIGN_BIT = IN_BITS'(IN_SIGNED) << (IN_BITS - 1);

  wire available;
  wire issue = s_axis_0_tvalid && available;
  assign s_axis_0_tready = issue;

  wire [WORD_BITS-1:0] word;
  /* verilator lint_off PINCONNECTEMPTY */
  sephw_modulo_counter #(
      .PERIOD(WORDS)
  ) word_counter (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .advance(issue),
      .value(word),
      .last()
  );
  /* verilator lint_on PINCONNECTEMPTY */

  // Entry i: the word of the issue i cycles ago.
  wire  [2*STAGES*WORD_BITS-1:0] passing;
  logic [2*STAGES*WORD_BITS-1:0] passed;
  assign passing = (2 * STAGES * WORD_BITS)'({passed, word});
  always_ff @(posedge ap_clk) passed <= passing;
  wire unused = &{1'b0, passed};

  wire [SIMD-1:0] directions;
  sephw_rom #(
      .FILE (DIRECTIONS_FILE),
      .WIDTH(SIMD),
      .DEPTH(WORDS)
  ) direction_rom (
      .clk(ap_clk),
      .address(passing[(2*STAGES-1)*WORD_BITS+:WORD_BITS]),
      .data(directions)
  );

  wire [SIMD*OUT_BITS-1:0] results;

  for (genvar lane = 0; lane < SIMD; lane++) begin : lanes
    wire [(STAGES+1)*STAGES-1:0] found;
    wire [(STAGES+1)*IN_BITS-1:0] keys;
    assign found[0+:STAGES] = '0;
    assign keys[0+:IN_BITS] = s_axis_0_tdata[lane*IN_BITS+:IN_BITS] ^ SIGN_BIT;

    for (genvar k = 0; k < STAGES; k++) begin : stages
      sephw_thresholds_stage #(
          .FILE_0(THRESHOLDS_0_FILE),
          .FILE_1(THRESHOLDS_1_FILE),
          .FILE_2(THRESHOLDS_2_FILE),
          .FILE_3(THRESHOLDS_3_FILE),
          .FILE_4(THRESHOLDS_4_FILE),
          .FILE_5(THRESHOLDS_5_FILE),
          .FILE_6(THRESHOLDS_6_FILE),
          .FILE_7(THRESHOLDS_7_FILE),
          .STAGE(k),
          .STAGES(STAGES),
          .LANES(SIMD),
          .LANE(lane),
          .WORDS(WORDS),
          .WORD_BITS(WORD_BITS),
          .KEY_BITS(IN_BITS),
          .BITS(THRESHOLD_BITS)
      ) stage (
          .clk(ap_clk),
          .word(passing[2*k*WORD_BITS+:WORD_BITS]),
          .found(found[k*STAGES+:STAGES]),
          .key(keys[k*IN_BITS+:IN_BITS]),
          .found_2(found[(k+1)*STAGES+:STAGES]),
          .key_2(keys[(k+1)*IN_BITS+:IN_BITS])
      );
    end

    wire [STAGES-1:0] counted = found[STAGES*STAGES+:STAGES] ^ {STAGES{directions[lane]}};
    assign results[lane*OUT_BITS+:OUT_BITS] = OUT_BITS'(counted) + OUT_BITS'(BASE);
    wire unused_key = &{1'b0, keys[STAGES*IN_BITS+:IN_BITS]};
  end

  sephw_output #(
      .BITS(SIMD * OUT_BITS),
      .DEPTH(FIFO_DEPTH_0),
      .STAGES(2 * STAGES)
  ) out (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .take(issue),
      .available(available),
      .data(results),
      .m_axis_tdata(m_axis_0_tdata),
      .m_axis_tvalid(m_axis_0_tvalid),
      .m_axis_tready(m_axis_0_tready)
  );
endmodule

`default_nettype wire
