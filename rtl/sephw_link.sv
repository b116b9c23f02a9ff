// Host link: frames of a UART to images for the network, its outputs to frames (docs/host.md).
//
// Parameters: CLOCKS_PER_BIT of the UART (at least 8); IN_*, OUT_* the network's streams (lanes,
//   bits per lane, beats per frame; IN_BITS at most 8); BUILD_ID, told to the host; STALL_BITS:
//   after 2^(STALL_BITS - 1) cycles without a beat a run has failed. RESET_BITS: the network's
//   reset lasts 2^RESET_BITS cycles.
// Clocks: the UART has its own, `uart_clk`, so that the bit time does not depend on the network's;
//   all else is of `clk`, at least one cycle a bit. `gate` paces the count of `clk` that the host
//   is told.
// A run starts only after the whole request has come and its CRC is right, so a damaged request
//   never reaches the network, and at most one request is worked on: others that come meanwhile are
//   dropped (the host repeats them), but a reset ends a run.
// Cycles of a run: from the first beat that enters the network to the last one that leaves, both
//   included.
// Invariant: the registers a reply is made of do not change while it is sent.
`default_nettype none

module sephw_link #(
    parameter int CLOCKS_PER_BIT = 16,
    parameter int IN_LANES = 1,
    parameter int IN_BITS = 8,
    parameter int IN_WORDS = 16,
    parameter int OUT_LANES = 1,
    parameter int OUT_BITS = 8,
    parameter int OUT_WORDS = 1,
    parameter bit OUT_SIGNED = 1'b0,
    parameter logic [63:0] BUILD_ID = 64'd0,
    parameter int STALL_BITS = 24,
    parameter int RESET_BITS = 4
) (
    input  wire                           clk,
    input  wire                           rst_n,
    input  wire                           uart_clk,
    input  wire                           uart_rst_n,
    input  wire                           gate,
    input  wire                           uart_rx,
    output wire                           uart_tx,
    output logic                          network_rst_n,
    output wire  [  IN_LANES*IN_BITS-1:0] m_axis_tdata,
    output wire                           m_axis_tvalid,
    input  wire                           m_axis_tready,
    input  wire  [OUT_LANES*OUT_BITS-1:0] s_axis_tdata,
    input  wire                           s_axis_tvalid,
    output wire                           s_axis_tready,
    output logic                          heard,
    output logic                          trouble
);
  localparam logic [7:0] IDENTIFY = 8'h01, RUN = 8'h02, STATUS = 8'h03, RESET = 8'h04;
  localparam logic [7:0] FAILURE = 8'hFF;
  localparam logic [7:0] UNKNOWN = 8'd1, MALFORMED = 8'd2, STALLED = 8'd3;
  localparam logic [1:0] IDLE = 2'd0, RUNNING = 2'd1, RESETTING = 2'd2, REPLYING = 2'd3;
  localparam int VALUE_BITS = 8 * ((OUT_BITS + 7) / 8);
  localparam int ADDRESS_BITS = OUT_WORDS > 1 ? $clog2(OUT_WORDS) : 1;
  localparam int LANE_BITS = OUT_LANES > 1 ? $clog2(OUT_LANES) : 1;

  // UART, in its own clock.
  wire line_valid, line_broken, line_out_valid, line_out_ready;
  wire [7:0] line_data, line_out_data;

  sephw_uart_rx #(
      .CLOCKS_PER_BIT(CLOCKS_PER_BIT)
  ) uart_in (
      .clk(uart_clk),
      .rst_n(uart_rst_n),
      .line(uart_rx),
      .valid(line_valid),
      .broken(line_broken),
      .data(line_data)
  );

  sephw_uart_tx #(
      .CLOCKS_PER_BIT(CLOCKS_PER_BIT)
  ) uart_out (
      .clk(uart_clk),
      .rst_n(uart_rst_n),
      .valid(line_out_valid),
      .ready(line_out_ready),
      .data(line_out_data),
      .line(uart_tx)
  );

  // Bytes and frames. Nine bits on the line leave time for a crossing, so none waits there.
  wire free, crossed, crossed_broken, in_valid, in_first, good, bad;
  wire [7:0] rx_data, in_data;
  wire [31:0] in_crc;
  wire tx_valid, tx_ready, out_valid, out_ready, out_last, quiet;
  wire [7:0] tx_data, out_data;
  wire rx_valid = crossed && !crossed_broken;
  wire rx_broken = crossed && crossed_broken;
  wire unused = &{1'b0, free};

  sephw_crossing #(
      .BITS(9)
  ) cross_in (
      .from_clk(uart_clk),
      .from_rst_n(uart_rst_n),
      .s_valid(line_valid || line_broken),
      .s_ready(free),
      .s_data({line_broken, line_data}),
      .to_clk(clk),
      .to_rst_n(rst_n),
      .m_valid(crossed),
      .m_ready(1'b1),
      .m_data({crossed_broken, rx_data})
  );

  sephw_crossing #(
      .BITS(8)
  ) cross_out (
      .from_clk(clk),
      .from_rst_n(rst_n),
      .s_valid(tx_valid),
      .s_ready(tx_ready),
      .s_data(tx_data),
      .to_clk(uart_clk),
      .to_rst_n(uart_rst_n),
      .m_valid(line_out_valid),
      .m_ready(line_out_ready),
      .m_data(line_out_data)
  );

  sephw_link_receive receive (
      .clk(clk),
      .rst_n(rst_n),
      .byte_valid(rx_valid),
      .byte_broken(rx_broken),
      .byte_data(rx_data),
      .data_valid(in_valid),
      .data(in_data),
      .first(in_first),
      .good(good),
      .bad(bad),
      .received_crc(in_crc)
  );

  sephw_link_transmit transmit (
      .clk(clk),
      .rst_n(rst_n),
      .data_valid(out_valid),
      .data_ready(out_ready),
      .data(out_data),
      .data_last(out_last),
      .idle(quiet),
      .byte_valid(tx_valid),
      .byte_ready(tx_ready),
      .byte_data(tx_data)
  );

  // The request coming in. Its image goes to the buffer only if that was free when it began.
  logic [1:0] state;
  logic [7:0] in_kind;
  logic [15:0] in_sequence;
  logic [31:0] in_repeats;
  logic [2:0] place;  // byte of the request: 1, 2 sequence number, 3 to 6 repeats, 7 the rest
  logic short_form;  // nothing behind the sequence number
  logic fresh;       // began while the buffer was free
  wire image_complete;
  wire image_byte = in_valid && !in_first && place == 3'd7 && fresh && state == IDLE;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      place <= '0;
      fresh <= 1'b0;
    end else if (in_valid && in_first) begin
      in_kind    <= in_data;
      place      <= 3'd1;
      short_form <= 1'b1;
      fresh      <= state == IDLE;
    end else if (in_valid) begin
      if (place == 3'd1) in_sequence[7:0] <= in_data;
      if (place == 3'd2) in_sequence[15:8] <= in_data;
      if (place >= 3'd3) short_form <= 1'b0;
      if (place >= 3'd3 && place != 3'd7) in_repeats <= {in_data, in_repeats[31:8]};
      if (place != 3'd7) place <= place + 1'b1;
    end
  end

  // One request at a time.
  logic [7:0] kind;
  logic [15:0] sequence_number;
  logic [31:0] request_crc;
  logic [7:0] reason;
  logic [39:0] cycles;
  logic [15:0] damaged;
  logic [RESET_BITS-1:0] reset_left;
  logic start, reply;
  logic [STALL_BITS-1:0] quiet_cycles;
  wire playing, done, equal, extra, last_beat, sending;
  wire [ADDRESS_BITS-1:0] word;
  wire [LANE_BITS-1:0] select;
  wire [VALUE_BITS-1:0] value;
  // What the request asks for. Its last byte came cycles before `good`, so registers are in time,
  // and on a large chip they keep the way to the state short.
  logic complete_header, asks_reset, asks_run, asks_again, asks_other;
  always_ff @(posedge clk) begin
    complete_header <= place >= 3'd3;
    asks_reset      <= place >= 3'd3 && short_form && in_kind == RESET;
    asks_run        <= in_kind == RUN && !short_form;
    asks_again      <= in_repeats != 32'd0;
    asks_other      <= short_form && (in_kind == IDENTIFY || in_kind == STATUS);
  end
  wire reset_wanted = good && asks_reset;
  wire finished = done && !playing && !m_axis_tvalid;
  logic moved_in, moved_out, counting, counted;

  always_ff @(posedge clk) begin
    start <= 1'b0;
    reply <= 1'b0;
    if (!rst_n) begin
      state         <= RESETTING;
      kind          <= '0;
      network_rst_n <= 1'b0;
      reset_left    <= '1;
      heard         <= 1'b0;
      trouble       <= 1'b0;
      damaged       <= '0;
    end else begin
      if (bad || rx_broken) trouble <= 1'b1;
      if (bad && !(&damaged)) damaged <= damaged + 1'b1;
      if (good) heard <= 1'b1;
      case (state)
        IDLE: begin
          if (good && complete_header) begin
            sequence_number <= in_sequence;
            request_crc     <= in_crc;
            kind            <= in_kind | 8'h80;
            state           <= REPLYING;
            reply           <= 1'b1;
            trouble         <= 1'b0;
            if (reset_wanted) begin
              state         <= RESETTING;
              reply         <= 1'b0;
              network_rst_n <= 1'b0;
              reset_left    <= '1;
            end else if (asks_run && fresh && image_complete && asks_again) begin
              state <= RUNNING;
              reply <= 1'b0;
              start <= 1'b1;
            end else if (asks_run && !fresh) begin
              // Its beginning was not kept: not answered, the host repeats it.
              state <= IDLE;
              reply <= 1'b0;
            end else if (!asks_other) begin
              kind   <= FAILURE;
              reason <= in_kind == RUN || !short_form ? MALFORMED : UNKNOWN;
            end
          end
        end
        RUNNING: begin
          if (reset_wanted || quiet_cycles[STALL_BITS-1]) begin
            state         <= RESETTING;
            network_rst_n <= 1'b0;
            reset_left    <= '1;
            if (reset_wanted) begin
              sequence_number <= in_sequence;
              request_crc     <= in_crc;
              kind            <= RESET | 8'h80;
            end else begin
              trouble <= 1'b1;
              kind    <= FAILURE;
              reason  <= STALLED;
            end
          end else if (finished && !start) begin
            state <= REPLYING;
            reply <= 1'b1;
          end
        end
        RESETTING: begin
          reset_left <= reset_left - 1'b1;
          if (reset_left == '0) begin
            network_rst_n <= 1'b1;
            reply         <= kind != '0;
            state         <= kind != '0 ? REPLYING : IDLE;
          end
        end
        REPLYING: if (!reply && !sending && quiet) state <= IDLE;
      endcase
    end
  end

  // Requests may be damaged while a reply is sent.
  logic [15:0] reply_damaged;
  always_ff @(posedge clk) if (state != REPLYING) reply_damaged <= damaged;

  // The clock's own rate, for the host.
  localparam int METER_BITS = 20;
  wire [METER_BITS-1:0] clock_cycles;
  sephw_clock_meter #(
      .BITS(METER_BITS)
  ) meter (
      .clk(clk),
      .rst_n(rst_n),
      .gate(gate),
      .hold(state == REPLYING),
      .cycles(clock_cycles)
  );

  // Cycles, and cycles without a beat. All of it one cycle late, so differences are right.
  always_ff @(posedge clk) begin
    moved_in  <= m_axis_tvalid && m_axis_tready;
    moved_out <= s_axis_tvalid;
    if (!rst_n || start) begin
      counting     <= 1'b0;
      counted      <= 1'b0;
      cycles       <= 40'd0;
      quiet_cycles <= '0;
    end else begin
      if (moved_in) counting <= 1'b1;
      // A network may take the rest of an image after its last output.
      if (last_beat) counted <= 1'b1;
      if ((counting || moved_in) && !counted) cycles <= cycles + 1'b1;
      quiet_cycles <= moved_in || moved_out || state != RUNNING ? '0 : quiet_cycles + 1'b1;
    end
  end

  sephw_link_source #(
      .LANES(IN_LANES),
      .BITS (IN_BITS),
      .WORDS(IN_WORDS)
  ) source (
      .clk(clk),
      .rst_n(rst_n),
      .clear(in_valid && in_first && state == IDLE),
      .byte_valid(image_byte),
      .byte_data(in_data),
      .complete(image_complete),
      .start(start),
      .stop(!network_rst_n),
      .repeats(in_repeats),
      .playing(playing),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(m_axis_tready)
  );

  sephw_link_sink #(
      .LANES(OUT_LANES),
      .BITS(OUT_BITS),
      .WORDS(OUT_WORDS),
      .SIGNED(OUT_SIGNED),
      .VALUE_BITS(VALUE_BITS)
  ) sink (
      .clk(clk),
      .rst_n(network_rst_n),
      .start(start),
      .repeats(in_repeats),
      .last_beat(last_beat),
      .done(done),
      .equal(equal),
      .extra(extra),
      .word(word),
      .select(select),
      .value(value),
      .s_axis_tdata(s_axis_tdata),
      .s_axis_tvalid(s_axis_tvalid),
      .s_axis_tready(s_axis_tready)
  );

  sephw_link_reply #(
      .IMAGE_BYTES(IN_LANES * IN_WORDS),
      .OUT_LANES(OUT_LANES),
      .OUT_BITS(OUT_BITS),
      .OUT_WORDS(OUT_WORDS),
      .OUT_SIGNED(OUT_SIGNED),
      .BUILD_ID(BUILD_ID),
      .VALUE_BITS(VALUE_BITS)
  ) replies (
      .clk(clk),
      .rst_n(rst_n),
      .start(reply),
      .sending(sending),
      .kind(kind),
      .sequence_number(sequence_number),
      .request_crc(request_crc),
      .flags({6'd0, extra, equal}),
      .cycles(cycles),
      .damaged(reply_damaged),
      .reason(reason),
      .clock_cycles(32'(clock_cycles)),
      .word(word),
      .select(select),
      .value(value),
      .data_valid(out_valid),
      .data_ready(out_ready),
      .data(out_data),
      .data_last(out_last)
  );
endmodule

`default_nettype wire
