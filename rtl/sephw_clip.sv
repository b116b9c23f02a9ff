// Clips a signed number to the range of an OUT_BITS number, signed or not. No register.
//
// Parameters: IN_BITS (signed), OUT_BITS, OUT_SIGNED.
// Invariant: `result` is `value` unless bits above the result's tell otherwise.
`default_nettype none

module sephw_clip #(
    parameter int IN_BITS = 16,
    parameter int OUT_BITS = 8,
    parameter bit OUT_SIGNED = 0
) (
    input  wire [ IN_BITS-1:0] value,
    output wire [OUT_BITS-1:0] result
);
  // Bits of the result that hold the magnitude.
  localparam int KEPT = OUT_SIGNED ? OUT_BITS - 1 : OUT_BITS;
  localparam int BITS = IN_BITS > KEPT + 1 ? IN_BITS : KEPT + 1;

  wire [BITS-1:0] extended = BITS'($signed(value));
  wire negative = extended[BITS-1];
  wire too_high = !negative && (|extended[BITS-1:KEPT]);
  wire too_low = negative && (!OUT_SIGNED || !(&extended[BITS-1:KEPT]));
  // The lowest value is only the sign bit, or zero; the highest is the other bits.
  localparam logic [OUT_BITS-1:0] LOWEST = OUT_BITS'(OUT_SIGNED) << (OUT_BITS - 1);

  assign result = too_low ? LOWEST : too_high ? ~LOWEST : extended[OUT_BITS-1:0];
endmodule

`default_nettype wire
