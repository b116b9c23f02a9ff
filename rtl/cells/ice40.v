// Behavioural models of iCE40 memories and multipliers, for simulating a netlist.
//
// Written from the vendor's memory and DSP usage guides, for what synthesis infers. LUTs, carries
// and flip-flops are translated to expressions instead.
`default_nettype none

// Block RAM of 256 words of 16 bits, one read and one write port, both synchronous.
//
// READ_MODE, WRITE_MODE: 0, 1, 2, 3 for 16, 8, 4, 2 bits a word. A narrow word is spread over the
//   16 bits: the array is 16 bits wide in groups of 1, 2, 4 or 8, the address bits from 8 on choose
//   one bit of each group, and the group's data pin is its bit 0, 0, 1 or 3.
// MASK keeps the bits of a 16-bit write where it is 1; narrow writes have no mask.
// Timing: data out changes only where the read side is enabled, by RE and RCLKE. A word that is
//   read while it is written is not defined: this model then gives the complement of the old bits.
// Contents: INIT_k holds words 16k to 16k+15, lowest first.
module SB_RAM40_4K (
    output wire [15:0] RDATA,
    input wire RCLK,
    input wire RCLKE,
    input wire RE,
    input wire [10:0] RADDR,
    input wire WCLK,
    input wire WCLKE,
    input wire WE,
    input wire [10:0] WADDR,
    input wire [15:0] MASK,
    input wire [15:0] WDATA
);
  parameter [1:0] READ_MODE = 0;
  parameter [1:0] WRITE_MODE = 0;
  parameter [255:0] INIT_0 = 256'h0;
  parameter [255:0] INIT_1 = 256'h0;
  parameter [255:0] INIT_2 = 256'h0;
  parameter [255:0] INIT_3 = 256'h0;
  parameter [255:0] INIT_4 = 256'h0;
  parameter [255:0] INIT_5 = 256'h0;
  parameter [255:0] INIT_6 = 256'h0;
  parameter [255:0] INIT_7 = 256'h0;
  parameter [255:0] INIT_8 = 256'h0;
  parameter [255:0] INIT_9 = 256'h0;
  parameter [255:0] INIT_A = 256'h0;
  parameter [255:0] INIT_B = 256'h0;
  parameter [255:0] INIT_C = 256'h0;
  parameter [255:0] INIT_D = 256'h0;
  parameter [255:0] INIT_E = 256'h0;
  parameter [255:0] INIT_F = 256'h0;

  localparam [4095:0] INITIAL = {
    INIT_F, INIT_E, INIT_D, INIT_C, INIT_B, INIT_A, INIT_9, INIT_8,
    INIT_7, INIT_6, INIT_5, INIT_4, INIT_3, INIT_2, INIT_1, INIT_0
  };

  reg [15:0] words[0:255];
  integer n;
  initial for (n = 0; n < 256; n = n + 1) words[n] = INITIAL[16*n+:16];

  // The bits of a word that an address selects.
  function automatic [15:0] selected(input [1:0] mode, input [2:0] high);
    case (mode)
      2'd0: selected = 16'hFFFF;
      2'd1: selected = high[0] ? 16'hAAAA : 16'h5555;
      2'd2: selected = 16'h1111 << high[1:0];
      2'd3: selected = 16'h0101 << high;
    endcase
  endfunction

  // Data pins to all bits of their groups, and back.
  function automatic [15:0] spread(input [1:0] mode, input [15:0] data);
    integer k;
    for (k = 0; k < 16; k = k + 1)
      case (mode)
        2'd0: spread[k] = data[k];
        2'd1: spread[k] = data[k/2*2];
        2'd2: spread[k] = data[k/4*4+1];
        2'd3: spread[k] = data[k/8*8+3];
      endcase
  endfunction

  function automatic [15:0] gathered(input [1:0] mode, input [15:0] bits);
    integer k;
    gathered = 16'd0;
    for (k = 0; k < 16; k = k + 1)
      if (bits[k])
        case (mode)
          2'd0: gathered[k] = 1'b1;
          2'd1: gathered[k/2*2] = 1'b1;
          2'd2: gathered[k/4*4+1] = 1'b1;
          2'd3: gathered[k/8*8+3] = 1'b1;
        endcase
  endfunction

  wire [15:0] write = WE && WCLKE ? selected(WRITE_MODE, WADDR[10:8])
                      & (WRITE_MODE == 0 ? ~MASK : 16'hFFFF) : 16'd0;
  always @(posedge WCLK)
    if (write != 16'd0)
      words[WADDR[7:0]] <= (words[WADDR[7:0]] & ~write) | (spread(WRITE_MODE, WDATA) & write);

  wire [15:0] seen = words[RADDR[7:0]] ^ (RADDR[7:0] == WADDR[7:0] ? write : 16'd0);
  reg [15:0] read;
  always @(posedge RCLK)
    if (RE && RCLKE) read <= gathered(READ_MODE, seen & selected(READ_MODE, RADDR[10:8]));
  assign RDATA = read;
endmodule

// DSP block: 16 x 16 bits, each side signed or not, with its registers, adders and accumulator.
//
// *_REG: the input registers A to D, the product's (PIPELINE_16x16_MULT_REG1, with those of the
//   8 x 8 products) and the sum of partial products' (PIPELINE_16x16_MULT_REG2). CE enables all.
// The two adders of 16 bits, top and bottom: UPPERINPUT (0: the output register, 1: C or D) plus
//   or, where ADDSUB is 1, minus LOWERINPUT (0: A or B, 2: half of the product). CARRYSELECT: 0 and
//   1 are constants, of the bottom adder 3 is CI, of the top one 2 and 3 are the bottom's carry.
// OUTPUT_SELECT: 0: the adder or, where OLOAD is 1, C or D; 1: that from a register; 3: half of the
//   product.
// The two 8 x 8 multipliers by themselves, inverted clocks and cascades stop elaboration.
module SB_MAC16 (
    input wire CLK,
    input wire CE,
    input wire [15:0] A,
    input wire [15:0] B,
    input wire [15:0] C,
    input wire [15:0] D,
    input wire AHOLD, BHOLD, CHOLD, DHOLD,
    input wire IRSTTOP, IRSTBOT, ORSTTOP, ORSTBOT,
    input wire OLOADTOP, OLOADBOT, ADDSUBTOP, ADDSUBBOT, OHOLDTOP, OHOLDBOT,
    input wire CI, ACCUMCI, SIGNEXTIN,
    output wire [31:0] O,
    output wire CO, ACCUMCO, SIGNEXTOUT
);
  parameter NEG_TRIGGER = 0;
  parameter A_REG = 0;
  parameter B_REG = 0;
  parameter C_REG = 0;
  parameter D_REG = 0;
  parameter TOP_8x8_MULT_REG = 0;
  parameter BOT_8x8_MULT_REG = 0;
  parameter PIPELINE_16x16_MULT_REG1 = 0;
  parameter PIPELINE_16x16_MULT_REG2 = 0;
  parameter TOPOUTPUT_SELECT = 0;
  parameter BOTOUTPUT_SELECT = 0;
  parameter TOPADDSUB_LOWERINPUT = 0;
  parameter BOTADDSUB_LOWERINPUT = 0;
  parameter TOPADDSUB_UPPERINPUT = 0;
  parameter BOTADDSUB_UPPERINPUT = 0;
  parameter TOPADDSUB_CARRYSELECT = 0;
  parameter BOTADDSUB_CARRYSELECT = 0;
  parameter MODE_8x8 = 0;
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;

  generate
    if (NEG_TRIGGER != 0) begin : clock_edge
      $error("SB_MAC16: no model of inverted clocks");
    end
    if (MODE_8x8 != 0 || TOPOUTPUT_SELECT == 2 || BOTOUTPUT_SELECT == 2
        || TOPADDSUB_LOWERINPUT == 1 || BOTADDSUB_LOWERINPUT == 1
        || TOP_8x8_MULT_REG != PIPELINE_16x16_MULT_REG1
        || BOT_8x8_MULT_REG != PIPELINE_16x16_MULT_REG1) begin : halves
      $error("SB_MAC16: no model of the 8 x 8 multipliers by themselves");
    end
    if (TOPADDSUB_LOWERINPUT == 3 || BOTADDSUB_LOWERINPUT == 3
        || BOTADDSUB_CARRYSELECT == 2) begin : cascade
      $error("SB_MAC16: no model of cascades");
    end
  endgenerate

  reg [15:0] a_register, b_register, c_register, d_register;
  always @(posedge CLK, posedge IRSTTOP)
    if (IRSTTOP) begin
      a_register <= 16'd0;
      c_register <= 16'd0;
    end else if (CE) begin
      if (!AHOLD) a_register <= A;
      if (!CHOLD) c_register <= C;
    end
  always @(posedge CLK, posedge IRSTBOT)
    if (IRSTBOT) begin
      b_register <= 16'd0;
      d_register <= 16'd0;
    end else if (CE) begin
      if (!BHOLD) b_register <= B;
      if (!DHOLD) d_register <= D;
    end
  wire [15:0] a = A_REG != 0 ? a_register : A;
  wire [15:0] b = B_REG != 0 ? b_register : B;
  wire [15:0] c = C_REG != 0 ? c_register : C;
  wire [15:0] d = D_REG != 0 ? d_register : D;

  // A product is four of 8 x 8 bits: high and low halves of a, of b; the high half has the sign.
  wire signed [16:0] a_high = {{9{A_SIGNED != 0 && a[15]}}, a[15:8]};
  wire signed [16:0] b_high = {{9{B_SIGNED != 0 && b[15]}}, b[15:8]};
  wire signed [16:0] a_low = {9'd0, a[7:0]};
  wire signed [16:0] b_low = {9'd0, b[7:0]};
  reg signed [16:0] high_high, low_high, high_low, low_low;
  always @(posedge CLK, posedge IRSTTOP)
    if (IRSTTOP) begin
      high_high <= 17'd0;
      low_high <= 17'd0;
    end else if (CE) begin
      high_high <= a_high * b_high;
      low_high <= a_low * b_high;
    end
  always @(posedge CLK, posedge IRSTBOT)
    if (IRSTBOT) begin
      high_low <= 17'd0;
      low_low <= 17'd0;
    end else if (CE) begin
      high_low <= a_high * b_low;
      low_low <= a_low * b_low;
    end
  wire signed [31:0] wide_a = {{16{A_SIGNED != 0 && a[15]}}, a};
  wire signed [31:0] wide_b = {{16{B_SIGNED != 0 && b[15]}}, b};
  wire signed [31:0] from_registers = (32'(high_high) <<< 16) + (32'(low_high) <<< 8)
                                      + (32'(high_low) <<< 8) + 32'(low_low);
  wire signed [31:0] from_inputs = wide_a * wide_b;
  wire [31:0] sum = PIPELINE_16x16_MULT_REG1 != 0 ? from_registers : from_inputs;
  reg [31:0] stage_2;
  always @(posedge CLK, posedge IRSTBOT)
    if (IRSTBOT) stage_2 <= 32'd0;
    else if (CE) stage_2 <= sum;
  wire [31:0] h = PIPELINE_16x16_MULT_REG2 != 0 ? stage_2 : sum;

  // Minus is the complement of (complement of upper, plus lower): its carry is a borrow.
  reg [15:0] top_register, bottom_register;
  wire bottom_carry_in = BOTADDSUB_CARRYSELECT == 3 ? CI : BOTADDSUB_CARRYSELECT == 1;
  wire [15:0] bottom_upper = BOTADDSUB_UPPERINPUT != 0 ? d : bottom_register;
  wire [15:0] bottom_lower = BOTADDSUB_LOWERINPUT == 2 ? h[15:0] : b;
  wire [16:0] bottom_sum = {1'b0, bottom_upper ^ {16{ADDSUBBOT}}} + bottom_lower + bottom_carry_in;
  wire [15:0] bottom = OLOADBOT ? d : bottom_sum[15:0] ^ {16{ADDSUBBOT}};

  wire top_carry_in = TOPADDSUB_CARRYSELECT == 3 ? bottom_sum[16] ^ ADDSUBBOT
                      : TOPADDSUB_CARRYSELECT == 2 ? bottom_sum[16] : TOPADDSUB_CARRYSELECT == 1;
  wire [15:0] top_upper = TOPADDSUB_UPPERINPUT != 0 ? c : top_register;
  wire [15:0] top_lower = TOPADDSUB_LOWERINPUT == 2 ? h[31:16] : a;
  wire [16:0] top_sum = {1'b0, top_upper ^ {16{ADDSUBTOP}}} + top_lower + top_carry_in;
  wire [15:0] top = OLOADTOP ? c : top_sum[15:0] ^ {16{ADDSUBTOP}};

  always @(posedge CLK, posedge ORSTTOP)
    if (ORSTTOP) top_register <= 16'd0;
    else if (CE && !OHOLDTOP) top_register <= top;
  always @(posedge CLK, posedge ORSTBOT)
    if (ORSTBOT) bottom_register <= 16'd0;
    else if (CE && !OHOLDBOT) bottom_register <= bottom;

  assign O[31:16] = TOPOUTPUT_SELECT == 0 ? top : TOPOUTPUT_SELECT == 1 ? top_register : h[31:16];
  assign O[15:0] = BOTOUTPUT_SELECT == 0 ? bottom : BOTOUTPUT_SELECT == 1 ? bottom_register : h[15:0];
  assign ACCUMCO = top_sum[16];
  assign CO = top_sum[16] ^ ADDSUBTOP;
  assign SIGNEXTOUT = top_lower[15];
endmodule

`default_nettype wire
