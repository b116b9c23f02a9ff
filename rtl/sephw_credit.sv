// Credit: how many more beats may be on their way to an output FIFO.
//
// Parameters: DEPTH the largest count, START the count after reset.
// An engine takes a credit with every issue that makes a beat (`take`); the FIFO gives it back
// when the beat is popped (`give`). `available` is a register: a credit given in cycle t can be
// taken from cycle t + 1 on.
// Invariant: 0 <= count <= DEPTH and available = (count != 0), provided that `take` is only ever
// up with `available`, and that no more credits are given back than were taken.
`default_nettype none

module sephw_credit #(
    parameter int DEPTH = 2,
    parameter int START = DEPTH
) (
    input  wire  clk,
    input  wire  rst_n,
    input  wire  take,
    input  wire  give,
    output logic available
);
  generate
    if (DEPTH == 1) begin : one
      // The register is the count; what is given back was taken, so never both at once.
      always_ff @(posedge clk) begin
        if (!rst_n) available <= START != 0;
        else available <= give || (available && !take);
      end
    end else begin : several
      localparam int COUNT_BITS = $clog2(DEPTH + 1);
      localparam logic [COUNT_BITS-1:0] ONE = COUNT_BITS'(1);

      logic [COUNT_BITS-1:0] count;

      always_ff @(posedge clk) begin
        if (!rst_n) begin
          count <= COUNT_BITS'(START);
          available <= START != 0;
        end else begin
          if (give && !take) count <= count + ONE;
          if (take && !give) count <= count - ONE;
          // Not a comparison of the next count: that would follow the adder.
          available <= give || (available && !(take && count == ONE));
        end
      end
    end
  endgenerate
endmodule

`default_nettype wire
