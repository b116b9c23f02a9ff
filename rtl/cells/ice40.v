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

// DSP block as a multiplier of 16 x 16 bits without registers, each side signed or not.
module SB_MAC16 (
    input wire [15:0] A,
    input wire [15:0] B,
    output wire [31:0] O
);
  parameter [0:0] A_SIGNED = 0;
  parameter [0:0] B_SIGNED = 0;

  wire signed [31:0] wide_a = {{16{A_SIGNED & A[15]}}, A};
  wire signed [31:0] wide_b = {{16{B_SIGNED & B[15]}}, B};
  assign O = wide_a * wide_b;
endmodule

`default_nettype wire
