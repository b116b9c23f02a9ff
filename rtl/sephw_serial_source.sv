// Parallel value to digits, least significant first, extended for as long as nothing is loaded.
//
// Parameters: BITS of the value; IS_SIGNED: 1 to repeat its sign, 0 to append zeros; DIGIT_BITS.
// `digit` holds the first digit in the cycle after `load`, the next one in each further cycle.
// Invariant: `rest` is what of the extended value has not been sent, its low digit on `digit`.
`default_nettype none

module sephw_serial_source #(
    parameter int BITS       = 8,
    parameter int IS_SIGNED  = 0,
    parameter int DIGIT_BITS = 1
) (
    input  wire                   clk,
    input  wire                   load,
    input  wire  [      BITS-1:0] data,
    output wire  [DIGIT_BITS-1:0] digit
);
  localparam int DIGITS = (BITS + DIGIT_BITS - 1) / DIGIT_BITS;
  localparam int WIDTH = DIGITS * DIGIT_BITS;

  logic [WIDTH-1:0] rest;
  wire fill = IS_SIGNED != 0 && rest[WIDTH-1];
  wire sign = IS_SIGNED != 0 && data[BITS-1];

  generate
    if (DIGITS == 1) begin : one
      always_ff @(posedge clk)
        rest <= load ? WIDTH'({{(WIDTH - BITS + 1) {sign}}, data}) : {WIDTH{fill}};
    end else begin : several
      always_ff @(posedge clk) begin
        rest <= load ? WIDTH'({{(WIDTH - BITS + 1) {sign}}, data})
            : {{DIGIT_BITS{fill}}, rest[WIDTH-1:DIGIT_BITS]};
      end
    end
  endgenerate
  assign digit = rest[DIGIT_BITS-1:0];
endmodule

`default_nettype wire
