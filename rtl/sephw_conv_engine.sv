// The folded matrix-vector engine behind PatternConv and Conv8 (family "select").
//
// Parameters: GROUPS; NEURON_FOLDS = outputs of a group / PE; SYNAPSE_FOLDS = window of a group /
//   SIMD; PE output lanes; SIMD input lanes; IN_BITS, IN_SIGNED of a value; OUT_BITS of a sum;
//   PATTERN: 1 for weights of one bit (0 adds, 1 subtracts), 0 for 8-bit two's complement;
//   LUT_MULTIPLIERS: 1 to multiply in adders of gated values (8-bit weights only);
//   ADDER_LEVELS: levels of the patterns' adders to a register;
//   WEIGHTS_FILE: word (group * NEURON_FOLDS + nf) * SYNAPSE_FOLDS + sf, PE x SIMD weights each,
//   SIMD innermost; CORRECTIONS_FILE (patterns only): per group * NEURON_FOLDS + nf, for each of
//   the PE outputs how many of the first weights of a pair are -1; SHARE_PAIRS (patterns only): see
//   below; STREAM_WEIGHTS: 1 to take the words from s_weights instead of WEIGHTS_FILE, all of them
//   again for each output pixel.
// In:  per output pixel and group the window in SYNAPSE_FOLDS beats, SIMD values each.
// Out: per output pixel GROUPS * NEURON_FOLDS beats, PE sums each.
// Timing: one word per issue. The issues of nf = 0 read a beat, those of the last sf write one;
//   with STREAM_WEIGHTS every issue also needs, and takes, a word of s_weights.
//   Stages: 1 beat; 2 memories; 3 operands; Conv8 only: product, or 3 of its bits' places with
//   LUT_MULTIPLIERS; ceil(log2 SIMD) of adders, over ADDER_LEVELS; accumulator. The output FIFO
//   adds 2 cycles.
// Invariant: the window memory holds beats 0 .. sf of the group once nf = 0 has passed them; it is
//   read and written at the same stage, so later issues see what earlier ones stored.
//
// Patterns: lanes 2i and 2i + 1 are a pair. SHARE_PAIRS 1: the sum and the difference of each pair
// are made once, at stage 3, and every output chooses one of them; 0: each output has adders of
// gated values, which fit the carry cells of ECP5. -x = ~x + 1, so the first value of a pair costs
// an exclusive or; the ones are a constant of each filter, from which its accumulator starts. Sums
// are exact modulo 2^OUT_BITS, and the result fits.
`default_nettype none

module sephw_conv_engine #(
    parameter int GROUPS = 1,
    parameter int NEURON_FOLDS = 1,
    parameter int SYNAPSE_FOLDS = 1,
    parameter int PE = 1,
    parameter int SIMD = 1,
    parameter int IN_BITS = 8,
    parameter int IN_SIGNED = 0,
    parameter int OUT_BITS = 16,
    parameter int PATTERN = 1,
    parameter int LUT_MULTIPLIERS = 0,
    parameter int ADDER_LEVELS = 1,
    parameter int CORRECTION_BITS = 1,
    parameter WEIGHTS_FILE = "",
    parameter CORRECTIONS_FILE = "",
    parameter int STREAM_WEIGHTS = 0,
    parameter int FIFO_DEPTH = 8,
`ifdef SEPHW_ECP5
    parameter bit SHARE_PAIRS = 0,
