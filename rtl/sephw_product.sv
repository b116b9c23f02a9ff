// Product of two signed values, with a register behind it.
//
// Parameters: A_BITS and B_BITS of the operands, both at least 1; BITS of the product, at most
// their sum.
// Timing: `product` is one cycle after its operands; new ones every cycle.
// Invariant: the caller's BITS hold every product, so cutting it to them loses nothing.
//
// Synthesis for ECP5 uses its multipliers without their registers, and the way to a register in
// the fabric and on is the longest of a large design. So the block is named here, register and all,
// wherever one block holds the operands.
`default_nettype none

module sephw_product #(
    parameter int A_BITS = 9,
    parameter int B_BITS = 8,
    parameter int BITS   = 17
) (
    input  wire                     clk,
    input  wire signed [A_BITS-1:0] a,
    input  wire signed [B_BITS-1:0] b,
    output wire signed [  BITS-1:0] product
);
`ifdef SEPHW_ECP5_DSP
  localparam bit BLOCK = A_BITS > 1 && A_BITS <= 18 && B_BITS > 1 && B_BITS <= 18;
`else
  localparam bit BLOCK = 0;
`endif

  generate
    if (BLOCK) begin : block
`ifdef SEPHW_ECP5_DSP
      wire [17:0] wide_a = {{(18 - A_BITS) {a[A_BITS-1]}}, a};
      wire [17:0] wide_b = {{(18 - B_BITS) {b[B_BITS-1]}}, b};
      wire [35:0] full;
      MULT18X18D #(
          .REG_OUTPUT_CLK("CLK0"),
          .REG_OUTPUT_CE("CE0"),
          .REG_OUTPUT_RST("RST0"),
          .CLK0_DIV("ENABLED"),
          .GSR("DISABLED"),
          .RESETMODE("SYNC")
      ) multiplier (
          .A17(wide_a[17]), .A16(wide_a[16]), .A15(wide_a[15]), .A14(wide_a[14]),
          .A13(wide_a[13]), .A12(wide_a[12]), .A11(wide_a[11]), .A10(wide_a[10]),
          .A9(wide_a[9]), .A8(wide_a[8]), .A7(wide_a[7]), .A6(wide_a[6]), .A5(wide_a[5]),
          .A4(wide_a[4]), .A3(wide_a[3]), .A2(wide_a[2]), .A1(wide_a[1]), .A0(wide_a[0]),
          .B17(wide_b[17]), .B16(wide_b[16]), .B15(wide_b[15]), .B14(wide_b[14]),
          .B13(wide_b[13]), .B12(wide_b[12]), .B11(wide_b[11]), .B10(wide_b[10]),
          .B9(wide_b[9]), .B8(wide_b[8]), .B7(wide_b[7]), .B6(wide_b[6]), .B5(wide_b[5]),
          .B4(wide_b[4]), .B3(wide_b[3]), .B2(wide_b[2]), .B1(wide_b[1]), .B0(wide_b[0]),
          .C17(1'b0), .C16(1'b0), .C15(1'b0), .C14(1'b0), .C13(1'b0), .C12(1'b0), .C11(1'b0),
          .C10(1'b0), .C9(1'b0), .C8(1'b0), .C7(1'b0), .C6(1'b0), .C5(1'b0), .C4(1'b0),
          .C3(1'b0), .C2(1'b0), .C1(1'b0), .C0(1'b0),
          .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0), .SOURCEB(1'b0),
          .CLK0(clk), .CE0(1'b1), .RST0(1'b0),
          .P35(full[35]), .P34(full[34]), .P33(full[33]), .P32(full[32]), .P31(full[31]),
          .P30(full[30]), .P29(full[29]), .P28(full[28]), .P27(full[27]), .P26(full[26]),
          .P25(full[25]), .P24(full[24]), .P23(full[23]), .P22(full[22]), .P21(full[21]),
          .P20(full[20]), .P19(full[19]), .P18(full[18]), .P17(full[17]), .P16(full[16]),
          .P15(full[15]), .P14(full[14]), .P13(full[13]), .P12(full[12]), .P11(full[11]),
          .P10(full[10]), .P9(full[9]), .P8(full[8]), .P7(full[7]), .P6(full[6]), .P5(full[5]),
          .P4(full[4]), .P3(full[3]), .P2(full[2]), .P1(full[1]), .P0(full[0])
      );
      assign product = full[BITS-1:0];
`endif
    end else begin : inferred
      // Yosys 0.70 packs a product's register into two DSP blocks of an iCE40, as output of its
      // own and as addend of its neighbour's, and loses the product.
`ifdef SEPHW_ICE40
      (* keep *)
`endif
      logic signed [BITS-1:0] kept;
      always_ff @(posedge clk) kept <= BITS'(a * b);
      assign product = kept;
    end
  endgenerate
endmodule

`default_nettype wire
