// One reply of the host link as bytes: header, then what its type says (docs/host.md).
//
// Parameters: OUT_* as sephw_link; BUILD_ID is told by the identity.
// `start` sends the reply that the inputs describe; they stay as they are until `sending` is down.
// Timing: `data` and `data_last` are right from the fifth cycle after `start` or a `data_ready` on,
//   two of them because `value` comes from sephw_link_sink; sephw_link_transmit waits longer. So
//   the choice among some thirty bytes is in nobody's critical path.
`default_nettype none

module sephw_link_reply #(
    parameter int IMAGE_BYTES = 16,
    parameter int OUT_LANES = 1,
    parameter int OUT_BITS = 8,
    parameter int OUT_WORDS = 1,
    parameter bit OUT_SIGNED = 1'b0,
    parameter logic [63:0] BUILD_ID = 64'd0,
    parameter int VALUE_BITS = 8,
    parameter int ADDRESS_BITS = OUT_WORDS > 1 ? $clog2(OUT_WORDS) : 1,
    parameter int LANE_BITS = OUT_LANES > 1 ? $clog2(OUT_LANES) : 1
) (
    input  wire                     clk,
    input  wire                     rst_n,
    input  wire                     start,
    output logic                    sending,
    input  wire  [             7:0] kind,
    input  wire  [            15:0] sequence_number,
    input  wire  [            31:0] request_crc,
    input  wire  [             7:0] flags,
    input  wire  [            39:0] cycles,
    input  wire  [            15:0] damaged,
    input  wire  [             7:0] reason,
    input  wire  [            31:0] clock_cycles,
    output logic [ADDRESS_BITS-1:0] word,
    output logic [   LANE_BITS-1:0] select,
    input  wire  [  VALUE_BITS-1:0] value,
    output wire                     data_valid,
    input  wire                     data_ready,
    output logic [             7:0] data,
    output logic                    data_last
);
  localparam logic [7:0] IDENTITY = 8'h81, RESULT = 8'h82, FAILURE = 8'hFF;
  localparam logic [7:0] PROTOCOL = 8'd2;
  localparam int IDENTITY_BYTES = 15, RESULT_BYTES = 9, STATUS_BYTES = 3, FAILURE_BYTES = 1;
  localparam int VALUE_BYTES = VALUE_BITS / 8;
  localparam int BYTE_BITS = VALUE_BYTES > 1 ? $clog2(VALUE_BYTES) : 1;
  localparam logic [1:0] REQUEST = 2'd0, BUILD = 2'd1, FIXED = 2'd2, VALUES = 2'd3;
  localparam logic [87:0] SIZES = {
    7'd0,
    OUT_SIGNED,
    8'(OUT_BITS),
    32'(OUT_LANES * OUT_WORDS),
    32'(IMAGE_BYTES),
    PROTOCOL
  };

  // Where we are: a part of the reply, and a byte of it.
  logic [1:0] part;
  logic [3:0] at;
  logic [3:0] last_at;
  logic [BYTE_BITS-1:0] value_byte;
  wire last_byte = value_byte == BYTE_BITS'(VALUE_BYTES - 1);
  wire last_lane = select == LANE_BITS'(OUT_LANES - 1);
  wire last_word = word == ADDRESS_BITS'(OUT_WORDS - 1);
  logic part_ends;

  always_comb begin
    case (part)
      REQUEST: last_at = 4'd6;
      BUILD:   last_at = 4'd7;
      default: begin
        case (kind)
          IDENTITY: last_at = 4'(IDENTITY_BYTES - 1);
          RESULT:   last_at = 4'(RESULT_BYTES - 1);
          FAILURE:  last_at = 4'(FAILURE_BYTES - 1);
          default:  last_at = 4'(STATUS_BYTES - 1);
        endcase
      end
    endcase
  end

  // A byte of every part, then the one of ours.
  wire [63:0] request = {8'd0, request_crc, sequence_number, kind};
  wire [127:0] result = {80'd0, cycles, flags};
  wire [31:0] status = {8'd0, damaged, flags};
  wire [127:0] identity = {8'd0, clock_cycles, SIZES};
  logic [7:0] request_byte, build_byte, identity_byte, result_byte, status_byte, output_byte;

  always_ff @(posedge clk) begin
    request_byte  <= request[8*at[2:0]+:8];
    build_byte    <= BUILD_ID[8*at[2:0]+:8];
    identity_byte <= identity[8*at+:8];
    result_byte   <= result[8*at+:8];
    status_byte   <= kind == FAILURE ? reason : status[8*at[1:0]+:8];
    output_byte   <= value[8*value_byte+:8];
    case (part)
      REQUEST: data <= request_byte;
      BUILD:   data <= build_byte;
      FIXED:
      data <= kind == IDENTITY ? identity_byte : kind == RESULT ? result_byte : status_byte;
      default: data <= output_byte;
    endcase
    part_ends <= part == VALUES ? last_byte && last_lane && last_word : at == last_at;
    data_last <= part_ends && (part == VALUES || (part == FIXED && kind != RESULT));
  end
  assign data_valid = sending;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      sending <= 1'b0;
    end else if (start) begin
      sending    <= 1'b1;
      part       <= REQUEST;
      at         <= '0;
      value_byte <= '0;
      select     <= '0;
      word       <= '0;
    end else if (data_valid && data_ready) begin
      if (data_last) sending <= 1'b0;
      at <= part_ends ? '0 : at + 1'b1;
      if (part_ends) part <= part + 1'b1;
      if (part == VALUES) begin
        value_byte <= last_byte ? '0 : value_byte + 1'b1;
        if (last_byte) begin
          select <= last_lane ? '0 : select + 1'b1;
          if (last_lane) word <= word + 1'b1;
        end
      end
    end
  end
endmodule

`default_nettype wire
