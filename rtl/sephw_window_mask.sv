// Which taps of a whole window lie in the map.
//
// Parameters: as sephw_parallel_window.
// In:  one `step` per window, with the flags of the last pixel of a row and the last row.
// Timing: `in_map`, bit ky * KERNEL_WIDTH + kx, two cycles after the step; a register per tap, so
//   each drives the values of its tap only.
// Invariant: (top, left) is the map position of tap (0, 0) of the window that steps next.
`default_nettype none

module sephw_window_mask #(
    parameter int HEIGHT = 4,
    parameter int WIDTH = 4,
    parameter int KERNEL_HEIGHT = 3,
    parameter int KERNEL_WIDTH = 3,
    parameter int STRIDE = 1,
    parameter int PADDING_TOP = 1,
    parameter int PADDING_LEFT = 1,
    parameter int OUTPUT_HEIGHT = 4,
    parameter int OUTPUT_WIDTH = 4
) (
    input  wire                                   clk,
    input  wire                                   rst_n,
    input  wire                                   step,
    input  wire                                   pixel_last,
    input  wire                                   row_last,
    output logic [KERNEL_HEIGHT*KERNEL_WIDTH-1:0] in_map
);
  localparam int Y_END = OUTPUT_HEIGHT * STRIDE + KERNEL_HEIGHT;
  localparam int X_END = OUTPUT_WIDTH * STRIDE + KERNEL_WIDTH;
  localparam int Y_BITS = $clog2(Y_END > HEIGHT ? Y_END : HEIGHT + 1) + 1;
  localparam int X_BITS = $clog2(X_END > WIDTH ? X_END : WIDTH + 1) + 1;
  typedef logic signed [Y_BITS-1:0] y_t;
  typedef logic signed [X_BITS-1:0] x_t;

  y_t top;
  x_t left;
  logic [KERNEL_HEIGHT-1:0] row_in_map;
  logic [KERNEL_WIDTH-1:0] column_in_map;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      top  <= y_t'(-PADDING_TOP);
      left <= x_t'(-PADDING_LEFT);
    end else if (step) begin
      left <= pixel_last ? x_t'(-PADDING_LEFT) : left + x_t'(STRIDE);
      if (pixel_last) top <= row_last ? y_t'(-PADDING_TOP) : top + y_t'(STRIDE);
    end
  end

  generate
    for (genvar ky = 0; ky < KERNEL_HEIGHT; ky++) begin : rows
      always_ff @(posedge clk) row_in_map[ky] <= top >= y_t'(-ky) && top < y_t'(HEIGHT - ky);
      for (genvar kx = 0; kx < KERNEL_WIDTH; kx++) begin : taps
        always_ff @(posedge clk)
          in_map[ky*KERNEL_WIDTH+kx] <= row_in_map[ky] && column_in_map[kx];
      end
    end
    for (genvar kx = 0; kx < KERNEL_WIDTH; kx++) begin : columns
      always_ff @(posedge clk) column_in_map[kx] <= left >= x_t'(-kx) && left < x_t'(WIDTH - kx);
    end
  endgenerate
endmodule

`default_nettype wire
