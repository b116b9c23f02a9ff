// Addresses of a sliding window in its circular line buffer, and which of them lie in the map.
//
// Parameters: as sephw_sliding_window; WORDS beats per pixel, GROUP_WORDS per pixel and group.
// In:  one `step` per window beat, with the flags of the last word, kx, ky, group, pixel of the
//   row, and row of the frame that the beat belongs to.
// Timing: `address` one cycle after the step, `in_map` two cycles after it (with the memory's
//   output). The address is a running sum; only constants are added, one adder each.
// Invariant: address = buffer row of y * row words + x * WORDS + group * GROUP_WORDS + word
//   wherever (y, x) lies in the map; elsewhere it is arbitrary and `in_map` is low.
`default_nettype none

module sephw_window_address #(
    parameter int HEIGHT = 4,
    parameter int WIDTH = 4,
    parameter int WORDS = 1,
    parameter int GROUP_WORDS = 1,
    parameter int GROUPS = 1,
    parameter int KERNEL_HEIGHT = 3,
    parameter int KERNEL_WIDTH = 3,
    parameter int STRIDE = 1,
    parameter int PADDING_TOP = 1,
    parameter int PADDING_LEFT = 1,
    parameter int OUTPUT_HEIGHT = 4,
    parameter int OUTPUT_WIDTH = 4,
    parameter int BUFFER_ROWS = 4,
    parameter int ADDRESS_BITS = 4
) (
    input  wire                     clk,
    input  wire                     rst_n,
    input  wire                     step,
    input  wire                     word_last,
    input  wire                     kx_last,
    input  wire                     ky_last,
    input  wire                     group_last,
    input  wire                     pixel_last,
    input  wire                     row_last,
    output logic [ADDRESS_BITS-1:0] address,
    output logic                    in_map
);
  typedef logic [ADDRESS_BITS-1:0] address_t;

  localparam int ROW_WORDS = WIDTH * WORDS;

  // Distances within a row from the last beat of one run to the first of the next one. They may
  // be negative: sums wrap modulo 2^ADDRESS_BITS, which the address of a stored beat never leaves.
  localparam int KX_DISTANCE = WORDS - GROUP_WORDS + 1;
  localparam int KY_DISTANCE = 1 - (KERNEL_WIDTH - 1) * WORDS - GROUP_WORDS;
  localparam int GROUP_DISTANCE = KY_DISTANCE + GROUP_WORDS;
  localparam int PIXEL_DISTANCE =
      KY_DISTANCE - (GROUPS - 1) * GROUP_WORDS + STRIDE * WORDS;
  localparam int ROW_START = -PADDING_LEFT * WORDS;

  localparam int TOP_ROW_STEP = STRIDE % BUFFER_ROWS;
  localparam int FIRST_TOP_ROW =
      (BUFFER_ROWS - PADDING_TOP % BUFFER_ROWS) % BUFFER_ROWS;
  localparam address_t FIRST_TOP_SLOT = address_t'(FIRST_TOP_ROW * ROW_WORDS);
  localparam address_t LAST_SLOT = address_t'((BUFFER_ROWS - 1) * ROW_WORDS);
  // From this slot on the next window's top wraps to the start of the buffer.
  localparam address_t WRAP_SLOT = address_t'((BUFFER_ROWS - TOP_ROW_STEP) * ROW_WORDS);

  localparam int Y_END = (OUTPUT_HEIGHT - 1) * STRIDE + KERNEL_HEIGHT + 1;
  localparam int X_END = (OUTPUT_WIDTH - 1) * STRIDE + KERNEL_WIDTH + 1;
  localparam int Y_BITS = $clog2(Y_END > HEIGHT ? Y_END : HEIGHT + 1) + 1;
  localparam int X_BITS = $clog2(X_END > WIDTH ? X_END : WIDTH + 1) + 1;
  typedef logic signed [Y_BITS-1:0] y_t;
  typedef logic signed [X_BITS-1:0] x_t;
  localparam y_t FIRST_Y = y_t'(-PADDING_TOP);
  localparam x_t FIRST_X = x_t'(-PADDING_LEFT);

  // Of the beat that steps next: place in the row, its buffer row, and its pixel; top and left are
  // those of the window.
  address_t offset, slot, top_slot;
  y_t y, top;
  x_t x, left;

  wire kx_step = word_last;
  wire ky_step = kx_step && kx_last;
  wire group_step = ky_step && ky_last;
  wire pixel_step = group_step && group_last;
  wire row_step = pixel_step && pixel_last;

  address_t distance, next_top_slot, next_slot;
  always_comb begin
    if (pixel_step) distance = address_t'(PIXEL_DISTANCE);
    else if (group_step) distance = address_t'(GROUP_DISTANCE);
    else if (ky_step) distance = address_t'(KY_DISTANCE);
    else if (kx_step) distance = address_t'(KX_DISTANCE);
    else distance = address_t'(1);

    if (row_last) next_top_slot = FIRST_TOP_SLOT;
    else if (TOP_ROW_STEP != 0 && top_slot >= WRAP_SLOT) next_top_slot = top_slot - WRAP_SLOT;
    else next_top_slot = top_slot + address_t'(TOP_ROW_STEP * ROW_WORDS);
    next_slot = slot == LAST_SLOT ? '0 : slot + address_t'(ROW_WORDS);
  end

  y_t next_top, y_1;
  x_t next_left, x_1;
  assign next_top  = row_last ? FIRST_Y : top + y_t'(STRIDE);
  assign next_left = left + x_t'(STRIDE);

  always_ff @(posedge clk) begin
    address <= slot + offset;
    y_1     <= y;
    x_1     <= x;
    in_map  <= !y_1[Y_BITS-1] && y_1 < y_t'(HEIGHT) && !x_1[X_BITS-1] && x_1 < x_t'(WIDTH);

    if (!rst_n) begin
      offset   <= address_t'(ROW_START);
      slot     <= FIRST_TOP_SLOT;
      top_slot <= FIRST_TOP_SLOT;
      y        <= FIRST_Y;
      top      <= FIRST_Y;
      x        <= FIRST_X;
      left     <= FIRST_X;
    end else if (step) begin
      offset <= row_step ? address_t'(ROW_START) : offset + distance;
      if (ky_step) begin
        slot <= row_step ? next_top_slot : group_step ? top_slot : next_slot;
        y    <= row_step ? next_top : group_step ? top : y + 1'b1;
      end
      if (kx_step) begin
        if (row_step) x <= FIRST_X;
        else if (pixel_step) x <= next_left;
        else if (ky_step) x <= left;
        else x <= x + 1'b1;
      end
      if (pixel_step) left <= row_step ? FIRST_X : next_left;
      if (row_step) begin
        top_slot <= next_top_slot;
        top      <= next_top;
      end
    end
  end
endmodule

`default_nettype wire
