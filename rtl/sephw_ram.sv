// One write port, one read port, synchronous read: a block RAM, or registers where it is small.
//
// Parameters: WIDTH bits per word, DEPTH words.
// Timing: read_data in cycle t + 1 is the word at read_address of cycle t as it stood before the
//   write of cycle t. Users ignore what they read where both addresses are the same, so tools may
//   choose any collision behaviour.
// No reset: users ignore what they have not written.
`default_nettype none

module sephw_ram #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 16,
    parameter int ADDRESS_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  wire                     clk,
    input  wire                     write_enable,
    input  wire  [ADDRESS_BITS-1:0] write_address,
    input  wire  [       WIDTH-1:0] write_data,
    input  wire  [ADDRESS_BITS-1:0] read_address,
    output logic [       WIDTH-1:0] read_data
);
  (* no_rw_check *)
  logic [WIDTH-1:0] words[0:DEPTH-1];

  always_ff @(posedge clk) begin
    if (write_enable) words[write_address] <= write_data;
    read_data <= words[read_address];
  end
endmodule

`default_nettype wire
