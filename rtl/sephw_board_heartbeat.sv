// A light that shows that the clock runs: about one blink a second.
//
// Parameter: CLOCK_HZ.
`default_nettype none

module sephw_board_heartbeat #(
    parameter int CLOCK_HZ = 1000000
) (
    input  wire clk,
    input  wire rst_n,
    output wire light
);
  localparam int BITS = $clog2(CLOCK_HZ);
  logic [BITS-1:0] count;
  assign light = count[BITS-1];

  always_ff @(posedge clk) begin
    if (!rst_n) count <= '0;
    else count <= count + 1'b1;
  end
endmodule

`default_nettype wire
