// Constants with a synchronous read: block RAM, or logic where it is small.
//
// Parameters: FILE for $readmemh (one word per line), WIDTH bits per word, DEPTH words.
// Timing: `data` in cycle t + 1 is the word at `address` of cycle t.
`default_nettype none

module sephw_rom #(
    parameter FILE = "",
    parameter int WIDTH = 8,
    parameter int DEPTH = 16,
    parameter int ADDRESS_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  wire                     clk,
    input  wire  [ADDRESS_BITS-1:0] address,
    output logic [       WIDTH-1:0] data
);
  logic [WIDTH-1:0] words[0:DEPTH-1];

  // Without a file (tools elaborate the defaults as well): zeros.
  if (FILE != "") begin : contents
    initial $readmemh(FILE, words);
  end else begin : zeros
    initial for (int i = 0; i < DEPTH; i++) words[i] = '0;
  end

  always_ff @(posedge clk) data <= words[address];
endmodule

`default_nettype wire
