// sephw_part_select made of an ECP5's cells chooses the part that the index names, for every word.
//
// The cells' functions are the vendor's, as far as this module uses them.
module part_select_proof #(
    parameter int PARTS = 4
) (
    input wire [2*PARTS-1:0] word,
    input wire [$clog2(PARTS)-1:0] index
);
  wire [1:0] part;
  sephw_part_select #(
      .PARTS(PARTS),
      .BITS (2)
  ) dut (
      .word,
      .index,
      .part
  );

  wire [1:0] parts[PARTS];
  for (genvar i = 0; i < PARTS; i++) begin : one
    assign parts[i] = word[2*i+:2];
  end

  always_comb begin
    for (int i = 0; i < PARTS; i++) begin
      if (int'(index) == i) assert (part == parts[i]);
    end
  end
endmodule

module LUT4 #(
    parameter logic [15:0] INIT = 16'h0
) (
    input  wire A,
    input  wire B,
    input  wire C,
    input  wire D,
    output wire Z
);
  assign Z = INIT[{D, C, B, A}];
endmodule

module PFUMX (
    input  wire ALUT,
    input  wire BLUT,
    input  wire C0,
    output wire Z
);
  assign Z = C0 ? ALUT : BLUT;
endmodule

module L6MUX21 (
    input  wire D0,
    input  wire D1,
    input  wire SD,
    output wire Z
);
  assign Z = SD ? D1 : D0;
endmodule
