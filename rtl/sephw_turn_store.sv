// One value per word, read and written in turn: what MaxPool and GlobalPool carry from pixel to
// pixel.
//
// Parameters: WIDTH bits per value, WORDS.
// Timing: `held` in cycle t + 1 is the value of word read_word of cycle t, a write in cycle t
// to another word included. Words are read in turn and each is written in the cycle after its
// read, so with two words or more a read never meets a write of its own word; with one word the
// register itself is `held`.
// No reset: users mask what they have not written.
`default_nettype none

module sephw_turn_store #(
    parameter int WIDTH = 8,
    parameter int WORDS = 4,
    parameter int WORD_BITS = WORDS > 1 ? $clog2(WORDS) : 1
) (
    input  wire                  clk,
    input  wire  [WORD_BITS-1:0] read_word,
    output wire  [    WIDTH-1:0] held,
    input  wire                  write,
    input  wire  [WORD_BITS-1:0] write_word,
    input  wire  [    WIDTH-1:0] value
);
  if (WORDS == 1) begin : single
    logic [WIDTH-1:0] only;

    always_ff @(posedge clk) if (write) only <= value;
    assign held = only;
    wire unused = &{1'b0, read_word, write_word};
  end else begin : many
    sephw_ram #(
        .WIDTH(WIDTH),
        .DEPTH(WORDS)
    ) ram (
        .clk(clk),
        .write_enable(write),
        .write_address(write_word),
        .write_data(value),
        .read_address(read_word),
        .read_data(held)
    );
  end
endmodule

`default_nettype wire
