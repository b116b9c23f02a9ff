// Image buffer of the host link: bytes in, one image out as an AXI-Stream, again and again.
//
// Parameters: LANES values per beat of BITS bits each (at most 8, one byte of the link each), WORDS
//   beats per image.
// Filling: `clear`, then LANES * WORDS times `byte_valid`; `complete` is up while exactly one image
//   has come. Not while `playing`.
// Playing: `start` with `repeats` (at least 1): the image goes out that many times, from the third
//   cycle on with no gap of its own. `stop` ends it at once (the network is reset then).
`default_nettype none

module sephw_link_source #(
    parameter int LANES = 1,
    parameter int BITS  = 8,
    parameter int WORDS = 16
) (
    input  wire                     clk,
    input  wire                     rst_n,
    input  wire                     clear,
    input  wire                     byte_valid,
    input  wire  [             7:0] byte_data,
    output wire                     complete,
    input  wire                     start,
    input  wire                     stop,
    input  wire  [            31:0] repeats,
    output logic                    playing,
    output wire  [LANES*BITS-1:0]   m_axis_tdata,
    output wire                     m_axis_tvalid,
    input  wire                     m_axis_tready
);
  localparam int WORD_BITS = LANES * BITS;
  localparam int ADDRESS_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam int COUNT_BITS = $clog2(WORDS + 2);
  localparam int LANE_BITS = LANES > 1 ? $clog2(LANES) : 1;

  // Filling: lanes collect in a shift register, the last one writes the word.
  logic [COUNT_BITS-1:0] filled;  // words, WORDS + 1: too many
  logic [LANE_BITS-1:0] lane;
  logic partial;
  wire last_lane = lane == LANE_BITS'(LANES - 1);
  wire full = filled == COUNT_BITS'(WORDS);
  wire over = filled == COUNT_BITS'(WORDS + 1);
  wire [WORD_BITS-1:0] collected;
  wire write = byte_valid && last_lane && !full && !over;
  assign complete = full && !partial;

  if (LANES == 1) begin : single
    assign collected = byte_data[BITS-1:0];
  end else begin : several
    logic [WORD_BITS-BITS-1:0] lanes_before;
    assign collected = {byte_data[BITS-1:0], lanes_before};
    always_ff @(posedge clk) begin
      if (byte_valid) lanes_before <= collected[WORD_BITS-1:BITS];
    end
  end
  if (BITS < 8) begin : narrow
    wire unused = &{1'b0, byte_data[7:BITS]};
  end

  always_ff @(posedge clk) begin
    if (!rst_n || clear) begin
      filled  <= '0;
      lane    <= '0;
      partial <= 1'b0;
    end else if (byte_valid) begin
      lane    <= last_lane ? '0 : lane + 1'b1;
      partial <= !last_lane || full || over;
      if (last_lane && !over) filled <= filled + 1'b1;
    end
  end

  // Playing: one read per free place behind.
  logic [ADDRESS_BITS-1:0] address;
  logic [31:0] left;
  wire available;
  wire take = playing && available;
  wire last_word = address == ADDRESS_BITS'(WORDS - 1);
  wire [WORD_BITS-1:0] word;

  always_ff @(posedge clk) begin
    if (!rst_n || stop) begin
      playing <= 1'b0;
      address <= '0;
    end else if (start) begin
      playing <= 1'b1;
      address <= '0;
      left    <= repeats;
    end else if (take) begin
      address <= last_word ? '0 : address + 1'b1;
      if (last_word) begin
        left <= left - 1'b1;
        if (left == 32'd1) playing <= 1'b0;
      end
    end
  end

  sephw_ram #(
      .WIDTH(WORD_BITS),
      .DEPTH(WORDS)
  ) image (
      .clk(clk),
      .write_enable(write),
      .write_address(filled[ADDRESS_BITS-1:0]),
      .write_data(collected),
      .read_address(address),
      .read_data(word)
  );

  // Four beats deep: one a cycle through the memory and the FIFO.
  sephw_output #(
      .BITS(WORD_BITS),
      .DEPTH(4),
      .STAGES(1)
  ) out (
      .clk(clk),
      .rst_n(rst_n && !stop),
      .take(take),
      .available(available),
      .data(word),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(m_axis_tready)
  );
endmodule

`default_nettype wire
