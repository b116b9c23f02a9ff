// Counts 0 .. PERIOD - 1, one step per `advance`, and knows one step ahead when it wraps.
//
// Parameters: PERIOD, at least 1.
// Timing: `value` and `last` are registers; `last` is up while value == PERIOD - 1, so chains of
//   counters (innermost first) advance on an AND of registers, without a comparison in the path.
// Reset: value 0.
`default_nettype none

module sephw_modulo_counter #(
    parameter int PERIOD = 2,
    parameter int BITS = PERIOD > 1 ? $clog2(PERIOD) : 1
) (
    input  wire             clk,
    input  wire             rst_n,
    input  wire             advance,
    output logic [BITS-1:0] value,
    output logic            last
);
  generate
    if (PERIOD == 1) begin : constant
      assign value = '0;
      assign last  = 1'b1;
      wire unused = &{1'b0, clk, rst_n, advance};
    end else begin : counter
      always_ff @(posedge clk) begin
        if (!rst_n) begin
          value <= '0;
          last  <= 1'b0;
        end else if (advance) begin
          value <= last ? '0 : value + 1'b1;
          last  <= value == BITS'(PERIOD - 2);
        end
      end
    end
  endgenerate
endmodule

`default_nettype wire
