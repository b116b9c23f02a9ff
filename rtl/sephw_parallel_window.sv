// SlidingWindow, parallel form: a pixel in, a whole window out, one issue each.
//
// Parameters: HEIGHT, WIDTH, CHANNELS of the input; KERNEL_HEIGHT, KERNEL_WIDTH, STRIDE;
//   PADDING_TOP, PADDING_LEFT; OUTPUT_HEIGHT, OUTPUT_WIDTH (at most WIDTH); GROUPS; IN_BITS per
//   value. WIDTH is at least 2, unless KERNEL_HEIGHT is 1.
// In:  (height, width, channel), all channels of a pixel per beat.
// Out: one beat per output pixel: (group, ky, kx, channel of the group); outside of the map 0.
// Timing: issue n shifts pixel n in (row by row, without a gap between rows) and writes the window
//   that ends there: n = ((KERNEL_HEIGHT - 1 - PADDING_TOP) + oy * STRIDE) * WIDTH +
//   (KERNEL_WIDTH - 1 - PADDING_LEFT) + ox * STRIDE. Windows that end beyond the last pixel follow
//   it in issues that read nothing. Latency 6 cycles: beat, memory, window, padding, and 2 of the
//   output FIFO.
// Invariant: the line memory holds the last KERNEL_HEIGHT - 1 rows of pixels that were shifted in,
//   frames and padding issues alike; window column kx, row ky is the pixel shifted in
//   (KERNEL_HEIGHT - 1 - ky) * WIDTH + KERNEL_WIDTH - 1 - kx issues before the newest. What is not
//   of this row or this frame lies outside of the map and is masked.
`default_nettype none

module sephw_parallel_window #(
    parameter int HEIGHT = 4,
    parameter int WIDTH = 4,
    parameter int CHANNELS = 1,
    parameter int KERNEL_HEIGHT = 3,
    parameter int KERNEL_WIDTH = 3,
    parameter int STRIDE = 1,
    parameter int PADDING_TOP = 1,
    parameter int PADDING_LEFT = 1,
    parameter int OUTPUT_HEIGHT = 4,
    parameter int OUTPUT_WIDTH = 4,
    parameter int GROUPS = 1,
    parameter int IN_BITS = 8,
    parameter int FIFO_DEPTH_0 = 8
) (
    input  wire                                                      ap_clk,
    input  wire                                                      ap_rst_n,
    input  wire  [                           CHANNELS*IN_BITS-1:0] s_axis_0_tdata,
    input  wire                                                      s_axis_0_tvalid,
    output logic                                                     s_axis_0_tready,
    output logic [KERNEL_HEIGHT*KERNEL_WIDTH*CHANNELS*IN_BITS-1:0] m_axis_0_tdata,
    output logic                                                     m_axis_0_tvalid,
    input  wire                                                      m_axis_0_tready
);
  localparam int PIXEL_BITS = CHANNELS * IN_BITS;
  localparam int GROUP_BITS = PIXEL_BITS / GROUPS;
  localparam int COLUMN_BITS = KERNEL_HEIGHT * PIXEL_BITS;
  localparam int TAPS = KERNEL_HEIGHT * KERNEL_WIDTH;
  localparam int WINDOW_BITS = TAPS * PIXEL_BITS;

  // ---- When windows end ----
  localparam int PIXELS = HEIGHT * WIDTH;
  localparam int FIRST_END =
      (KERNEL_HEIGHT - 1 - PADDING_TOP) * WIDTH + KERNEL_WIDTH - 1 - PADDING_LEFT;
  localparam int LAST_END =
      FIRST_END + (OUTPUT_HEIGHT - 1) * STRIDE * WIDTH + (OUTPUT_WIDTH - 1) * STRIDE;
  localparam int ISSUES = LAST_END + 1 > PIXELS ? LAST_END + 1 : PIXELS;
  localparam int FLUSH = ISSUES - PIXELS;
  // Issues without a window: between two of a row, two rows, two frames.
  localparam int PIXEL_GAP = STRIDE - 1;
  localparam int ROW_GAP = STRIDE * (WIDTH - OUTPUT_WIDTH + 1) - 1;
  localparam int FRAME_GAP = ISSUES - 1 - LAST_END + FIRST_END;
  localparam int LARGEST_GAP =
      PIXEL_GAP > ROW_GAP ? (PIXEL_GAP > FRAME_GAP ? PIXEL_GAP : FRAME_GAP)
                          : (ROW_GAP > FRAME_GAP ? ROW_GAP : FRAME_GAP);
  localparam int GAP_BITS = LARGEST_GAP > 0 ? $clog2(LARGEST_GAP + 1) : 1;
  typedef logic [GAP_BITS-1:0] gap_t;

  // ---- Issue ----
  logic credit, reading, writing, pixel_last, flush_last, ox_last, oy_last;
  gap_t gap;
  wire issue = (s_axis_0_tvalid || !reading) && (credit || !writing);
  wire read_issue = issue && reading;
  wire write_issue = issue && writing;
  wire flush_issue = issue && !reading;
  assign s_axis_0_tready = read_issue;
  wire gap_t next_gap = !ox_last ? gap_t'(PIXEL_GAP) : !oy_last ? gap_t'(ROW_GAP)
                                                                : gap_t'(FRAME_GAP);

  /* verilator lint_off PINCONNECTEMPTY */
  sephw_modulo_counter #(.PERIOD(PIXELS)) pixel_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(read_issue), .value(), .last(pixel_last));
  sephw_modulo_counter #(.PERIOD(FLUSH > 0 ? FLUSH : 1)) flush_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(flush_issue), .value(), .last(flush_last));
  sephw_modulo_counter #(.PERIOD(OUTPUT_WIDTH)) ox_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(write_issue), .value(), .last(ox_last));
  sephw_modulo_counter #(.PERIOD(OUTPUT_HEIGHT)) oy_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(write_issue && ox_last), .value(),
      .last(oy_last));
  /* verilator lint_on PINCONNECTEMPTY */

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      reading <= 1'b1;
      writing <= FIRST_END == 0;
      gap     <= gap_t'(FIRST_END);
    end else if (issue) begin
      reading <= reading ? !pixel_last || FLUSH == 0 : flush_last;
      writing <= writing ? next_gap == '0 : gap == gap_t'(1);
      gap     <= writing ? next_gap : gap - 1'b1;
    end
  end

  // ---- Stage 1: beat; stage 2: the column of pixels above it ----
  logic [PIXEL_BITS-1:0] beat_1, beat_2;
  logic [COLUMN_BITS-1:0] column_2;
  logic issue_1, issue_2, write_1, ox_last_1, oy_last_1;

  always_ff @(posedge ap_clk) begin
    beat_1    <= s_axis_0_tdata;
    beat_2    <= beat_1;
    issue_1   <= issue && ap_rst_n;
    issue_2   <= issue_1 && ap_rst_n;
    write_1   <= write_issue && ap_rst_n;
    ox_last_1 <= ox_last;
    oy_last_1 <= oy_last;
  end

  generate
    if (KERNEL_HEIGHT > 1) begin : lines
      localparam int ADDRESS_BITS = WIDTH > 1 ? $clog2(WIDTH) : 1;
      localparam int ROWS_BITS = COLUMN_BITS - PIXEL_BITS;
      logic [ADDRESS_BITS-1:0] address_1, address_2;
      logic [ROWS_BITS-1:0] above_2;

      /* verilator lint_off PINCONNECTEMPTY */
      sephw_modulo_counter #(.PERIOD(WIDTH)) column_counter (
          .clk(ap_clk), .rst_n(ap_rst_n), .advance(issue_1), .value(address_1), .last());
      /* verilator lint_on PINCONNECTEMPTY */
      always_ff @(posedge ap_clk) address_2 <= address_1;
      // Row 0 of a column, the oldest, is in the low bits and drops out.
      sephw_ram #(.WIDTH(ROWS_BITS), .DEPTH(WIDTH)) line_memory (
          .clk(ap_clk), .write_enable(issue_2), .write_address(address_2),
          .write_data(column_2[COLUMN_BITS-1:PIXEL_BITS]), .read_address(address_1),
          .read_data(above_2));
      assign column_2 = {beat_2, above_2};
    end else begin : line
      assign column_2 = beat_2;
    end
  endgenerate

  // ---- Stage 3: window; stage 4: zeros outside of the map ----
  logic [KERNEL_WIDTH*COLUMN_BITS-1:0] window_3;
  logic [WINDOW_BITS-1:0] beat_4;
  logic [TAPS-1:0] in_map_3;

  sephw_window_mask #(
      .HEIGHT(HEIGHT), .WIDTH(WIDTH), .KERNEL_HEIGHT(KERNEL_HEIGHT), .KERNEL_WIDTH(KERNEL_WIDTH),
      .STRIDE(STRIDE), .PADDING_TOP(PADDING_TOP), .PADDING_LEFT(PADDING_LEFT),
      .OUTPUT_HEIGHT(OUTPUT_HEIGHT), .OUTPUT_WIDTH(OUTPUT_WIDTH)
  ) mask (
      .clk(ap_clk), .rst_n(ap_rst_n), .step(write_1), .pixel_last(ox_last_1),
      .row_last(oy_last_1), .in_map(in_map_3));

  generate
    if (KERNEL_WIDTH > 1) begin : shift
      always_ff @(posedge ap_clk) begin
        if (issue_2) window_3 <= {column_2, window_3[KERNEL_WIDTH*COLUMN_BITS-1:COLUMN_BITS]};
      end
    end else begin : single
      always_ff @(posedge ap_clk) window_3 <= column_2;
    end

    for (genvar group = 0; group < GROUPS; group++) begin : groups
      for (genvar ky = 0; ky < KERNEL_HEIGHT; ky++) begin : rows
        for (genvar kx = 0; kx < KERNEL_WIDTH; kx++) begin : columns
          localparam int TAP = ky * KERNEL_WIDTH + kx;
          localparam int FROM = kx * COLUMN_BITS + ky * PIXEL_BITS + group * GROUP_BITS;
          always_ff @(posedge ap_clk) begin
            beat_4[(group*TAPS+TAP)*GROUP_BITS+:GROUP_BITS] <=
                in_map_3[TAP] ? window_3[FROM+:GROUP_BITS] : '0;
          end
        end
      end
    end
  endgenerate

  sephw_output #(.BITS(WINDOW_BITS), .DEPTH(FIFO_DEPTH_0), .STAGES(4)) output_0 (
      .clk(ap_clk), .rst_n(ap_rst_n), .take(write_issue), .available(credit), .data(beat_4),
      .m_axis_tdata(m_axis_0_tdata), .m_axis_tvalid(m_axis_0_tvalid),
      .m_axis_tready(m_axis_0_tready));
endmodule

`default_nettype wire
