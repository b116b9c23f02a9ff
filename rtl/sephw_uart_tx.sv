// UART transmitter, 8 data bits, no parity, 1 stop bit: bytes in, line out.
//
// Parameter: CLOCKS_PER_BIT, at least 2.
// Timing: a byte is taken in a cycle with `valid` and `ready`; its 10 bits take exactly
//   10 * CLOCKS_PER_BIT cycles, and the next byte can follow without a gap. `ready` is a register.
// Reset: the line rests at 1.
`default_nettype none

module sephw_uart_tx #(
    parameter int CLOCKS_PER_BIT = 16
) (
    input  wire        clk,
    input  wire        rst_n,
    input  wire        valid,
    output logic       ready,
    input  wire  [7:0] data,
    output logic       line
);
  localparam int TIMER_BITS = $clog2(CLOCKS_PER_BIT);
  localparam logic [TIMER_BITS-1:0] WHOLE = TIMER_BITS'(CLOCKS_PER_BIT - 1);

  logic [8:0] rest;  // bits behind the one on the line, the stop bit on top
  logic [3:0] left;  // bits that are not over yet
  logic [TIMER_BITS-1:0] timer;
  wire bit_ends = timer == '0;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      line  <= 1'b1;
      ready <= 1'b1;
      left  <= '0;
      timer <= '0;
    end else if (valid && ready) begin
      ready <= 1'b0;
      line  <= 1'b0;
      rest  <= {1'b1, data};
      left  <= 4'd10;
      timer <= WHOLE;
    end else if (left != 4'd0) begin
      // One cycle ahead: up in the last cycle of the last bit, and from then on.
      if (left == 4'd1 && timer <= TIMER_BITS'(1)) ready <= 1'b1;
      timer <= timer - 1'b1;
      if (bit_ends) begin
        timer <= WHOLE;
        left  <= left - 1'b1;
        line  <= rest[0];
        rest  <= {1'b1, rest[8:1]};
      end
    end
  end
endmodule

`default_nettype wire
