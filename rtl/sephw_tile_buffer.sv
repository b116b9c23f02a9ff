// TileBuffer: blocks of a stream, sent in another order, parts of them several times.
//
// Parameters: BLOCKS of a frame, ROWS x COLUMNS runs of RUN beats each; REPEATS of a column; PACED:
// 1 to read the first block as slowly as the others; LANES of IN_BITS per beat, FIFO_DEPTH_0.
// Block 0 is read first; then each block is sent, column by column, each REPEATS times, while the
// next one is read: of every REPEATS issues the last one reads. The last block is sent alone.
// Timing: stage 1 holds the beat and both addresses; stage 2 is the memory. A beat is on m_axis 4
// cycles after its issue.
// Invariant: the memory has two halves; block n is in half n mod 2, and what is read goes to the
// half that is not sent.
`default_nettype none

module sephw_tile_buffer #(
    parameter int BLOCKS = 2,
    parameter int ROWS = 1,
    parameter int COLUMNS = 4,
    parameter int RUN = 1,
    parameter int REPEATS = 2,
    parameter int PACED = 0,
    parameter int LANES = 1,
    parameter int IN_BITS = 8,
    parameter int FIFO_DEPTH_0 = 2
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
  localparam int BITS = LANES * IN_BITS;
  localparam int BLOCK = ROWS * COLUMNS * RUN;
  localparam int ADDRESS_BITS = $clog2(2 * BLOCK);
  localparam int OFFSET_BITS = BLOCK > 1 ? $clog2(BLOCK) : 1;

  // ---- Issue ----
  logic credit, filling, fill_last, half;
  logic run_last, row_last, repeat_last, column_last, block_last, turn_last;
  wire  turned = turn_last || (filling && PACED == 0);
  wire  reading = turned && (filling || !block_last);
  wire  issue = (s_axis_0_tvalid || !reading) && (credit || filling);
  wire  read_issue = issue && reading;
  wire  beat_step = issue && !filling;
  wire  row_step = beat_step && run_last;
  wire  repeat_step = row_step && row_last;
  wire  column_step = repeat_step && repeat_last;
  wire  block_step = column_step && column_last;
  assign s_axis_0_tready = read_issue;

  logic [ADDRESS_BITS-1:0] write_address;
  /* verilator lint_off PINCONNECTEMPTY */
  sephw_modulo_counter #(.PERIOD(REPEATS)) turn_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(issue && (!filling || PACED != 0)), .value(),
      .last(turn_last));
  sephw_modulo_counter #(.PERIOD(BLOCK)) fill_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(read_issue && filling), .value(),
      .last(fill_last));
  sephw_modulo_counter #(.PERIOD(RUN)) run_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(beat_step), .value(), .last(run_last));
  sephw_modulo_counter #(.PERIOD(ROWS)) row_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(row_step), .value(), .last(row_last));
  sephw_modulo_counter #(.PERIOD(COLUMNS)) column_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(column_step), .value(), .last(column_last));
  sephw_modulo_counter #(.PERIOD(REPEATS)) repeat_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(repeat_step), .value(), .last(repeat_last));
  sephw_modulo_counter #(.PERIOD(BLOCKS)) block_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(block_step), .value(), .last(block_last));
  sephw_modulo_counter #(.PERIOD(2 * BLOCK)) write_counter (
      .clk(ap_clk), .rst_n(ap_rst_n), .advance(read_issue), .value(write_address), .last());
  /* verilator lint_on PINCONNECTEMPTY */

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      filling <= 1'b1;
      half    <= 1'b0;
    end else begin
      if (filling) filling <= !(read_issue && fill_last);
      else filling <= block_step && block_last;
      if (block_step) half <= !half;
    end
  end

  // Places within the block: of the beat, of its run, and of the first run of the column.
  logic [OFFSET_BITS-1:0] offset, start, first;
  // With one row, or one column, a step to the next is the end of the column, or of the block.
  wire [OFFSET_BITS-1:0] next_row = ROWS > 1 ? start + OFFSET_BITS'(COLUMNS * RUN) : '0;
  wire [OFFSET_BITS-1:0] next_column = COLUMNS > 1 ? first + OFFSET_BITS'(RUN) : '0;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n || block_step) begin
      offset <= '0;
      start  <= '0;
      first  <= '0;
    end else if (column_step) begin
      offset <= next_column;
      start  <= next_column;
      first  <= next_column;
    end else if (repeat_step) begin
      offset <= first;
      start  <= first;
    end else if (row_step) begin
      offset <= next_row;
      start  <= next_row;
    end else if (beat_step) begin
      offset <= offset + 1'b1;
    end
  end

  // ---- Stage 1: beat and addresses; stage 2: memory ----
  logic [BITS-1:0] beat_1, beat_2;
  logic [ADDRESS_BITS-1:0] write_address_1, read_address_1;
  logic store_1;

  always_ff @(posedge ap_clk) begin
    beat_1          <= s_axis_0_tdata;
    store_1         <= read_issue && ap_rst_n;
    write_address_1 <= write_address;
    read_address_1  <= ADDRESS_BITS'(offset) + (half ? ADDRESS_BITS'(BLOCK) : '0);
  end

  sephw_ram #(.WIDTH(BITS), .DEPTH(2 * BLOCK)) blocks (
      .clk(ap_clk), .write_enable(store_1), .write_address(write_address_1), .write_data(beat_1),
      .read_address(read_address_1), .read_data(beat_2));

  sephw_output #(.BITS(BITS), .DEPTH(FIFO_DEPTH_0), .STAGES(2)) output_0 (
      .clk(ap_clk), .rst_n(ap_rst_n), .take(beat_step), .available(credit), .data(beat_2),
      .m_axis_tdata(m_axis_0_tdata), .m_axis_tvalid(m_axis_0_tvalid),
      .m_axis_tready(m_axis_0_tready));
endmodule

`default_nettype wire
