// CRC-32 of IEEE 802.3 (the one of zlib) over bytes, one bit a cycle.
//
// Timing: a byte pushed in cycle t is in `state` from cycle t + 9 on; the next may be pushed from
//   then on. `clear` starts anew; not while a byte is being worked on.
// `state` is the register itself: the CRC is its complement. Over a message followed by its own
//   CRC, low byte first, it is 32'hDEBB20E3.
`default_nettype none

module sephw_crc32 (
    input  wire         clk,
    input  wire         clear,
    input  wire         push,
    input  wire  [ 7:0] data,
    output logic [31:0] state
);
  logic [7:0] byte_left;
  logic [3:0] bits_left;
  wire feedback = state[0] ^ byte_left[0];

  always_ff @(posedge clk) begin
    if (clear) begin
      state     <= '1;
      bits_left <= '0;
    end else if (push) begin
      byte_left <= data;
      bits_left <= 4'd8;
    end else if (bits_left != 4'd0) begin
      byte_left <= byte_left >> 1;
      bits_left <= bits_left - 1'b1;
      state     <= (state >> 1) ^ (feedback ? 32'hEDB88320 : 32'd0);
    end
  end
endmodule

`default_nettype wire
