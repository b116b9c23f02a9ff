// Counts a clock against another one: its cycles between two changes of `gate`.
//
// Parameter: BITS of the count.
// `gate` changes at the pace of the other clock and may do so at any time; the count is right
//   within one cycle. `cycles` is 0 until `gate` has changed twice after the reset, and stands
//   still while `hold` is up.
`default_nettype none

module sephw_clock_meter #(
    parameter int BITS = 20
) (
    input  wire             clk,
    input  wire             rst_n,
    input  wire             gate,
    input  wire             hold,
    output logic [BITS-1:0] cycles
);
  logic [2:0] gates;  // two registers against metastability, one to see a change
  logic [BITS-1:0] count;
  logic whole;  // `count` began at a change

  always_ff @(posedge clk) begin
    gates <= {gates[1:0], gate};
    if (!rst_n) begin
      whole  <= 1'b0;
      cycles <= '0;
    end else if (gates[2] != gates[1]) begin
      whole <= 1'b1;
      count <= BITS'(1);
      if (whole && !hold) cycles <= count;
    end else begin
      count <= count + 1'b1;
    end
  end
endmodule

`default_nettype wire
