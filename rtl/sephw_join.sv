// Join: the branches of a block meet before rounding and are requantized once.
//
//   y = clip(floor((sum over j of (mantissa[j, c] * x_j << shift[j, c]) + bias[c]) / 2^SHIFT))
//
// Parameters: BRANCHES 1 to 4, CHANNELS, SIMD channels per beat, IN_BITS_<j> and IN_SIGNED_<j> of
// branch j (those from BRANCHES on are unused), MANTISSA_BITS (signed), SHIFT_BITS of a channel's
// shift, ACC_BITS (signed; holds every partial sum, bias included), SHIFT, OUT_BITS, OUT_SIGNED,
// FIFO_DEPTH_0. Tables: one row per beat of a pixel; MANTISSAS_FILE and SHIFTS_FILE hold entry
// lane * BRANCHES + j, BIAS_FILE entry lane (ACC_BITS).
// Ports: branch j is bit j of s_axis_tvalid and s_axis_tready, and its beat follows branch j - 1's
// in s_axis_tdata; the module that the operator generates around this one gives each its own port.
// One issue takes a beat of every branch and makes one.
// Timing, cycles after the issue: 1 beats and mantissas, 2 products and shift amounts, 3 terms and
// bias, then ceil(log2(BRANCHES + 1)) levels of adders, 1 shift and clip; on m_axis 2 cycles later.
// Invariant: `word` counts issues modulo the rows of the tables.
`default_nettype none

module sephw_join #(
    parameter MANTISSAS_FILE = "",
    parameter SHIFTS_FILE = "",
    parameter BIAS_FILE = "",
    parameter int BRANCHES = 1,
    parameter int CHANNELS = 1,
    parameter int SIMD = 1,
    parameter int IN_BITS_0 = 8,
    parameter int IN_BITS_1 = 0,
    parameter int IN_BITS_2 = 0,
    parameter int IN_BITS_3 = 0,
    parameter bit IN_SIGNED_0 = 0,
    parameter bit IN_SIGNED_1 = 0,
    parameter bit IN_SIGNED_2 = 0,
    parameter bit IN_SIGNED_3 = 0,
    parameter int MANTISSA_BITS = 5,
    parameter int SHIFT_BITS = 2,
    parameter int ACC_BITS = 16,
    parameter int SHIFT = 4,
    parameter int OUT_BITS = 8,
    parameter bit OUT_SIGNED = 0,
    parameter int FIFO_DEPTH_0 = 2,
    parameter int BEAT_BITS = SIMD * (IN_BITS_0 + IN_BITS_1 + IN_BITS_2 + IN_BITS_3)
) (
    input  wire                      ap_clk,
    input  wire                      ap_rst_n,
    input  wire  [    BEAT_BITS-1:0] s_axis_tdata,
    input  wire  [     BRANCHES-1:0] s_axis_tvalid,
    output wire  [     BRANCHES-1:0] s_axis_tready,
    output wire  [SIMD*OUT_BITS-1:0] m_axis_tdata,
    output wire                      m_axis_tvalid,
    input  wire                      m_axis_tready
);
  localparam int WORDS = CHANNELS / SIMD;
  localparam int WORD_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam int FACTORS = SIMD * BRANCHES;
  localparam int TERMS = BRANCHES + 1;
  localparam int LEVELS = $clog2(TERMS);

  wire available;
  wire issue = (&s_axis_tvalid) && available;
  assign s_axis_tready = {BRANCHES{issue}};

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

  // Each table is read one cycle before its use; the row's number travels instead of its data.
  logic [WORD_BITS-1:0] word_1;
  logic [WORD_BITS-1:0] word_2;
  logic [BEAT_BITS-1:0] beats_1;
  wire [FACTORS*MANTISSA_BITS-1:0] mantissas_1;
  wire [FACTORS*SHIFT_BITS-1:0] shifts_2;
  wire [SIMD*ACC_BITS-1:0] bias_3;

  always_ff @(posedge ap_clk) begin
    word_1  <= word;
    word_2  <= word_1;
    beats_1 <= s_axis_tdata;
  end

  sephw_rom #(
      .FILE (MANTISSAS_FILE),
      .WIDTH(FACTORS * MANTISSA_BITS),
      .DEPTH(WORDS)
  ) mantissa_rom (
      .clk(ap_clk),
      .address(word),
      .data(mantissas_1)
  );
  sephw_rom #(
      .FILE (SHIFTS_FILE),
      .WIDTH(FACTORS * SHIFT_BITS),
      .DEPTH(WORDS)
  ) shift_rom (
      .clk(ap_clk),
      .address(word_1),
      .data(shifts_2)
  );
  sephw_rom #(
      .FILE (BIAS_FILE),
      .WIDTH(SIMD * ACC_BITS),
      .DEPTH(WORDS)
  ) bias_rom (
      .clk(ap_clk),
      .address(word_2),
      .data(bias_3)
  );

  logic [SIMD*OUT_BITS-1:0] clipped;

  for (genvar lane = 0; lane < SIMD; lane++) begin : lanes
    wire [TERMS*ACC_BITS-1:0] terms_3;
    assign terms_3[BRANCHES*ACC_BITS+:ACC_BITS] = bias_3[lane*ACC_BITS+:ACC_BITS];

    for (genvar j = 0; j < BRANCHES; j++) begin : branches
      localparam int BITS = j == 0 ? IN_BITS_0 :
                            j == 1 ? IN_BITS_1 : j == 2 ? IN_BITS_2 : IN_BITS_3;
      localparam bit IS_SIGNED = j == 0 ? IN_SIGNED_0 :
                                 j == 1 ? IN_SIGNED_1 : j == 2 ? IN_SIGNED_2 : IN_SIGNED_3;
      localparam int BEFORE = SIMD * ((j > 0 ? IN_BITS_0 : 0) + (j > 1 ? IN_BITS_1 : 0) +
                                      (j > 2 ? IN_BITS_2 : 0));

      sephw_join_term #(
          .IN_BITS(BITS),
          .IN_SIGNED(IS_SIGNED),
          .MANTISSA_BITS(MANTISSA_BITS),
          .SHIFT_BITS(SHIFT_BITS),
          .ACC_BITS(ACC_BITS)
      ) branch_term (
          .clk(ap_clk),
          .value(beats_1[BEFORE+lane*BITS+:BITS]),
          .mantissa(mantissas_1[(lane*BRANCHES+j)*MANTISSA_BITS+:MANTISSA_BITS]),
          .shift(shifts_2[(lane*BRANCHES+j)*SHIFT_BITS+:SHIFT_BITS]),
          .term(terms_3[j*ACC_BITS+:ACC_BITS])
      );
    end

    wire [ACC_BITS+LEVELS-1:0] sum;
    sephw_adder_tree #(
        .TERMS(TERMS),
        .BITS (ACC_BITS)
    ) adders (
        .clk(ap_clk),
        .terms(terms_3),
        .sum(sum)
    );

    wire [OUT_BITS-1:0] result;
    // An arithmetic shift right is the floor.
    wire signed [ACC_BITS-1:0] total = sum[ACC_BITS-1:0];
    wire signed [ACC_BITS-1:0] floored = total >>> SHIFT;
    sephw_clip #(
        .IN_BITS(ACC_BITS),
        .OUT_BITS(OUT_BITS),
        .OUT_SIGNED(OUT_SIGNED)
    ) clip (
        .value(floored),
        .result(result)
    );
    always_ff @(posedge ap_clk) clipped[lane*OUT_BITS+:OUT_BITS] <= result;
    wire unused = &{1'b0, sum[ACC_BITS+LEVELS-1:ACC_BITS]};
  end

  sephw_output #(
      .BITS(SIMD * OUT_BITS),
      .DEPTH(FIFO_DEPTH_0),
      .STAGES(4 + LEVELS)
  ) out (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .take(issue),
      .available(available),
      .data(clipped),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(m_axis_tready)
  );
endmodule

`default_nettype wire
