// One reply of the host link as bytes: header, then what its type says (docs/host.md).
//
// Parameters: OUT_* as sephw_link; CLOCK_HZ and BUILD_ID are told by the identity.
// `start` sends the reply that the inputs describe; they stay as they are until `sending` is down.
// Output values come from sephw_link_sink, two cycles after `word` and `select` change: bytes of a
//   UART are further apart than that.
`default_nettype none

module sephw_link_reply #(
    parameter int IMAGE_BYTES = 16,
    parameter int OUT_LANES = 1,
    parameter int OUT_BITS = 8,
    parameter int OUT_WORDS = 1,
    parameter bit OUT_SIGNED = 1'b0,
    parameter int CLOCK_HZ = 1000000,
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
    output logic [ADDRESS_BITS-1:0] word,
    output logic [   LANE_BITS-1:0] select,
    input  wire  [  VALUE_BITS-1:0] value,
    output wire                     data_valid,
    input  wire                     data_ready,
    output wire  [             7:0] data,
    output wire                     data_last
);
  localparam logic [7:0] IDENTITY = 8'h81, RESULT = 8'h82, FAILURE = 8'hFF;
  localparam logic [7:0] PROTOCOL = 8'd1;
  localparam int HEADER = 15;
  localparam int IDENTITY_BYTES = 15, RESULT_BYTES = 9, STATUS_BYTES = 3, FAILURE_BYTES = 1;
  localparam int VALUE_BYTES = VALUE_BITS / 8;
  localparam int BYTE_BITS = VALUE_BYTES > 1 ? $clog2(VALUE_BYTES) : 1;
  localparam int TOP = 8 * IDENTITY_BYTES;

  logic [4:0] at;  // byte of header and fixed part
  logic in_values;
  logic [BYTE_BITS-1:0] value_byte;
  logic [TOP-1:0] fixed;
  logic [4:0] last_fixed;
  wire [8*HEADER-1:0] header = {BUILD_ID, request_crc, sequence_number, kind};
  wire last_byte = value_byte == BYTE_BITS'(VALUE_BYTES - 1);
  wire last_lane = select == LANE_BITS'(OUT_LANES - 1);
  wire last_word = word == ADDRESS_BITS'(OUT_WORDS - 1);
  wire fixed_ends = !in_values && at == last_fixed;

  always_comb begin
    case (kind)
      IDENTITY: begin
        fixed = {
          32'(CLOCK_HZ),
          7'd0,
          OUT_SIGNED,
          8'(OUT_BITS),
          32'(OUT_LANES * OUT_WORDS),
          32'(IMAGE_BYTES),
          PROTOCOL
        };
        last_fixed = 5'(HEADER + IDENTITY_BYTES - 1);
      end
      RESULT: begin
        fixed = TOP'({24'd0, cycles, flags});
        last_fixed = 5'(HEADER + RESULT_BYTES - 1);
      end
      FAILURE: begin
        fixed = TOP'(reason);
        last_fixed = 5'(HEADER + FAILURE_BYTES - 1);
      end
      default: begin
        fixed = TOP'({damaged, flags});
        last_fixed = 5'(HEADER + STATUS_BYTES - 1);
      end
    endcase
  end

  wire [TOP+8*HEADER-1:0] bytes = {fixed, header};
  assign data_valid = sending;
  assign data = in_values ? value[8*value_byte+:8] : bytes[8*at+:8];
  assign data_last = in_values ? last_byte && last_lane && last_word : fixed_ends && kind != RESULT;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      sending <= 1'b0;
    end else if (start) begin
      sending    <= 1'b1;
      in_values  <= 1'b0;
      at         <= '0;
      value_byte <= '0;
      select     <= '0;
      word       <= '0;
    end else if (data_valid && data_ready) begin
      if (data_last) sending <= 1'b0;
      if (fixed_ends) in_values <= 1'b1;
      else at <= at + 1'b1;
      if (in_values) begin
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
