// Frames to bytes of a UART: adds flags, escapes and the CRC (see sephw_link_receive).
//
// A frame's bytes come with `data_valid`, taken with `data_ready`; `data_last` comes with the last
// one. Frames have at least one byte. `idle` is up while nothing is on its way.
// Timing: between two bytes on `byte_data` lie at least 14 cycles. `data` and `data_last` are
//   looked at from the eleventh cycle after the last `data_ready` on; so is the CRC, settled by
//   then.
// Invariant: the CRC covers exactly the bytes that were taken.
`default_nettype none

module sephw_link_transmit (
    input  wire        clk,
    input  wire        rst_n,
    input  wire        data_valid,
    output wire        data_ready,
    input  wire  [7:0] data,
    input  wire        data_last,
    output wire        idle,
    output wire        byte_valid,
    input  wire        byte_ready,
    output wire  [7:0] byte_data
);
  localparam logic [7:0] FLAG = 8'h7E, ESCAPE = 8'h7D;
  localparam logic [1:0] IDLE = 2'd0, BODY = 2'd1, CHECK = 2'd2, CLOSE = 2'd3;

  logic [1:0] state;
  logic [1:0] crc_byte;
  logic escaped;  // the escape before the byte at hand has gone out
  logic [3:0] settling;
  logic [7:0] plain;
  logic special;  // `plain` needs an escape
  wire [31:0] crc_state;
  wire settled = settling == '0;
  wire flag = state == IDLE || state == CLOSE;
  wire escape = special && !escaped;
  wire sent = byte_valid && byte_ready;
  assign byte_valid = settled && (data_valid || state == CHECK || state == CLOSE);
  assign byte_data = flag ? FLAG : escape ? ESCAPE : {plain[7:6], plain[5] ^ escaped, plain[4:0]};
  assign data_ready = settled && state == BODY && byte_ready && !escape;
  assign idle = state == IDLE;

  always_ff @(posedge clk) begin
    plain   <= state == BODY ? data : ~crc_state[8*crc_byte+:8];
    special <= plain == FLAG || plain == ESCAPE;
  end

  sephw_crc32 crc (
      .clk(clk),
      .clear(state == IDLE),
      .push(data_valid && data_ready),
      .data(data),
      .state(crc_state)
  );

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      state    <= IDLE;
      crc_byte <= '0;
      escaped  <= 1'b0;
      settling <= '1;
    end else if (!sent) begin
      if (!settled) settling <= settling - 1'b1;
    end else begin
      settling <= 4'd13;
      escaped  <= !flag && escape;
      case (state)
        IDLE: state <= BODY;
        BODY: if (!escape && data_last) state <= CHECK;
        CHECK:
        if (!escape) begin
          crc_byte <= crc_byte + 1'b1;
          if (crc_byte == 2'd3) state <= CLOSE;
        end
        CLOSE: state <= IDLE;
      endcase
    end
  end
endmodule

`default_nettype wire