`else
    parameter bit SHARE_PAIRS = 1,
`endif
    parameter int WEIGHT_BITS = PATTERN != 0 ? 1 : 8
) (
    input  wire                            clk,
    input  wire                            rst_n,
    input  wire  [       SIMD*IN_BITS-1:0] s_axis_tdata,
    input  wire                            s_axis_tvalid,
    output logic                           s_axis_tready,
    /* verilator lint_off UNUSEDSIGNAL */
    input  wire  [PE*SIMD*WEIGHT_BITS-1:0] s_weights_tdata,
    /* verilator lint_on UNUSEDSIGNAL */
    input  wire                            s_weights_tvalid,
    output logic                           s_weights_tready,
    output logic [        PE*OUT_BITS-1:0] m_axis_tdata,
    output logic                           m_axis_tvalid,
    input  wire                            m_axis_tready
);
  localparam int BEAT_BITS = SIMD * IN_BITS;
  localparam int NEURONS = GROUPS * NEURON_FOLDS;
  localparam int WORDS = NEURONS * SYNAPSE_FOLDS;
  localparam int WORD_BITS = PE * SIMD * WEIGHT_BITS;
  localparam int FOLD_BITS = SYNAPSE_FOLDS > 1 ? $clog2(SYNAPSE_FOLDS) : 1;
  localparam int VALUE_BITS = IN_BITS + (IN_SIGNED != 0 ? 0 : 1);
  localparam int PRODUCT_BITS = PATTERN != 0 ? VALUE_BITS : IN_BITS + 8;
  localparam int SUM_BITS = PRODUCT_BITS + $clog2(SIMD);
  // Stage at which a beat's sum stands before the accumulator.
  localparam int PRODUCT_STAGES = PATTERN != 0 ? 0 : LUT_MULTIPLIERS != 0 ? 3 : 1;
  localparam int SUM_STAGE = 3 + PRODUCT_STAGES + ($clog2(SIMD) + ADDER_LEVELS - 1) / ADDER_LEVELS;

  // ---- Issue ----
  logic credit, reading, fold_last, neuron_last;
  logic [FOLD_BITS-1:0] fold;
  wire  weighed = STREAM_WEIGHTS == 0 || s_weights_tvalid;
  wire  issue = (s_axis_tvalid || !reading) && (credit || !fold_last) && weighed;
  wire  neuron_step = issue && fold_last;
  assign s_axis_tready = issue && reading;
  assign s_weights_tready = issue;

  sephw_modulo_counter #(.PERIOD(SYNAPSE_FOLDS)) fold_counter (
      .clk, .rst_n, .advance(issue), .value(fold), .last(fold_last));
  /* verilator lint_off PINCONNECTEMPTY */
  sephw_modulo_counter #(.PERIOD(NEURON_FOLDS)) neuron_counter (
      .clk, .rst_n, .advance(neuron_step), .value(), .last(neuron_last));
  /* verilator lint_on PINCONNECTEMPTY */

  always_ff @(posedge clk) begin
    if (!rst_n) reading <= 1'b1;
    else if (neuron_step) reading <= neuron_last;
  end

  // What each stage holds; bit s belongs to stage s.
  logic [SUM_STAGE:1] valid, first, last;

  always_ff @(posedge clk) begin
    // All of it: what was on its way would step the counters behind it in the frames that follow.
    if (!rst_n) valid <= '0;
    else valid <= SUM_STAGE'({valid, issue});
    first <= SUM_STAGE'({first, fold == '0});
    last  <= SUM_STAGE'({last, fold_last});
  end

  // ---- Stage 1: beat; stage 2: window and weights ----
  logic [BEAT_BITS-1:0] beat_1, beat_2;
  logic [WORD_BITS-1:0] weights_2;

  always_ff @(posedge clk) beat_1 <= s_axis_tdata;

  generate
    if (STREAM_WEIGHTS != 0) begin : streamed
      logic [WORD_BITS-1:0] weights_1;
      always_ff @(posedge clk) begin
        weights_1 <= s_weights_tdata;
        weights_2 <= weights_1;
      end
    end else begin : stored
      localparam int ADDRESS_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
      logic [ADDRESS_BITS-1:0] word;
      /* verilator lint_off PINCONNECTEMPTY */
      sephw_modulo_counter #(.PERIOD(WORDS)) word_counter (
          .clk, .rst_n, .advance(valid[1]), .value(word), .last());
      /* verilator lint_on PINCONNECTEMPTY */
      sephw_rom #(.FILE(WEIGHTS_FILE), .WIDTH(WORD_BITS), .DEPTH(WORDS)) weight_memory (
          .clk, .address(word), .data(weights_2));
    end
  endgenerate

  generate
    if (NEURON_FOLDS > 1) begin : reuse
      logic [FOLD_BITS-1:0] fold_1;
      logic [BEAT_BITS-1:0] fresh_2, stored_2;
      logic reading_1, reading_2;

      always_ff @(posedge clk) begin
        fold_1    <= fold;
        reading_1 <= reading;
        reading_2 <= reading_1;
        fresh_2   <= beat_1;
      end
      sephw_ram #(.WIDTH(BEAT_BITS), .DEPTH(SYNAPSE_FOLDS)) window (
          .clk, .write_enable(valid[1] && reading_1), .write_address(fold_1),
          .write_data(beat_1), .read_address(fold_1), .read_data(stored_2));
      assign beat_2 = reading_2 ? fresh_2 : stored_2;
    end else begin : direct
      always_ff @(posedge clk) beat_2 <= beat_1;
    end
  endgenerate

  // ---- Stage 3: operands ----
  logic [BEAT_BITS-1:0] beat_3;
  logic [WORD_BITS-1:0] weights_3;

  always_ff @(posedge clk) begin
    beat_3    <= beat_2;
    weights_3 <= weights_2;
  end

  // With a sign; adders of gated values and of pairs take the beat as it is.
  /* verilator lint_off UNUSEDSIGNAL */
  wire [SIMD*VALUE_BITS-1:0] values;
  /* verilator lint_on UNUSEDSIGNAL */
  for (genvar s = 0; s < SIMD; s++) begin : value
    assign values[s*VALUE_BITS+:VALUE_BITS] =
        IN_SIGNED != 0 ? VALUE_BITS'(beat_3[s*IN_BITS+:IN_BITS])
                       : VALUE_BITS'({1'b0, beat_3[s*IN_BITS+:IN_BITS]});
  end

  // ---- What an accumulator starts from ----
  wire [OUT_BITS-1:0] starts[PE];
  generate
    if (PATTERN != 0) begin : corrections
      localparam int NEURON_BITS = NEURONS > 1 ? $clog2(NEURONS) : 1;
      logic [NEURON_BITS-1:0] neuron;
      logic [PE*CORRECTION_BITS-1:0] counts;

      /* verilator lint_off PINCONNECTEMPTY */
      sephw_modulo_counter #(.PERIOD(NEURONS)) correction_counter (
          .clk, .rst_n, .advance(valid[SUM_STAGE-1] && last[SUM_STAGE-1]), .value(neuron),
          .last());
      /* verilator lint_on PINCONNECTEMPTY */
      sephw_rom #(.FILE(CORRECTIONS_FILE), .WIDTH(PE * CORRECTION_BITS), .DEPTH(NEURONS))
          correction_memory (.clk, .address(neuron), .data(counts));
      for (genvar p = 0; p < PE; p++) begin : start
        assign starts[p] = OUT_BITS'(counts[p*CORRECTION_BITS+:CORRECTION_BITS]);
      end
    end else begin : zeros
      for (genvar p = 0; p < PE; p++) begin : start
        assign starts[p] = '0;
      end
    end
  endgenerate

  // ---- Pairs, beside stage 3 ----
  localparam int PAIR_BITS = (SIMD + 1) / 2 * (IN_BITS + 1);
  /* verilator lint_off UNUSEDSIGNAL */
  wire [PAIR_BITS-1:0] pair_sums, pair_differences;
  /* verilator lint_on UNUSEDSIGNAL */
  generate
    if (PATTERN != 0 && SHARE_PAIRS && SIMD > 1) begin : shared
      sephw_pair_sums #(.TERMS(SIMD), .BITS(IN_BITS), .SIGNED(IN_SIGNED != 0)) pairs (
          .clk, .values(beat_2), .sums(pair_sums), .differences(pair_differences));
    end else begin : apart
      assign {pair_sums, pair_differences} = '0;
    end
  endgenerate

  // ---- Products, adders, accumulators ----
  wire [PE*OUT_BITS-1:0] accumulators;
  generate
    for (genvar p = 0; p < PE; p++) begin : lane
      // A result narrower than the widest possible sum leaves its top bits unused.
      /* verilator lint_off UNUSEDSIGNAL */
      wire signed [SUM_BITS-1:0] sum;
      /* verilator lint_on UNUSEDSIGNAL */
      wire [SIMD*WEIGHT_BITS-1:0] weights = weights_3[p*SIMD*WEIGHT_BITS+:SIMD*WEIGHT_BITS];

      if (PATTERN != 0 && SHARE_PAIRS && SIMD > 1) begin : choose
        sephw_pair_tree #(
            .TERMS(SIMD), .BITS(IN_BITS), .SIGNED(IN_SIGNED != 0), .LEVELS(ADDER_LEVELS)
        ) adders (
            .clk, .sums(pair_sums), .differences(pair_differences), .gates(weights), .sum(sum));
      end else if (PATTERN != 0) begin : add_or_subtract
        sephw_gated_tree #(
            .TERMS(SIMD), .BITS(VALUE_BITS), .INVERT(1), .LEVELS(ADDER_LEVELS)
        ) adders (
            .clk, .values(values), .gates(weights), .sum(sum));
      end else if (LUT_MULTIPLIERS != 0) begin : places
        sephw_weighted_sum #(.TERMS(SIMD), .BITS(IN_BITS), .SIGNED(IN_SIGNED != 0)) adders (
            .clk, .values(beat_3), .weights(weights), .sum(sum));
      end else begin : multiply
        wire [SIMD*PRODUCT_BITS-1:0] products;
        for (genvar s = 0; s < SIMD; s++) begin : synapse
          sephw_product #(.A_BITS(VALUE_BITS), .B_BITS(8), .BITS(PRODUCT_BITS)) multiplier (
              .clk, .a(values[s*VALUE_BITS+:VALUE_BITS]), .b(weights[s*8+:8]),
              .product(products[s*PRODUCT_BITS+:PRODUCT_BITS]));
        end
        sephw_adder_tree #(.TERMS(SIMD), .BITS(PRODUCT_BITS)) adders (
            .clk, .terms(products), .sum(sum));
      end

      sephw_accumulate #(.BITS(OUT_BITS)) accumulator (
          .clk, .enable(valid[SUM_STAGE]), .first(first[SUM_STAGE]), .start(starts[p]),
          .term(OUT_BITS'(sum)), .sum(accumulators[p*OUT_BITS+:OUT_BITS]));
    end
  endgenerate

  sephw_output #(.BITS(PE * OUT_BITS), .DEPTH(FIFO_DEPTH), .STAGES(SUM_STAGE + 1)) sums (
      .clk, .rst_n, .take(neuron_step), .available(credit), .data(accumulators),
      .m_axis_tdata, .m_axis_tvalid, .m_axis_tready);
endmodule

`default_nettype wire
