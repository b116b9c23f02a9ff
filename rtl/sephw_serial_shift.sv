// Left shift of a digit-serial value by a constant, in the same cycles: digits are delayed within
// the frame, zeros come first.
//
// Parameters: DIGIT_BITS per cycle; SHIFT in bits, at least 1.
// `start` is up in the cycle before the first digit; `shifted` has no latency.
// Invariant: after k digits, shifted = value * 2^SHIFT modulo 2^(k * DIGIT_BITS).
`default_nettype none

module sephw_serial_shift #(
    parameter int DIGIT_BITS = 1,
    parameter int SHIFT      = 1
) (
    input  wire                   clk,
    input  wire                   start,
    input  wire  [DIGIT_BITS-1:0] digit,
    output wire  [DIGIT_BITS-1:0] shifted
);
  localparam int DIGITS = SHIFT / DIGIT_BITS;
  localparam int BITS = SHIFT % DIGIT_BITS;

  wire [DIGIT_BITS-1:0] sliced;

  generate
    if (BITS == 0) begin : whole
      assign sliced = digit;
    end else begin : part
      // The top bits of the digit before become the low bits of this one.
      logic [BITS-1:0] carried;
      always_ff @(posedge clk) begin
        if (start) carried <= '0;
        else carried <= digit[DIGIT_BITS-1-:BITS];
      end
      assign sliced = {digit[DIGIT_BITS-BITS-1:0], carried};
    end

    if (DIGITS == 0) begin : same
      assign shifted = sliced;
    end else begin : later
      logic [DIGITS*DIGIT_BITS-1:0] delayed;
      always_ff @(posedge clk) begin
        if (start) delayed <= '0;
        else delayed <= (DIGITS * DIGIT_BITS)'({delayed, sliced});
      end
      assign shifted = delayed[DIGITS*DIGIT_BITS-1-:DIGIT_BITS];
    end
  endgenerate
endmodule

`default_nettype wire
