// Behavioural models of ECP5 memories and multipliers, for simulating a netlist.
//
// Written from the vendor's memory and DSP usage guides, for what synthesis infers: block RAM
// without output registers, multipliers without registers. Anything else stops elaboration.
// LUTs, carries, multiplexers and flip-flops are translated to expressions instead.
// Ports and parameters are the vendor's, pin by pin; names and order follow the netlist.
`default_nettype none

// Block RAM of 1024 words of 18 bits (two bytes of 9), two ports of 1, 2, 4, 9, 18 or, as pseudo
// dual port (A writes, B reads), 36 bits.
//
// Address: bits 13..4 choose the 18-bit word, those below a part of it; ports of 18 and 36 bits
//   have byte enables for the write there. Ports of 1, 2 and 4 bits do not see a byte's 9th bit.
// Timing: synchronous read and write; data out holds between reads. A write shows on its own
//   port's output as WRITEMODE says: NORMAL not at all, WRITETHROUGH the new word,
//   READBEFOREWRITE the old one.
// Where one port reads what the other writes in the same cycle, the vendor promises nothing: this
//   model then gives the complement of the old bits, so that nothing comes to depend on it.
// Contents: INITVAL_xx holds 16 words of 18 bits, 20 bits apart. Outputs start at 0.
module DP16KD (
    input wire DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9,
    input wire DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
    input wire ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7,
    input wire ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input wire CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output wire DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9,
    output wire DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
    input wire DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9,
    input wire DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
    input wire ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7,
    input wire ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input wire CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output wire DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
    output wire DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);
  parameter DATA_WIDTH_A = 18;
  parameter DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG";
  parameter REGMODE_B = "NOREG";
  parameter RESETMODE = "SYNC";
  parameter ASYNC_RESET_RELEASE = "SYNC";
  parameter CSDECODE_A = "0b000";
  parameter CSDECODE_B = "0b000";
  parameter WRITEMODE_A = "NORMAL";
  parameter WRITEMODE_B = "NORMAL";
  parameter CLKAMUX = "CLKA";
  parameter CLKBMUX = "CLKB";
  parameter GSR = "ENABLED";
  parameter [319:0] INITVAL_00 = 320'h0;
  parameter [319:0] INITVAL_01 = 320'h0;
  parameter [319:0] INITVAL_02 = 320'h0;
  parameter [319:0] INITVAL_03 = 320'h0;
  parameter [319:0] INITVAL_04 = 320'h0;
  parameter [319:0] INITVAL_05 = 320'h0;
  parameter [319:0] INITVAL_06 = 320'h0;
  parameter [319:0] INITVAL_07 = 320'h0;
  parameter [319:0] INITVAL_08 = 320'h0;
  parameter [319:0] INITVAL_09 = 320'h0;
  parameter [319:0] INITVAL_0A = 320'h0;
  parameter [319:0] INITVAL_0B = 320'h0;
  parameter [319:0] INITVAL_0C = 320'h0;
  parameter [319:0] INITVAL_0D = 320'h0;
  parameter [319:0] INITVAL_0E = 320'h0;
  parameter [319:0] INITVAL_0F = 320'h0;
  parameter [319:0] INITVAL_10 = 320'h0;
  parameter [319:0] INITVAL_11 = 320'h0;
  parameter [319:0] INITVAL_12 = 320'h0;
  parameter [319:0] INITVAL_13 = 320'h0;
  parameter [319:0] INITVAL_14 = 320'h0;
  parameter [319:0] INITVAL_15 = 320'h0;
  parameter [319:0] INITVAL_16 = 320'h0;
  parameter [319:0] INITVAL_17 = 320'h0;
  parameter [319:0] INITVAL_18 = 320'h0;
  parameter [319:0] INITVAL_19 = 320'h0;
  parameter [319:0] INITVAL_1A = 320'h0;
  parameter [319:0] INITVAL_1B = 320'h0;
  parameter [319:0] INITVAL_1C = 320'h0;
  parameter [319:0] INITVAL_1D = 320'h0;
  parameter [319:0] INITVAL_1E = 320'h0;
  parameter [319:0] INITVAL_1F = 320'h0;
  parameter [319:0] INITVAL_20 = 320'h0;
  parameter [319:0] INITVAL_21 = 320'h0;
  parameter [319:0] INITVAL_22 = 320'h0;
  parameter [319:0] INITVAL_23 = 320'h0;
  parameter [319:0] INITVAL_24 = 320'h0;
  parameter [319:0] INITVAL_25 = 320'h0;
  parameter [319:0] INITVAL_26 = 320'h0;
  parameter [319:0] INITVAL_27 = 320'h0;
  parameter [319:0] INITVAL_28 = 320'h0;
  parameter [319:0] INITVAL_29 = 320'h0;
  parameter [319:0] INITVAL_2A = 320'h0;
  parameter [319:0] INITVAL_2B = 320'h0;
  parameter [319:0] INITVAL_2C = 320'h0;
  parameter [319:0] INITVAL_2D = 320'h0;
  parameter [319:0] INITVAL_2E = 320'h0;
  parameter [319:0] INITVAL_2F = 320'h0;
  parameter [319:0] INITVAL_30 = 320'h0;
  parameter [319:0] INITVAL_31 = 320'h0;
  parameter [319:0] INITVAL_32 = 320'h0;
  parameter [319:0] INITVAL_33 = 320'h0;
  parameter [319:0] INITVAL_34 = 320'h0;
  parameter [319:0] INITVAL_35 = 320'h0;
  parameter [319:0] INITVAL_36 = 320'h0;
  parameter [319:0] INITVAL_37 = 320'h0;
  parameter [319:0] INITVAL_38 = 320'h0;
  parameter [319:0] INITVAL_39 = 320'h0;
  parameter [319:0] INITVAL_3A = 320'h0;
  parameter [319:0] INITVAL_3B = 320'h0;
  parameter [319:0] INITVAL_3C = 320'h0;
  parameter [319:0] INITVAL_3D = 320'h0;
  parameter [319:0] INITVAL_3E = 320'h0;
  parameter [319:0] INITVAL_3F = 320'h0;

  localparam [64*320-1:0] INITIAL = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
    INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
    INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
    INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
    INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
    INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
    INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
  };

  generate
    if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG") begin : output_register
      $error("DP16KD: no model of output registers");
    end
    if (CSDECODE_A != "0b000" || CSDECODE_B != "0b000") begin : chip_select
      $error("DP16KD: no model of CSDECODE other than 0b000");
    end
    if (CLKAMUX != "CLKA" || CLKBMUX != "CLKB") begin : clock_edge
      $error("DP16KD: no model of inverted clocks");
    end
  endgenerate

  // Pairs of 18-bit words, the even one in the low bits: what a port of 36 bits sees.
  reg [35:0] pairs[0:511];
  integer n;
  initial
    for (n = 0; n < 512; n = n + 1) pairs[n] = {INITIAL[40*n+20+:18], INITIAL[40*n+:18]};

  wire [13:0] address_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3,
                           ADA2, ADA1, ADA0};
  wire [13:0] address_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3,
                           ADB2, ADB1, ADB0};
  wire [17:0] in_a = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7,
                      DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire [17:0] in_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7,
                      DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
  wire active_a = CEA && {CSA2, CSA1, CSA0} == 3'b000;
  wire active_b = CEB && {CSB2, CSB1, CSB0} == 3'b000;

  // Where a port's bits lie in their pair.
  function automatic [5:0] offset(input integer width, input [4:0] low);
    case (width)
      36: offset = 6'd0;
      18: offset = low[4] ? 6'd18 : 6'd0;
      9: offset = (low[4] ? 6'd18 : 6'd0) + (low[3] ? 6'd9 : 6'd0);
      4: offset = (low[4] ? 6'd18 : 6'd0) + (low[3] ? 6'd9 : 6'd0) + {3'd0, low[2], 2'd0};
      2: offset = (low[4] ? 6'd18 : 6'd0) + (low[3] ? 6'd9 : 6'd0) + {3'd0, low[2:1], 1'd0};
      default: offset = (low[4] ? 6'd18 : 6'd0) + (low[3] ? 6'd9 : 6'd0) + {3'd0, low[2:0]};
    endcase
  endfunction

  function automatic [35:0] ones(input integer width);
    ones = {36{1'b1}} >> (36 - width);
  endfunction

  // The bits that a port writes, from its byte enables and its place in the pair.
  function automatic [35:0] written(input integer width, input [4:0] low);
    case (width)
      36: written = {{9{low[3]}}, {9{low[2]}}, {9{low[1]}}, {9{low[0]}}};
      18: written = {18'd0, {9{low[1]}}, {9{low[0]}}} << offset(width, low);
      default: written = ones(width) << offset(width, low);
    endcase
  endfunction

  wire [8:0] pair_a = address_a[13:5];
  wire [8:0] pair_b = address_b[13:5];
  wire [35:0] data_a = DATA_WIDTH_A == 36 ? {in_b, in_a}
                       : {18'd0, in_a} << offset(DATA_WIDTH_A, address_a[4:0]);
  wire [35:0] data_b = {18'd0, in_b} << offset(DATA_WIDTH_B, address_b[4:0]);
  wire [35:0] mask_a = active_a && WEA ? written(DATA_WIDTH_A, address_a[4:0]) : 36'd0;
  // A port of 36 bits takes the other one's pins, so it is B that reads.
  wire [35:0] mask_b = active_b && WEB && DATA_WIDTH_A != 36 && DATA_WIDTH_B != 36
                       ? written(DATA_WIDTH_B, address_b[4:0]) : 36'd0;
  wire [35:0] old_a = pairs[pair_a] ^ (pair_a == pair_b ? mask_b : 36'd0);
  wire [35:0] old_b = pairs[pair_b] ^ (pair_a == pair_b ? mask_a : 36'd0);

  // Both ports may write parts of one pair; of a bit that both write, B's value stays.
  wire [35:0] also_a = pair_a == pair_b ? mask_a & ~mask_b : 36'd0;
  wire [35:0] also_b = pair_a == pair_b ? mask_b : 36'd0;
  always @(posedge CLKA)
    if (mask_a != 36'd0)
      pairs[pair_a] <= (pairs[pair_a] & ~mask_a & ~also_b) | (data_a & mask_a & ~also_b)
                       | (data_b & also_b);
  always @(posedge CLKB)
    if (mask_b != 36'd0)
      pairs[pair_b] <= (pairs[pair_b] & ~mask_b & ~also_a) | (data_b & mask_b)
                       | (data_a & also_a);

  reg [35:0] read_a = 36'd0;
  reg [35:0] read_b = 36'd0;
  wire [35:0] new_a = WRITEMODE_A == "WRITETHROUGH" ? (old_a & ~mask_a) | (data_a & mask_a) : old_a;
  wire [35:0] new_b = WRITEMODE_B == "WRITETHROUGH" ? (old_b & ~mask_b) | (data_b & mask_b) : old_b;

  generate
    if (RESETMODE == "ASYNC") begin : asynchronous
      always @(posedge CLKA, posedge RSTA)
        if (RSTA) read_a <= 36'd0;
        else if (active_a && !(WEA && WRITEMODE_A == "NORMAL"))
          read_a <= (new_a >> offset(DATA_WIDTH_A, address_a[4:0])) & ones(DATA_WIDTH_A);
      always @(posedge CLKB, posedge RSTB)
        if (RSTB) read_b <= 36'd0;
        else if (active_b && !(WEB && WRITEMODE_B == "NORMAL"))
          read_b <= (new_b >> offset(DATA_WIDTH_B, address_b[4:0])) & ones(DATA_WIDTH_B);
    end else begin : synchronous
      always @(posedge CLKA)
        if (RSTA) read_a <= 36'd0;
        else if (active_a && !(WEA && WRITEMODE_A == "NORMAL"))
          read_a <= (new_a >> offset(DATA_WIDTH_A, address_a[4:0])) & ones(DATA_WIDTH_A);
      always @(posedge CLKB)
        if (RSTB) read_b <= 36'd0;
        else if (active_b && !(WEB && WRITEMODE_B == "NORMAL"))
          read_b <= (new_b >> offset(DATA_WIDTH_B, address_b[4:0])) & ones(DATA_WIDTH_B);
    end
  endgenerate

  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
          DOA4, DOA3, DOA2, DOA1, DOA0} = DATA_WIDTH_B == 36 ? read_b[17:0] : read_a[17:0];
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
          DOB4, DOB3, DOB2, DOB1, DOB0} = DATA_WIDTH_B == 36 ? read_b[35:18] : read_b[17:0];
endmodule

// Multiplier of 18 x 18 bits without registers: P = A * B, each signed where its SIGNED pin is 1.
module MULT18X18D (
    input wire A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6,
    input wire A5, A4, A3, A2, A1, A0,
    input wire B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6,
    input wire B5, B4, B3, B2, B1, B0,
    input wire C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6,
    input wire C5, C4, C3, C2, C1, C0,
    input wire SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    input wire CLK0, CE0, RST0,
    output wire P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24,
    output wire P23, P22, P21, P20, P19, P18, P17, P16, P15, P14, P13, P12,
    output wire P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
  parameter REG_INPUTA_CLK = "NONE";
  parameter REG_INPUTB_CLK = "NONE";
  parameter REG_INPUTC_CLK = "NONE";
  parameter REG_PIPELINE_CLK = "NONE";
  parameter REG_OUTPUT_CLK = "NONE";
  parameter REG_OUTPUT_CE = "CE0";
  parameter REG_OUTPUT_RST = "RST0";
  parameter CLK0_DIV = "ENABLED";
  parameter GSR = "ENABLED";
  parameter RESETMODE = "SYNC";

  generate
    if (REG_INPUTA_CLK != "NONE" || REG_INPUTB_CLK != "NONE" || REG_INPUTC_CLK != "NONE"
        || REG_PIPELINE_CLK != "NONE") begin : registers
      $error("MULT18X18D: no model of its registers but those of the output");
    end
    if (REG_OUTPUT_CLK != "NONE"
        && (REG_OUTPUT_CLK != "CLK0" || REG_OUTPUT_CE != "CE0" || REG_OUTPUT_RST != "RST0"
            || CLK0_DIV != "ENABLED" || GSR != "DISABLED" || RESETMODE != "SYNC"))
      begin : controls
      $error("MULT18X18D: no model of such controls of its output");
    end
  endgenerate

  wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1,
      A0};
  wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1,
      B0};
  wire signed [35:0] wide_a = {{18{SIGNEDA & a[17]}}, a};
  wire signed [35:0] wide_b = {{18{SIGNEDB & b[17]}}, b};
  wire [35:0] full = wide_a * wide_b;
  wire [35:0] result;

  generate
    if (REG_OUTPUT_CLK != "NONE") begin : registered
      reg [35:0] kept = 36'b0;
      always @(posedge CLK0) begin
        if (RST0) kept <= 36'b0;
        else if (CE0) kept <= full;
      end
      assign result = kept;
    end else begin : direct
      wire unused = &{1'b0, CLK0, CE0, RST0};
      assign result = full;
    end
  endgenerate

  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19,
      P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = result;
endmodule

// Distributed RAM of 16 words of 4 bits: synchronous write, asynchronous read.
//
// WCKMUX: WCK or INV; WREMUX: WRE, INV, or a constant 0 or 1. Contents: word k in bits 4k to 4k+3.
module TRELLIS_DPR16X4 (
    input wire [3:0] DI,
    input wire [3:0] WAD,
    input wire WRE,
    input wire WCK,
    input wire [3:0] RAD,
    output wire [3:0] DO
);
  parameter WCKMUX = "WCK";
  parameter WREMUX = "WRE";
  parameter [63:0] INITVAL = 64'h0;

  reg [3:0] words[0:15];
  integer n;
  initial for (n = 0; n < 16; n = n + 1) words[n] = INITVAL[4*n+:4];

  wire write = WREMUX == "INV" ? !WRE : WREMUX == "0" ? 1'b0 : WREMUX == "1" ? 1'b1 : WRE;
  assign DO = words[RAD];

  generate
    if (WCKMUX == "INV") begin : falling
      always @(negedge WCK) if (write) words[WAD] <= DI;
    end else begin : rising
      always @(posedge WCK) if (write) words[WAD] <= DI;
    end
  endgenerate
endmodule

`default_nettype wire
