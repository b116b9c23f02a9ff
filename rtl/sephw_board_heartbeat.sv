// A light that shows that the oscillator runs, about one blink a second, and a gate for clocks.
//
// Parameters: CLOCK_HZ; `gate` changes every 2^GATE_BITS cycles.
`default_nettype none

module sephw_board_heartbeat #(
    parameter int CLOCK_HZ  = 1000000,
    parameter int GATE_BITS = 14
) (
    input  wire clk,
    input  wire rst_n,
    output wire light,
    output wire gate
);
  localparam int BITS = $clog2(CLOCK_HZ);
  logic [BITS-1:0] count;
  assign light = count[BITS-1];
  assign gate  = count[GATE_BITS];

  always_ff @(posedge clk) begin
    if (!rst_n) count <= '0;
    else count <= count + 1'b1;
  end
endmodule

`default_nettype wire
