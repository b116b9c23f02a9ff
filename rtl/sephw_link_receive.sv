// Bytes of a UART to frames: takes out flags and escapes, checks the CRC.
//
// A frame stands between flags (7E); 7D escapes a byte that follows with bit 5 flipped; its last
// four bytes are the CRC-32 of all before them, low byte first. Whatever comes before a flag can
// damage one frame at most: the next flag starts afresh.
// `data_valid` brings the frame's bytes without the CRC, one cycle each, before it is known whether
//   they are right. Then `good` or `bad` is up for one cycle. `first` is up with the first byte.
//   While `good`, `received_crc` is the frame's CRC. Two flags in a row are no frame.
// Timing: needs 9 cycles between bytes, which a UART always leaves.
`default_nettype none

module sephw_link_receive (
    input  wire         clk,
    input  wire         rst_n,
    input  wire         byte_valid,
    input  wire         byte_broken,
    input  wire  [ 7:0] byte_data,
    output logic        data_valid,
    output logic [ 7:0] data,
    output logic        first,
    output logic        good,
    output logic        bad,
    output logic [31:0] received_crc
);
  localparam logic [7:0] FLAG = 8'h7E, ESCAPE = 8'h7D;
  localparam logic [31:0] RESIDUE = 32'hDEBB20E3;

  logic in_frame;  // a flag has come and nothing broken since
  logic escaped;  // the byte before was an escape
  logic any;      // the frame has a byte
  logic opened;   // a byte has left the delay line of the CRC
  logic [2:0] held;
  wire is_flag = byte_valid && byte_data == FLAG;
  wire is_data = byte_valid && byte_data != FLAG && byte_data != ESCAPE && in_frame;
  wire [7:0] plain = {byte_data[7:6], byte_data[5] ^ escaped, byte_data[4:0]};
  wire [31:0] crc_state;

  sephw_crc32 crc (
      .clk(clk),
      .clear(!rst_n || is_flag),
      .push(is_data),
      .data(plain),
      .state(crc_state)
  );

  always_ff @(posedge clk) begin
    data_valid <= 1'b0;
    first      <= 1'b0;
    good       <= 1'b0;
    bad        <= 1'b0;
    if (!rst_n) begin
      in_frame  <= 1'b0;
      escaped <= 1'b0;
      any     <= 1'b0;
      opened  <= 1'b0;
      held    <= '0;
    end else if (is_flag) begin
      good    <= in_frame && opened && !escaped && crc_state == RESIDUE;
      bad     <= any && !(in_frame && opened && !escaped && crc_state == RESIDUE);
      in_frame  <= 1'b1;
      escaped <= 1'b0;
      any     <= 1'b0;
      opened  <= 1'b0;
      held    <= '0;
    end else if (byte_broken) begin
      in_frame <= 1'b0;
      any    <= 1'b1;
    end else if (byte_valid) begin
      any     <= 1'b1;
      escaped <= byte_data == ESCAPE;
      // No transmitter escapes an escape by itself.
      if (byte_data == ESCAPE && escaped) in_frame <= 1'b0;
      if (is_data) begin
        received_crc <= {plain, received_crc[31:8]};
        if (held == 3'd4) begin
          data_valid <= 1'b1;
          data       <= received_crc[7:0];
          first      <= !opened;
          opened     <= 1'b1;
        end else begin
          held <= held + 1'b1;
        end
      end
    end
  end
endmodule

`default_nettype wire
