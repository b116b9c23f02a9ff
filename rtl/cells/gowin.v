// Behavioural models of Gowin memories and multipliers, for simulating a netlist.
//
// Written from the vendor's memory and DSP guides, for what synthesis infers: block RAM without
// output registers, multipliers without registers. Anything else stops elaboration. LUTs, carries,
// multiplexers and flip-flops are translated to expressions instead.
`default_nettype none

// The array of a block RAM: 2048 bytes of UNIT bits (8 or 9), two ports.
//
// Addresses count bits: 13..3 choose a byte, 2..0 a part of it. Ports of two and four bytes have a
//   write enable for each byte in the lowest address bits instead.
// THROUGH: a port that reads while it writes gives the new word, else the old one.
// Where one port reads what the other writes in the same cycle, nothing is defined: this model then
//   gives the complement of the old bits. Of a bit that both write, B's value stays.
// ASYNCHRONOUS: so are the resets of the data out.
module sephw_gowin_ram #(
    parameter UNIT = 8,
    parameter WIDTH_A = 32,
    parameter WIDTH_B = 32,
    parameter THROUGH_A = 0,
    parameter THROUGH_B = 0,
    parameter ASYNCHRONOUS = 0,
    parameter [2048*UNIT-1:0] INITIAL = 0
) (
    input wire clock_a, write_a, read_a, reset_a,
    input wire [13:0] address_a,
    input wire [4*UNIT-1:0] in_a,
    output reg [4*UNIT-1:0] out_a,
    input wire clock_b, write_b, read_b, reset_b,
    input wire [13:0] address_b,
    input wire [4*UNIT-1:0] in_b,
    output reg [4*UNIT-1:0] out_b
);
  localparam ROW = 4 * UNIT;
  localparam [ROW-1:0] NONE = {ROW{1'b0}};
  reg [ROW-1:0] rows[0:511];
  integer n;
  initial for (n = 0; n < 512; n = n + 1) rows[n] = INITIAL[ROW*n+:ROW];

  // Where a port's bits lie in their row of four bytes.
  function automatic integer offset(input integer width, input [4:0] low);
    if (width == ROW) offset = 0;
    else if (width == 2 * UNIT) offset = low[4] ? 2 * UNIT : 0;
    else if (width == UNIT) offset = low[4:3] * UNIT;
    else offset = low[4:3] * UNIT + low[2:0] / width * width;
  endfunction

  function automatic [ROW-1:0] ones(input integer width);
    ones = {ROW{1'b1}} >> (ROW - width);
  endfunction

  function automatic [ROW-1:0] written(input integer width, input [4:0] low);
    if (width == ROW) written = {{UNIT{low[3]}}, {UNIT{low[2]}}, {UNIT{low[1]}}, {UNIT{low[0]}}};
    else if (width == 2 * UNIT)
      written = {{2 * UNIT{1'b0}}, {UNIT{low[1]}}, {UNIT{low[0]}}} << offset(width, low);
    else written = ones(width) << offset(width, low);
  endfunction

  wire [8:0] row_a = address_a[13:5];
  wire [8:0] row_b = address_b[13:5];
  wire same = row_a == row_b;
  wire [ROW-1:0] mask_a = write_a ? written(WIDTH_A, address_a[4:0]) : NONE;
  wire [ROW-1:0] mask_b = write_b ? written(WIDTH_B, address_b[4:0]) : NONE;
  wire [ROW-1:0] data_a = in_a << offset(WIDTH_A, address_a[4:0]);
  wire [ROW-1:0] data_b = in_b << offset(WIDTH_B, address_b[4:0]);
  wire [ROW-1:0] also_a = same ? mask_a & ~mask_b : NONE;
  wire [ROW-1:0] also_b = same ? mask_b : NONE;
  always @(posedge clock_a)
    if (mask_a != NONE)
      rows[row_a] <= (rows[row_a] & ~mask_a & ~also_b) | (data_a & mask_a & ~also_b)
                     | (data_b & also_b);
  always @(posedge clock_b)
    if (mask_b != NONE)
      rows[row_b] <= (rows[row_b] & ~mask_b & ~also_a) | (data_b & mask_b) | (data_a & also_a);

  wire [ROW-1:0] old_a = rows[row_a] ^ also_b;
  wire [ROW-1:0] old_b = rows[row_b] ^ (same ? mask_a : NONE);
  wire [ROW-1:0] seen_a = THROUGH_A != 0 ? (old_a & ~mask_a) | (data_a & mask_a) : old_a;
  wire [ROW-1:0] seen_b = THROUGH_B != 0 ? (old_b & ~mask_b) | (data_b & mask_b) : old_b;
  wire [ROW-1:0] value_a = (seen_a >> offset(WIDTH_A, address_a[4:0])) & ones(WIDTH_A);
  wire [ROW-1:0] value_b = (seen_b >> offset(WIDTH_B, address_b[4:0])) & ones(WIDTH_B);
  generate
    if (ASYNCHRONOUS != 0) begin : asynchronous
      always @(posedge clock_a, posedge reset_a)
        if (reset_a) out_a <= NONE;
        else if (read_a) out_a <= value_a;
      always @(posedge clock_b, posedge reset_b)
        if (reset_b) out_b <= NONE;
        else if (read_b) out_b <= value_b;
    end else begin : synchronous
      always @(posedge clock_a)
        if (reset_a) out_a <= NONE;
        else if (read_a) out_a <= value_a;
      always @(posedge clock_b)
        if (reset_b) out_b <= NONE;
        else if (read_b) out_b <= value_b;
    end
  endgenerate
endmodule

// Two ports, A writes and B reads: bytes of 8 bits, INIT_RAM_k holds 32 of them.
module SDPB (
    input wire CLKA, CEA, RESETA, CLKB, CEB, RESETB, OCE,
    input wire [2:0] BLKSELA, BLKSELB,
    input wire [13:0] ADA, ADB,
    input wire [31:0] DI,
    output wire [31:0] DO
);
  parameter READ_MODE = 0;
  parameter BIT_WIDTH_0 = 32;
  parameter BIT_WIDTH_1 = 32;
  parameter BLK_SEL_0 = 0;
  parameter BLK_SEL_1 = 0;
  parameter RESET_MODE = "SYNC";
  parameter [255:0] INIT_RAM_00 = 256'h0;
  parameter [255:0] INIT_RAM_01 = 256'h0;
  parameter [255:0] INIT_RAM_02 = 256'h0;
  parameter [255:0] INIT_RAM_03 = 256'h0;
  parameter [255:0] INIT_RAM_04 = 256'h0;
  parameter [255:0] INIT_RAM_05 = 256'h0;
  parameter [255:0] INIT_RAM_06 = 256'h0;
  parameter [255:0] INIT_RAM_07 = 256'h0;
  parameter [255:0] INIT_RAM_08 = 256'h0;
  parameter [255:0] INIT_RAM_09 = 256'h0;
  parameter [255:0] INIT_RAM_0A = 256'h0;
  parameter [255:0] INIT_RAM_0B = 256'h0;
  parameter [255:0] INIT_RAM_0C = 256'h0;
  parameter [255:0] INIT_RAM_0D = 256'h0;
  parameter [255:0] INIT_RAM_0E = 256'h0;
  parameter [255:0] INIT_RAM_0F = 256'h0;
  parameter [255:0] INIT_RAM_10 = 256'h0;
  parameter [255:0] INIT_RAM_11 = 256'h0;
  parameter [255:0] INIT_RAM_12 = 256'h0;
  parameter [255:0] INIT_RAM_13 = 256'h0;
  parameter [255:0] INIT_RAM_14 = 256'h0;
  parameter [255:0] INIT_RAM_15 = 256'h0;
  parameter [255:0] INIT_RAM_16 = 256'h0;
  parameter [255:0] INIT_RAM_17 = 256'h0;
  parameter [255:0] INIT_RAM_18 = 256'h0;
  parameter [255:0] INIT_RAM_19 = 256'h0;
  parameter [255:0] INIT_RAM_1A = 256'h0;
  parameter [255:0] INIT_RAM_1B = 256'h0;
  parameter [255:0] INIT_RAM_1C = 256'h0;
  parameter [255:0] INIT_RAM_1D = 256'h0;
  parameter [255:0] INIT_RAM_1E = 256'h0;
  parameter [255:0] INIT_RAM_1F = 256'h0;
  parameter [255:0] INIT_RAM_20 = 256'h0;
  parameter [255:0] INIT_RAM_21 = 256'h0;
  parameter [255:0] INIT_RAM_22 = 256'h0;
  parameter [255:0] INIT_RAM_23 = 256'h0;
  parameter [255:0] INIT_RAM_24 = 256'h0;
  parameter [255:0] INIT_RAM_25 = 256'h0;
  parameter [255:0] INIT_RAM_26 = 256'h0;
  parameter [255:0] INIT_RAM_27 = 256'h0;
  parameter [255:0] INIT_RAM_28 = 256'h0;
  parameter [255:0] INIT_RAM_29 = 256'h0;
  parameter [255:0] INIT_RAM_2A = 256'h0;
  parameter [255:0] INIT_RAM_2B = 256'h0;
  parameter [255:0] INIT_RAM_2C = 256'h0;
  parameter [255:0] INIT_RAM_2D = 256'h0;
  parameter [255:0] INIT_RAM_2E = 256'h0;
  parameter [255:0] INIT_RAM_2F = 256'h0;
  parameter [255:0] INIT_RAM_30 = 256'h0;
  parameter [255:0] INIT_RAM_31 = 256'h0;
  parameter [255:0] INIT_RAM_32 = 256'h0;
  parameter [255:0] INIT_RAM_33 = 256'h0;
  parameter [255:0] INIT_RAM_34 = 256'h0;
  parameter [255:0] INIT_RAM_35 = 256'h0;
  parameter [255:0] INIT_RAM_36 = 256'h0;
  parameter [255:0] INIT_RAM_37 = 256'h0;
  parameter [255:0] INIT_RAM_38 = 256'h0;
  parameter [255:0] INIT_RAM_39 = 256'h0;
  parameter [255:0] INIT_RAM_3A = 256'h0;
  parameter [255:0] INIT_RAM_3B = 256'h0;
  parameter [255:0] INIT_RAM_3C = 256'h0;
  parameter [255:0] INIT_RAM_3D = 256'h0;
  parameter [255:0] INIT_RAM_3E = 256'h0;
  parameter [255:0] INIT_RAM_3F = 256'h0;

  localparam [16383:0] INITIAL = {
    INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A,
    INIT_RAM_39, INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34,
    INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E,
    INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
    INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22,
    INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C,
    INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
    INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
    INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A,
    INIT_RAM_09, INIT_RAM_08, INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04,
    INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
  };

  generate
    if (READ_MODE != 0) begin : output_register
      $error("SDPB: no model of output registers");
    end
    if (BLK_SEL_0 != 0 || BLK_SEL_1 != 0) begin : block_select
      $error("SDPB: no model of BLK_SEL other than 0");
    end
  endgenerate

  sephw_gowin_ram #(
      .UNIT(8),
      .WIDTH_A(BIT_WIDTH_0),
      .WIDTH_B(BIT_WIDTH_1),
      .ASYNCHRONOUS(RESET_MODE != "SYNC"),
      .INITIAL(INITIAL)
  ) ram (
      .clock_a(CLKA),
      .write_a(CEA && BLKSELA == 3'd0),
      .read_a(1'b0),
      .reset_a(1'b0),
      .address_a(ADA),
      .in_a(DI),
      .out_a(),
      .clock_b(CLKB),
      .write_b(1'b0),
      .read_b(CEB && BLKSELB == 3'd0),
      .reset_b(RESETB),
      .address_b(ADB),
      .in_b(32'd0),
      .out_b(DO)
  );
endmodule

// Two ports, A writes and B reads: bytes of 9 bits, INIT_RAM_k holds 32 of them.
module SDPX9B (
    input wire CLKA, CEA, RESETA, CLKB, CEB, RESETB, OCE,
    input wire [2:0] BLKSELA, BLKSELB,
    input wire [13:0] ADA, ADB,
    input wire [35:0] DI,
    output wire [35:0] DO
);
  parameter READ_MODE = 0;
  parameter BIT_WIDTH_0 = 36;
  parameter BIT_WIDTH_1 = 36;
  parameter BLK_SEL_0 = 0;
  parameter BLK_SEL_1 = 0;
  parameter RESET_MODE = "SYNC";
  parameter [287:0] INIT_RAM_00 = 288'h0;
  parameter [287:0] INIT_RAM_01 = 288'h0;
  parameter [287:0] INIT_RAM_02 = 288'h0;
  parameter [287:0] INIT_RAM_03 = 288'h0;
  parameter [287:0] INIT_RAM_04 = 288'h0;
  parameter [287:0] INIT_RAM_05 = 288'h0;
  parameter [287:0] INIT_RAM_06 = 288'h0;
  parameter [287:0] INIT_RAM_07 = 288'h0;
  parameter [287:0] INIT_RAM_08 = 288'h0;
  parameter [287:0] INIT_RAM_09 = 288'h0;
  parameter [287:0] INIT_RAM_0A = 288'h0;
  parameter [287:0] INIT_RAM_0B = 288'h0;
  parameter [287:0] INIT_RAM_0C = 288'h0;
  parameter [287:0] INIT_RAM_0D = 288'h0;
  parameter [287:0] INIT_RAM_0E = 288'h0;
  parameter [287:0] INIT_RAM_0F = 288'h0;
  parameter [287:0] INIT_RAM_10 = 288'h0;
  parameter [287:0] INIT_RAM_11 = 288'h0;
  parameter [287:0] INIT_RAM_12 = 288'h0;
  parameter [287:0] INIT_RAM_13 = 288'h0;
  parameter [287:0] INIT_RAM_14 = 288'h0;
  parameter [287:0] INIT_RAM_15 = 288'h0;
  parameter [287:0] INIT_RAM_16 = 288'h0;
  parameter [287:0] INIT_RAM_17 = 288'h0;
  parameter [287:0] INIT_RAM_18 = 288'h0;
  parameter [287:0] INIT_RAM_19 = 288'h0;
  parameter [287:0] INIT_RAM_1A = 288'h0;
  parameter [287:0] INIT_RAM_1B = 288'h0;
  parameter [287:0] INIT_RAM_1C = 288'h0;
  parameter [287:0] INIT_RAM_1D = 288'h0;
  parameter [287:0] INIT_RAM_1E = 288'h0;
  parameter [287:0] INIT_RAM_1F = 288'h0;
  parameter [287:0] INIT_RAM_20 = 288'h0;
  parameter [287:0] INIT_RAM_21 = 288'h0;
  parameter [287:0] INIT_RAM_22 = 288'h0;
  parameter [287:0] INIT_RAM_23 = 288'h0;
  parameter [287:0] INIT_RAM_24 = 288'h0;
  parameter [287:0] INIT_RAM_25 = 288'h0;
  parameter [287:0] INIT_RAM_26 = 288'h0;
  parameter [287:0] INIT_RAM_27 = 288'h0;
  parameter [287:0] INIT_RAM_28 = 288'h0;
  parameter [287:0] INIT_RAM_29 = 288'h0;
  parameter [287:0] INIT_RAM_2A = 288'h0;
  parameter [287:0] INIT_RAM_2B = 288'h0;
  parameter [287:0] INIT_RAM_2C = 288'h0;
  parameter [287:0] INIT_RAM_2D = 288'h0;
  parameter [287:0] INIT_RAM_2E = 288'h0;
  parameter [287:0] INIT_RAM_2F = 288'h0;
  parameter [287:0] INIT_RAM_30 = 288'h0;
  parameter [287:0] INIT_RAM_31 = 288'h0;
  parameter [287:0] INIT_RAM_32 = 288'h0;
  parameter [287:0] INIT_RAM_33 = 288'h0;
  parameter [287:0] INIT_RAM_34 = 288'h0;
  parameter [287:0] INIT_RAM_35 = 288'h0;
  parameter [287:0] INIT_RAM_36 = 288'h0;
  parameter [287:0] INIT_RAM_37 = 288'h0;
  parameter [287:0] INIT_RAM_38 = 288'h0;
  parameter [287:0] INIT_RAM_39 = 288'h0;
  parameter [287:0] INIT_RAM_3A = 288'h0;
  parameter [287:0] INIT_RAM_3B = 288'h0;
  parameter [287:0] INIT_RAM_3C = 288'h0;
  parameter [287:0] INIT_RAM_3D = 288'h0;
  parameter [287:0] INIT_RAM_3E = 288'h0;
  parameter [287:0] INIT_RAM_3F = 288'h0;

  localparam [18431:0] INITIAL = {
    INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A,
    INIT_RAM_39, INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34,
    INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E,
    INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
    INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22,
    INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C,
    INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
    INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
    INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A,
    INIT_RAM_09, INIT_RAM_08, INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04,
    INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
  };

  generate
    if (READ_MODE != 0) begin : output_register
      $error("SDPX9B: no model of output registers");
    end
    if (BLK_SEL_0 != 0 || BLK_SEL_1 != 0) begin : block_select
      $error("SDPX9B: no model of BLK_SEL other than 0");
    end
  endgenerate

  sephw_gowin_ram #(
      .UNIT(9),
      .WIDTH_A(BIT_WIDTH_0),
      .WIDTH_B(BIT_WIDTH_1),
      .ASYNCHRONOUS(RESET_MODE != "SYNC"),
      .INITIAL(INITIAL)
  ) ram (
      .clock_a(CLKA),
      .write_a(CEA && BLKSELA == 3'd0),
      .read_a(1'b0),
      .reset_a(1'b0),
      .address_a(ADA),
      .in_a(DI),
      .out_a(),
      .clock_b(CLKB),
      .write_b(1'b0),
      .read_b(CEB && BLKSELB == 3'd0),
      .reset_b(RESETB),
      .address_b(ADB),
      .in_b(36'd0),
      .out_b(DO)
  );
endmodule

// Two ports, each reads and writes: bytes of 8 bits, INIT_RAM_k holds 32 of them. In a cycle with
// a write, the port's data out stays (WRITE_MODE 0) or is the new word (1).
module DPB (
    input wire CLKA, CEA, WREA, RESETA, OCEA, CLKB, CEB, WREB, RESETB, OCEB,
    input wire [2:0] BLKSELA, BLKSELB,
    input wire [13:0] ADA, ADB,
    input wire [15:0] DIA, DIB,
    output wire [15:0] DOA, DOB
);
  parameter READ_MODE0 = 0;
  parameter READ_MODE1 = 0;
  parameter WRITE_MODE0 = 0;
  parameter WRITE_MODE1 = 0;
  parameter BIT_WIDTH_0 = 16;
  parameter BIT_WIDTH_1 = 16;
  parameter BLK_SEL_0 = 0;
  parameter BLK_SEL_1 = 0;
  parameter RESET_MODE = "SYNC";
  parameter [255:0] INIT_RAM_00 = 256'h0;
  parameter [255:0] INIT_RAM_01 = 256'h0;
  parameter [255:0] INIT_RAM_02 = 256'h0;
  parameter [255:0] INIT_RAM_03 = 256'h0;
  parameter [255:0] INIT_RAM_04 = 256'h0;
  parameter [255:0] INIT_RAM_05 = 256'h0;
  parameter [255:0] INIT_RAM_06 = 256'h0;
  parameter [255:0] INIT_RAM_07 = 256'h0;
  parameter [255:0] INIT_RAM_08 = 256'h0;
  parameter [255:0] INIT_RAM_09 = 256'h0;
  parameter [255:0] INIT_RAM_0A = 256'h0;
  parameter [255:0] INIT_RAM_0B = 256'h0;
  parameter [255:0] INIT_RAM_0C = 256'h0;
  parameter [255:0] INIT_RAM_0D = 256'h0;
  parameter [255:0] INIT_RAM_0E = 256'h0;
  parameter [255:0] INIT_RAM_0F = 256'h0;
  parameter [255:0] INIT_RAM_10 = 256'h0;
  parameter [255:0] INIT_RAM_11 = 256'h0;
  parameter [255:0] INIT_RAM_12 = 256'h0;
  parameter [255:0] INIT_RAM_13 = 256'h0;
  parameter [255:0] INIT_RAM_14 = 256'h0;
  parameter [255:0] INIT_RAM_15 = 256'h0;
  parameter [255:0] INIT_RAM_16 = 256'h0;
  parameter [255:0] INIT_RAM_17 = 256'h0;
  parameter [255:0] INIT_RAM_18 = 256'h0;
  parameter [255:0] INIT_RAM_19 = 256'h0;
  parameter [255:0] INIT_RAM_1A = 256'h0;
  parameter [255:0] INIT_RAM_1B = 256'h0;
  parameter [255:0] INIT_RAM_1C = 256'h0;
  parameter [255:0] INIT_RAM_1D = 256'h0;
  parameter [255:0] INIT_RAM_1E = 256'h0;
  parameter [255:0] INIT_RAM_1F = 256'h0;
  parameter [255:0] INIT_RAM_20 = 256'h0;
  parameter [255:0] INIT_RAM_21 = 256'h0;
  parameter [255:0] INIT_RAM_22 = 256'h0;
  parameter [255:0] INIT_RAM_23 = 256'h0;
  parameter [255:0] INIT_RAM_24 = 256'h0;
  parameter [255:0] INIT_RAM_25 = 256'h0;
  parameter [255:0] INIT_RAM_26 = 256'h0;
  parameter [255:0] INIT_RAM_27 = 256'h0;
  parameter [255:0] INIT_RAM_28 = 256'h0;
  parameter [255:0] INIT_RAM_29 = 256'h0;
  parameter [255:0] INIT_RAM_2A = 256'h0;
  parameter [255:0] INIT_RAM_2B = 256'h0;
  parameter [255:0] INIT_RAM_2C = 256'h0;
  parameter [255:0] INIT_RAM_2D = 256'h0;
  parameter [255:0] INIT_RAM_2E = 256'h0;
  parameter [255:0] INIT_RAM_2F = 256'h0;
  parameter [255:0] INIT_RAM_30 = 256'h0;
  parameter [255:0] INIT_RAM_31 = 256'h0;
  parameter [255:0] INIT_RAM_32 = 256'h0;
  parameter [255:0] INIT_RAM_33 = 256'h0;
  parameter [255:0] INIT_RAM_34 = 256'h0;
  parameter [255:0] INIT_RAM_35 = 256'h0;
  parameter [255:0] INIT_RAM_36 = 256'h0;
  parameter [255:0] INIT_RAM_37 = 256'h0;
  parameter [255:0] INIT_RAM_38 = 256'h0;
  parameter [255:0] INIT_RAM_39 = 256'h0;
  parameter [255:0] INIT_RAM_3A = 256'h0;
  parameter [255:0] INIT_RAM_3B = 256'h0;
  parameter [255:0] INIT_RAM_3C = 256'h0;
  parameter [255:0] INIT_RAM_3D = 256'h0;
  parameter [255:0] INIT_RAM_3E = 256'h0;
  parameter [255:0] INIT_RAM_3F = 256'h0;

  localparam [16383:0] INITIAL = {
    INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A,
    INIT_RAM_39, INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34,
    INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E,
    INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
    INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22,
    INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C,
    INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
    INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
    INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A,
    INIT_RAM_09, INIT_RAM_08, INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04,
    INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
  };

  generate
    if (READ_MODE0 != 0 || READ_MODE1 != 0) begin : output_register
      $error("DPB: no model of output registers");
    end
    if (BLK_SEL_0 != 0 || BLK_SEL_1 != 0) begin : block_select
      $error("DPB: no model of BLK_SEL other than 0");
    end
  endgenerate

  wire active_a = CEA && BLKSELA == 3'd0;
  wire active_b = CEB && BLKSELB == 3'd0;
  wire [31:0] out_a, out_b;
  sephw_gowin_ram #(
      .UNIT(8),
      .WIDTH_A(BIT_WIDTH_0),
      .WIDTH_B(BIT_WIDTH_1),
      .THROUGH_A(WRITE_MODE0 == 1),
      .THROUGH_B(WRITE_MODE1 == 1),
      .ASYNCHRONOUS(RESET_MODE != "SYNC"),
      .INITIAL(INITIAL)
  ) ram (
      .clock_a(CLKA),
      .write_a(active_a && WREA),
      .read_a(active_a && !(WREA && WRITE_MODE0 == 0)),
      .reset_a(RESETA),
      .address_a(ADA),
      .in_a({16'd0, DIA}),
      .out_a(out_a),
      .clock_b(CLKB),
      .write_b(active_b && WREB),
      .read_b(active_b && !(WREB && WRITE_MODE1 == 0)),
      .reset_b(RESETB),
      .address_b(ADB),
      .in_b({16'd0, DIB}),
      .out_b(out_b)
  );
  assign DOA = out_a[15:0];
  assign DOB = out_b[15:0];
endmodule

// Two ports, each reads and writes: bytes of 9 bits, INIT_RAM_k holds 32 of them. In a cycle with
// a write, the port's data out stays (WRITE_MODE 0) or is the new word (1).
module DPX9B (
    input wire CLKA, CEA, WREA, RESETA, OCEA, CLKB, CEB, WREB, RESETB, OCEB,
    input wire [2:0] BLKSELA, BLKSELB,
    input wire [13:0] ADA, ADB,
    input wire [17:0] DIA, DIB,
    output wire [17:0] DOA, DOB
);
  parameter READ_MODE0 = 0;
  parameter READ_MODE1 = 0;
  parameter WRITE_MODE0 = 0;
  parameter WRITE_MODE1 = 0;
  parameter BIT_WIDTH_0 = 18;
  parameter BIT_WIDTH_1 = 18;
  parameter BLK_SEL_0 = 0;
  parameter BLK_SEL_1 = 0;
  parameter RESET_MODE = "SYNC";
  parameter [287:0] INIT_RAM_00 = 288'h0;
  parameter [287:0] INIT_RAM_01 = 288'h0;
  parameter [287:0] INIT_RAM_02 = 288'h0;
  parameter [287:0] INIT_RAM_03 = 288'h0;
  parameter [287:0] INIT_RAM_04 = 288'h0;
  parameter [287:0] INIT_RAM_05 = 288'h0;
  parameter [287:0] INIT_RAM_06 = 288'h0;
  parameter [287:0] INIT_RAM_07 = 288'h0;
  parameter [287:0] INIT_RAM_08 = 288'h0;
  parameter [287:0] INIT_RAM_09 = 288'h0;
  parameter [287:0] INIT_RAM_0A = 288'h0;
  parameter [287:0] INIT_RAM_0B = 288'h0;
  parameter [287:0] INIT_RAM_0C = 288'h0;
  parameter [287:0] INIT_RAM_0D = 288'h0;
  parameter [287:0] INIT_RAM_0E = 288'h0;
  parameter [287:0] INIT_RAM_0F = 288'h0;
  parameter [287:0] INIT_RAM_10 = 288'h0;
  parameter [287:0] INIT_RAM_11 = 288'h0;
  parameter [287:0] INIT_RAM_12 = 288'h0;
  parameter [287:0] INIT_RAM_13 = 288'h0;
  parameter [287:0] INIT_RAM_14 = 288'h0;
  parameter [287:0] INIT_RAM_15 = 288'h0;
  parameter [287:0] INIT_RAM_16 = 288'h0;
  parameter [287:0] INIT_RAM_17 = 288'h0;
  parameter [287:0] INIT_RAM_18 = 288'h0;
  parameter [287:0] INIT_RAM_19 = 288'h0;
  parameter [287:0] INIT_RAM_1A = 288'h0;
  parameter [287:0] INIT_RAM_1B = 288'h0;
  parameter [287:0] INIT_RAM_1C = 288'h0;
  parameter [287:0] INIT_RAM_1D = 288'h0;
  parameter [287:0] INIT_RAM_1E = 288'h0;
  parameter [287:0] INIT_RAM_1F = 288'h0;
  parameter [287:0] INIT_RAM_20 = 288'h0;
  parameter [287:0] INIT_RAM_21 = 288'h0;
  parameter [287:0] INIT_RAM_22 = 288'h0;
  parameter [287:0] INIT_RAM_23 = 288'h0;
  parameter [287:0] INIT_RAM_24 = 288'h0;
  parameter [287:0] INIT_RAM_25 = 288'h0;
  parameter [287:0] INIT_RAM_26 = 288'h0;
  parameter [287:0] INIT_RAM_27 = 288'h0;
  parameter [287:0] INIT_RAM_28 = 288'h0;
  parameter [287:0] INIT_RAM_29 = 288'h0;
  parameter [287:0] INIT_RAM_2A = 288'h0;
  parameter [287:0] INIT_RAM_2B = 288'h0;
  parameter [287:0] INIT_RAM_2C = 288'h0;
  parameter [287:0] INIT_RAM_2D = 288'h0;
  parameter [287:0] INIT_RAM_2E = 288'h0;
  parameter [287:0] INIT_RAM_2F = 288'h0;
  parameter [287:0] INIT_RAM_30 = 288'h0;
  parameter [287:0] INIT_RAM_31 = 288'h0;
  parameter [287:0] INIT_RAM_32 = 288'h0;
  parameter [287:0] INIT_RAM_33 = 288'h0;
  parameter [287:0] INIT_RAM_34 = 288'h0;
  parameter [287:0] INIT_RAM_35 = 288'h0;
  parameter [287:0] INIT_RAM_36 = 288'h0;
  parameter [287:0] INIT_RAM_37 = 288'h0;
  parameter [287:0] INIT_RAM_38 = 288'h0;
  parameter [287:0] INIT_RAM_39 = 288'h0;
  parameter [287:0] INIT_RAM_3A = 288'h0;
  parameter [287:0] INIT_RAM_3B = 288'h0;
  parameter [287:0] INIT_RAM_3C = 288'h0;
  parameter [287:0] INIT_RAM_3D = 288'h0;
  parameter [287:0] INIT_RAM_3E = 288'h0;
  parameter [287:0] INIT_RAM_3F = 288'h0;

  localparam [18431:0] INITIAL = {
    INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A,
    INIT_RAM_39, INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34,
    INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E,
    INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
    INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22,
    INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C,
    INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
    INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
    INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A,
    INIT_RAM_09, INIT_RAM_08, INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04,
    INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
  };

  generate
    if (READ_MODE0 != 0 || READ_MODE1 != 0) begin : output_register
      $error("DPX9B: no model of output registers");
    end
    if (BLK_SEL_0 != 0 || BLK_SEL_1 != 0) begin : block_select
      $error("DPX9B: no model of BLK_SEL other than 0");
    end
  endgenerate

  wire active_a = CEA && BLKSELA == 3'd0;
  wire active_b = CEB && BLKSELB == 3'd0;
  wire [35:0] out_a, out_b;
  sephw_gowin_ram #(
      .UNIT(9),
      .WIDTH_A(BIT_WIDTH_0),
      .WIDTH_B(BIT_WIDTH_1),
      .THROUGH_A(WRITE_MODE0 == 1),
      .THROUGH_B(WRITE_MODE1 == 1),
      .ASYNCHRONOUS(RESET_MODE != "SYNC"),
      .INITIAL(INITIAL)
  ) ram (
      .clock_a(CLKA),
      .write_a(active_a && WREA),
      .read_a(active_a && !(WREA && WRITE_MODE0 == 0)),
      .reset_a(RESETA),
      .address_a(ADA),
      .in_a({18'd0, DIA}),
      .out_a(out_a),
      .clock_b(CLKB),
      .write_b(active_b && WREB),
      .read_b(active_b && !(WREB && WRITE_MODE1 == 0)),
      .reset_b(RESETB),
      .address_b(ADB),
      .in_b({18'd0, DIB}),
      .out_b(out_b)
  );
  assign DOA = out_a[17:0];
  assign DOB = out_b[17:0];
endmodule

// One port: bytes of 8 bits, INIT_RAM_k holds 32 of them. In a cycle with a write, the data out
// stays (WRITE_MODE 0), or is the new word (1) or the old one (2).
module SP (
    input wire CLK, CE, WRE, RESET, OCE,
    input wire [2:0] BLKSEL,
    input wire [13:0] AD,
    input wire [31:0] DI,
    output wire [31:0] DO
);
  parameter READ_MODE = 0;
  parameter WRITE_MODE = 0;
  parameter BIT_WIDTH = 32;
  parameter BLK_SEL = 0;
  parameter RESET_MODE = "SYNC";
  parameter [255:0] INIT_RAM_00 = 256'h0;
  parameter [255:0] INIT_RAM_01 = 256'h0;
  parameter [255:0] INIT_RAM_02 = 256'h0;
  parameter [255:0] INIT_RAM_03 = 256'h0;
  parameter [255:0] INIT_RAM_04 = 256'h0;
  parameter [255:0] INIT_RAM_05 = 256'h0;
  parameter [255:0] INIT_RAM_06 = 256'h0;
  parameter [255:0] INIT_RAM_07 = 256'h0;
  parameter [255:0] INIT_RAM_08 = 256'h0;
  parameter [255:0] INIT_RAM_09 = 256'h0;
  parameter [255:0] INIT_RAM_0A = 256'h0;
  parameter [255:0] INIT_RAM_0B = 256'h0;
  parameter [255:0] INIT_RAM_0C = 256'h0;
  parameter [255:0] INIT_RAM_0D = 256'h0;
  parameter [255:0] INIT_RAM_0E = 256'h0;
  parameter [255:0] INIT_RAM_0F = 256'h0;
  parameter [255:0] INIT_RAM_10 = 256'h0;
  parameter [255:0] INIT_RAM_11 = 256'h0;
  parameter [255:0] INIT_RAM_12 = 256'h0;
  parameter [255:0] INIT_RAM_13 = 256'h0;
  parameter [255:0] INIT_RAM_14 = 256'h0;
  parameter [255:0] INIT_RAM_15 = 256'h0;
  parameter [255:0] INIT_RAM_16 = 256'h0;
  parameter [255:0] INIT_RAM_17 = 256'h0;
  parameter [255:0] INIT_RAM_18 = 256'h0;
  parameter [255:0] INIT_RAM_19 = 256'h0;
  parameter [255:0] INIT_RAM_1A = 256'h0;
  parameter [255:0] INIT_RAM_1B = 256'h0;
  parameter [255:0] INIT_RAM_1C = 256'h0;
  parameter [255:0] INIT_RAM_1D = 256'h0;
  parameter [255:0] INIT_RAM_1E = 256'h0;
  parameter [255:0] INIT_RAM_1F = 256'h0;
  parameter [255:0] INIT_RAM_20 = 256'h0;
  parameter [255:0] INIT_RAM_21 = 256'h0;
  parameter [255:0] INIT_RAM_22 = 256'h0;
  parameter [255:0] INIT_RAM_23 = 256'h0;
  parameter [255:0] INIT_RAM_24 = 256'h0;
  parameter [255:0] INIT_RAM_25 = 256'h0;
  parameter [255:0] INIT_RAM_26 = 256'h0;
  parameter [255:0] INIT_RAM_27 = 256'h0;
  parameter [255:0] INIT_RAM_28 = 256'h0;
  parameter [255:0] INIT_RAM_29 = 256'h0;
  parameter [255:0] INIT_RAM_2A = 256'h0;
  parameter [255:0] INIT_RAM_2B = 256'h0;
  parameter [255:0] INIT_RAM_2C = 256'h0;
  parameter [255:0] INIT_RAM_2D = 256'h0;
  parameter [255:0] INIT_RAM_2E = 256'h0;
  parameter [255:0] INIT_RAM_2F = 256'h0;
  parameter [255:0] INIT_RAM_30 = 256'h0;
  parameter [255:0] INIT_RAM_31 = 256'h0;
  parameter [255:0] INIT_RAM_32 = 256'h0;
  parameter [255:0] INIT_RAM_33 = 256'h0;
  parameter [255:0] INIT_RAM_34 = 256'h0;
  parameter [255:0] INIT_RAM_35 = 256'h0;
  parameter [255:0] INIT_RAM_36 = 256'h0;
  parameter [255:0] INIT_RAM_37 = 256'h0;
  parameter [255:0] INIT_RAM_38 = 256'h0;
  parameter [255:0] INIT_RAM_39 = 256'h0;
  parameter [255:0] INIT_RAM_3A = 256'h0;
  parameter [255:0] INIT_RAM_3B = 256'h0;
  parameter [255:0] INIT_RAM_3C = 256'h0;
  parameter [255:0] INIT_RAM_3D = 256'h0;
  parameter [255:0] INIT_RAM_3E = 256'h0;
  parameter [255:0] INIT_RAM_3F = 256'h0;

  localparam [16383:0] INITIAL = {
    INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A,
    INIT_RAM_39, INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34,
    INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E,
    INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
    INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22,
    INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C,
    INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
    INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
    INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A,
    INIT_RAM_09, INIT_RAM_08, INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04,
    INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
  };

  generate
    if (READ_MODE != 0) begin : output_register
      $error("SP: no model of output registers");
    end
    if (BLK_SEL != 0) begin : block_select
      $error("SP: no model of BLK_SEL other than 0");
    end
  endgenerate

  wire active = CE && BLKSEL == 3'd0;
  sephw_gowin_ram #(
      .UNIT(8),
      .WIDTH_A(BIT_WIDTH),
      .WIDTH_B(BIT_WIDTH),
      .THROUGH_A(WRITE_MODE == 1),
      .ASYNCHRONOUS(RESET_MODE != "SYNC"),
      .INITIAL(INITIAL)
  ) ram (
      .clock_a(CLK),
      .write_a(active && WRE),
      .read_a(active && !(WRE && WRITE_MODE == 0)),
      .reset_a(RESET),
      .address_a(AD),
      .in_a(DI),
      .out_a(DO),
      .clock_b(CLK),
      .write_b(1'b0),
      .read_b(1'b0),
      .reset_b(1'b0),
      .address_b(14'd0),
      .in_b(32'd0),
      .out_b()
  );
endmodule

// One port: bytes of 9 bits, INIT_RAM_k holds 32 of them. In a cycle with a write, the data out
// stays (WRITE_MODE 0), or is the new word (1) or the old one (2).
module SPX9 (
    input wire CLK, CE, WRE, RESET, OCE,
    input wire [2:0] BLKSEL,
    input wire [13:0] AD,
    input wire [35:0] DI,
    output wire [35:0] DO
);
  parameter READ_MODE = 0;
  parameter WRITE_MODE = 0;
  parameter BIT_WIDTH = 36;
  parameter BLK_SEL = 0;
  parameter RESET_MODE = "SYNC";
  parameter [287:0] INIT_RAM_00 = 288'h0;
  parameter [287:0] INIT_RAM_01 = 288'h0;
  parameter [287:0] INIT_RAM_02 = 288'h0;
  parameter [287:0] INIT_RAM_03 = 288'h0;
  parameter [287:0] INIT_RAM_04 = 288'h0;
  parameter [287:0] INIT_RAM_05 = 288'h0;
  parameter [287:0] INIT_RAM_06 = 288'h0;
  parameter [287:0] INIT_RAM_07 = 288'h0;
  parameter [287:0] INIT_RAM_08 = 288'h0;
  parameter [287:0] INIT_RAM_09 = 288'h0;
  parameter [287:0] INIT_RAM_0A = 288'h0;
  parameter [287:0] INIT_RAM_0B = 288'h0;
  parameter [287:0] INIT_RAM_0C = 288'h0;
  parameter [287:0] INIT_RAM_0D = 288'h0;
  parameter [287:0] INIT_RAM_0E = 288'h0;
  parameter [287:0] INIT_RAM_0F = 288'h0;
  parameter [287:0] INIT_RAM_10 = 288'h0;
  parameter [287:0] INIT_RAM_11 = 288'h0;
  parameter [287:0] INIT_RAM_12 = 288'h0;
  parameter [287:0] INIT_RAM_13 = 288'h0;
  parameter [287:0] INIT_RAM_14 = 288'h0;
  parameter [287:0] INIT_RAM_15 = 288'h0;
  parameter [287:0] INIT_RAM_16 = 288'h0;
  parameter [287:0] INIT_RAM_17 = 288'h0;
  parameter [287:0] INIT_RAM_18 = 288'h0;
  parameter [287:0] INIT_RAM_19 = 288'h0;
  parameter [287:0] INIT_RAM_1A = 288'h0;
  parameter [287:0] INIT_RAM_1B = 288'h0;
  parameter [287:0] INIT_RAM_1C = 288'h0;
  parameter [287:0] INIT_RAM_1D = 288'h0;
  parameter [287:0] INIT_RAM_1E = 288'h0;
  parameter [287:0] INIT_RAM_1F = 288'h0;
  parameter [287:0] INIT_RAM_20 = 288'h0;
  parameter [287:0] INIT_RAM_21 = 288'h0;
  parameter [287:0] INIT_RAM_22 = 288'h0;
  parameter [287:0] INIT_RAM_23 = 288'h0;
  parameter [287:0] INIT_RAM_24 = 288'h0;
  parameter [287:0] INIT_RAM_25 = 288'h0;
  parameter [287:0] INIT_RAM_26 = 288'h0;
  parameter [287:0] INIT_RAM_27 = 288'h0;
  parameter [287:0] INIT_RAM_28 = 288'h0;
  parameter [287:0] INIT_RAM_29 = 288'h0;
  parameter [287:0] INIT_RAM_2A = 288'h0;
  parameter [287:0] INIT_RAM_2B = 288'h0;
  parameter [287:0] INIT_RAM_2C = 288'h0;
  parameter [287:0] INIT_RAM_2D = 288'h0;
  parameter [287:0] INIT_RAM_2E = 288'h0;
  parameter [287:0] INIT_RAM_2F = 288'h0;
  parameter [287:0] INIT_RAM_30 = 288'h0;
  parameter [287:0] INIT_RAM_31 = 288'h0;
  parameter [287:0] INIT_RAM_32 = 288'h0;
  parameter [287:0] INIT_RAM_33 = 288'h0;
  parameter [287:0] INIT_RAM_34 = 288'h0;
  parameter [287:0] INIT_RAM_35 = 288'h0;
  parameter [287:0] INIT_RAM_36 = 288'h0;
  parameter [287:0] INIT_RAM_37 = 288'h0;
  parameter [287:0] INIT_RAM_38 = 288'h0;
  parameter [287:0] INIT_RAM_39 = 288'h0;
  parameter [287:0] INIT_RAM_3A = 288'h0;
  parameter [287:0] INIT_RAM_3B = 288'h0;
  parameter [287:0] INIT_RAM_3C = 288'h0;
  parameter [287:0] INIT_RAM_3D = 288'h0;
  parameter [287:0] INIT_RAM_3E = 288'h0;
  parameter [287:0] INIT_RAM_3F = 288'h0;

  localparam [18431:0] INITIAL = {
    INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A,
    INIT_RAM_39, INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34,
    INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E,
    INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
    INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22,
    INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C,
    INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
    INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
    INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A,
    INIT_RAM_09, INIT_RAM_08, INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04,
    INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
  };

  generate
    if (READ_MODE != 0) begin : output_register
      $error("SPX9: no model of output registers");
    end
    if (BLK_SEL != 0) begin : block_select
      $error("SPX9: no model of BLK_SEL other than 0");
    end
  endgenerate

  wire active = CE && BLKSEL == 3'd0;
  sephw_gowin_ram #(
      .UNIT(9),
      .WIDTH_A(BIT_WIDTH),
      .WIDTH_B(BIT_WIDTH),
      .THROUGH_A(WRITE_MODE == 1),
      .ASYNCHRONOUS(RESET_MODE != "SYNC"),
      .INITIAL(INITIAL)
  ) ram (
      .clock_a(CLK),
      .write_a(active && WRE),
      .read_a(active && !(WRE && WRITE_MODE == 0)),
      .reset_a(RESET),
      .address_a(AD),
      .in_a(DI),
      .out_a(DO),
      .clock_b(CLK),
      .write_b(1'b0),
      .read_b(1'b0),
      .reset_b(1'b0),
      .address_b(14'd0),
      .in_b(36'd0),
      .out_b()
  );
endmodule

// Distributed RAM of 16 words of 1 bit: synchronous write, asynchronous read; INIT_k holds bit k.
module RAM16SDP1 (
    input wire DI,
    input wire [3:0] WAD,
    input wire [3:0] RAD,
    input wire WRE,
    input wire CLK,
    output wire DO
);
  parameter [15:0] INIT_0 = 16'h0;

  reg [0:0] words[0:15];
  integer n;
  initial for (n = 0; n < 16; n = n + 1) words[n] = {INIT_0[n]};
  always @(posedge CLK) if (WRE) words[WAD] <= DI;
  assign DO = words[RAD];
endmodule

// Distributed RAM of 16 words of 2 bits: synchronous write, asynchronous read; INIT_k holds bit k.
module RAM16SDP2 (
    input wire [1:0] DI,
    input wire [3:0] WAD,
    input wire [3:0] RAD,
    input wire WRE,
    input wire CLK,
    output wire [1:0] DO
);
  parameter [15:0] INIT_0 = 16'h0;
  parameter [15:0] INIT_1 = 16'h0;

  reg [1:0] words[0:15];
  integer n;
  initial for (n = 0; n < 16; n = n + 1) words[n] = {INIT_1[n], INIT_0[n]};
  always @(posedge CLK) if (WRE) words[WAD] <= DI;
  assign DO = words[RAD];
endmodule

// Distributed RAM of 16 words of 4 bits: synchronous write, asynchronous read; INIT_k holds bit k.
module RAM16SDP4 (
    input wire [3:0] DI,
    input wire [3:0] WAD,
    input wire [3:0] RAD,
    input wire WRE,
    input wire CLK,
    output wire [3:0] DO
);
  parameter [15:0] INIT_0 = 16'h0;
  parameter [15:0] INIT_1 = 16'h0;
  parameter [15:0] INIT_2 = 16'h0;
  parameter [15:0] INIT_3 = 16'h0;

  reg [3:0] words[0:15];
  integer n;
  initial for (n = 0; n < 16; n = n + 1) words[n] = {INIT_3[n], INIT_2[n], INIT_1[n], INIT_0[n]};
  always @(posedge CLK) if (WRE) words[WAD] <= DI;
  assign DO = words[RAD];
endmodule

// Multiplier of 9 x 9 bits without registers, each side signed where its SIGN pin is 1.
module MULT9X9 (
    input wire [8:0] A,
    input wire [8:0] B,
    input wire ASIGN,
    input wire BSIGN,
    output wire [17:0] DOUT
);
  wire signed [17:0] wide_a = {{9{ASIGN & A[8]}}, A};
  wire signed [17:0] wide_b = {{9{BSIGN & B[8]}}, B};
  assign DOUT = wide_a * wide_b;
endmodule

// Multiplier of 18 x 18 bits without registers, each side signed where its SIGN pin is 1.
module MULT18X18 (
    input wire [17:0] A,
    input wire [17:0] B,
    input wire ASIGN,
    input wire BSIGN,
    output wire [35:0] DOUT
);
  wire signed [35:0] wide_a = {{18{ASIGN & A[17]}}, A};
  wire signed [35:0] wide_b = {{18{BSIGN & B[17]}}, B};
  assign DOUT = wide_a * wide_b;
endmodule

`default_nettype wire
