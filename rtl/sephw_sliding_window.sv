// SlidingWindow: streams the k x k neighbourhood of every output pixel out of a line buffer.
//
// Parameters: HEIGHT, WIDTH, CHANNELS of the input; KERNEL_HEIGHT, KERNEL_WIDTH, STRIDE;
//   PADDING_TOP, PADDING_LEFT; OUTPUT_HEIGHT, OUTPUT_WIDTH; GROUPS; LANES values per beat (divides
//   CHANNELS / GROUPS); IN_BITS per value; BUFFER_ROWS of the circular line buffer.
// In:  (height, width, channel), LANES channels per beat.
// Out: per output pixel (group, ky, kx, channel of the group), LANES values per beat; outside of
//   the map 0.
// Timing: an issue reads and/or writes one beat. Phase 0 fills the buffer; phase 1 + r writes
//   output row r in its first issues and reads, also from its first issue on, the rows that output
//   row r + 1 needs; it lasts as long as the longer of the two. Latency 6 cycles: address, memory,
//   memory output, padding, and 2 of the output FIFO.
// Invariant: input row y lies in buffer row y mod BUFFER_ROWS; no phase stores into a row that it
//   still writes windows from. The buffer is read and written at the same pipeline stage, so an
//   issue sees exactly what earlier issues stored.
`default_nettype none

module sephw_sliding_window #(
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
    parameter int LANES = 1,
    parameter int IN_BITS = 8,
    parameter int BUFFER_ROWS = 4,
    parameter int FIFO_DEPTH_0 = 8
) (
    input  wire                      ap_clk,
    input  wire                      ap_rst_n,
    input  wire  [LANES*IN_BITS-1:0] s_axis_0_tdata,
    input  wire                      s_axis_0_tvalid,
    output logic                     s_axis_0_tready,
    output logic [LANES*IN_BITS-1:0] m_axis_0_tdata,
    output logic                     m_axis_0_tvalid,
    input  wire                      m_axis_0_tready
);
  localparam int BEAT_BITS = LANES * IN_BITS;
  localparam int WORDS = CHANNELS / LANES;
  localparam int GROUP_WORDS = WORDS / GROUPS;
  localparam int ROW_WORDS = WIDTH * WORDS;
  localparam int BUFFER_WORDS = BUFFER_ROWS * ROW_WORDS;
  localparam int ADDRESS_BITS = BUFFER_WORDS > 1 ? $clog2(BUFFER_WORDS) : 1;
  localparam int PHASES = OUTPUT_HEIGHT + 1;
  localparam int PHASE_BITS = $clog2(PHASES);
  localparam int ROW_BITS = $clog2(HEIGHT + 1);
  // Padding is less than the kernel, so the first window always needs rows.
  localparam int FILL_ROWS =
      KERNEL_HEIGHT - PADDING_TOP < HEIGHT ? KERNEL_HEIGHT - PADDING_TOP : HEIGHT;

  // ---- Issue ----
  logic credit, reading, writing;
  wire  issue = (s_axis_0_tvalid || !reading) && (credit || !writing);
  wire  read_issue = issue && reading;
  wire  write_issue = issue && writing;
  assign s_axis_0_tready = read_issue;

  logic word_last, kx_last, ky_last, group_last, pixel_last, read_word_last, phase_last;
  logic [PHASE_BITS-1:0] phase;
  wire                   word_step = write_issue;
  wire                   kx_step = word_step && word_last;
  wire                   ky_step = kx_step && kx_last;
  wire                   group_step = ky_step && ky_last;
  wire                   pixel_step = group_step && group_last;
  wire                   row_step = pixel_step && pixel_last;
  wire                   row_written = word_last && kx_last && ky_last && group_last && pixel_last;

  // Rows that the phase still reads, this one included, and rows that later phases read.
  logic [  ROW_BITS-1:0] rows_left, unread;
  wire                   rows_read = read_word_last && rows_left == ROW_BITS'(1);
  wire                   phase_step = issue && (rows_read || !reading) && (row_written || !writing);
  wire                   frame_step = phase_step && phase_last;
  // The last output row takes whatever is left: it only has to be consumed.
  wire                   drains = phase == PHASE_BITS'(PHASES - 2);
  wire  [  ROW_BITS-1:0] fresh = drains || 32'(unread) < STRIDE ? unread : ROW_BITS'(STRIDE);
  wire  [  ROW_BITS-1:0] next_rows = phase_last ? ROW_BITS'(FILL_ROWS) : fresh;

  /* verilator lint_off PINCONNECTEMPTY */
  sephw_modulo_counter #(.PERIOD(GROUP_WORDS)) word_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(word_step), .value(), .last(word_last));
  sephw_modulo_counter #(.PERIOD(KERNEL_WIDTH)) kx_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(kx_step), .value(), .last(kx_last));
  sephw_modulo_counter #(.PERIOD(KERNEL_HEIGHT)) ky_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(ky_step), .value(), .last(ky_last));
  sephw_modulo_counter #(.PERIOD(GROUPS)) group_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(group_step), .value(), .last(group_last));
  sephw_modulo_counter #(.PERIOD(OUTPUT_WIDTH)) pixel_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(pixel_step), .value(), .last(pixel_last));
  sephw_modulo_counter #(.PERIOD(ROW_WORDS)) read_word_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(read_issue), .value(), .last(read_word_last));
  sephw_modulo_counter #(.PERIOD(PHASES)) phase_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(phase_step), .value(phase), .last(phase_last));
  /* verilator lint_on PINCONNECTEMPTY */

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      reading   <= 1'b1;
      writing   <= 1'b0;
      rows_left <= ROW_BITS'(FILL_ROWS);
      unread    <= ROW_BITS'(HEIGHT - FILL_ROWS);
    end else if (phase_step) begin
      reading   <= next_rows != '0;
      writing   <= !phase_last;
      rows_left <= next_rows;
      unread    <= phase_last ? ROW_BITS'(HEIGHT - FILL_ROWS) : unread - fresh;
    end else begin
      if (read_issue && read_word_last) begin
        reading   <= !rows_read;
        rows_left <= rows_left - 1'b1;
      end
      if (row_step) writing <= 1'b0;
    end
  end

  // ---- Stage 1: the beat and what to do with it ----
  logic [BEAT_BITS-1:0] beat_1;
  logic store_1, read_1, write_1, frame_step_1;
  logic word_last_1, kx_last_1, ky_last_1, group_last_1, pixel_last_1, row_last_1;

  always_ff @(posedge ap_clk) begin
    beat_1       <= s_axis_0_tdata;
    word_last_1  <= word_last;
    kx_last_1    <= kx_last;
    ky_last_1    <= ky_last;
    group_last_1 <= group_last;
    pixel_last_1 <= pixel_last;
    row_last_1   <= phase_last;
    read_1       <= read_issue && ap_rst_n;
    // What the last phase reads no window needs.
    store_1      <= read_issue && !phase_last && ap_rst_n;
    write_1      <= write_issue && ap_rst_n;
    frame_step_1 <= frame_step && ap_rst_n;
  end

  // ---- Stage 2: addresses ----
  logic [ADDRESS_BITS-1:0] store_address, store_address_2, fetch_address_2;
  logic [BEAT_BITS-1:0] beat_2;
  logic store_2, in_map_3;
  localparam logic [ADDRESS_BITS-1:0] LAST_ADDRESS = ADDRESS_BITS'(BUFFER_WORDS - 1);

  always_ff @(posedge ap_clk) begin
    beat_2          <= beat_1;
    store_2         <= store_1 && ap_rst_n;
    store_address_2 <= store_address;
    if (!ap_rst_n || frame_step_1) store_address <= '0;
    else if (read_1) store_address <= store_address == LAST_ADDRESS ? '0 : store_address + 1'b1;
  end

  sephw_window_address #(
      .HEIGHT(HEIGHT), .WIDTH(WIDTH), .WORDS(WORDS), .GROUP_WORDS(GROUP_WORDS), .GROUPS(GROUPS),
      .KERNEL_HEIGHT(KERNEL_HEIGHT), .KERNEL_WIDTH(KERNEL_WIDTH), .STRIDE(STRIDE),
      .PADDING_TOP(PADDING_TOP), .PADDING_LEFT(PADDING_LEFT), .OUTPUT_HEIGHT(OUTPUT_HEIGHT),
      .OUTPUT_WIDTH(OUTPUT_WIDTH), .BUFFER_ROWS(BUFFER_ROWS), .ADDRESS_BITS(ADDRESS_BITS)
  ) window_address (
      .clk(ap_clk), .rst_n(ap_rst_n),
      .step(write_1), .word_last(word_last_1), .kx_last(kx_last_1), .ky_last(ky_last_1),
      .group_last(group_last_1), .pixel_last(pixel_last_1), .row_last(row_last_1),
      .address(fetch_address_2), .in_map(in_map_3));

  // ---- Stage 3: memory output; stage 4: zeros outside of the map ----
  logic [BEAT_BITS-1:0] beat_3, beat_4;

  sephw_ram #(.WIDTH(BEAT_BITS), .DEPTH(BUFFER_WORDS)) line_buffer (
      .clk(ap_clk),
      .write_enable(store_2), .write_address(store_address_2), .write_data(beat_2),
      .read_address(fetch_address_2), .read_data(beat_3));

  always_ff @(posedge ap_clk) begin
    beat_4 <= in_map_3 ? beat_3 : '0;
  end

  sephw_output #(.BITS(BEAT_BITS), .DEPTH(FIFO_DEPTH_0), .STAGES(4)) output_0 (
      .clk(ap_clk), .rst_n(ap_rst_n), .take(write_issue), .available(credit), .data(beat_4),
      .m_axis_tdata(m_axis_0_tdata), .m_axis_tvalid(m_axis_0_tvalid),
      .m_axis_tready(m_axis_0_tready));
endmodule

`default_nettype wire
