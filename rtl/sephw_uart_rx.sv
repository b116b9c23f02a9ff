// UART receiver, 8 data bits, no parity, 1 stop bit: line in, bytes out.
//
// Parameter: CLOCKS_PER_BIT, at least 4.
// Timing: each bit is sampled once at its middle, as the majority of three samples of the
//   synchronized line; `valid` is up for one cycle, at the middle of the stop bit.
// `broken` is up for one cycle instead where the stop bit is 0 (a break, noise, another baud rate);
//   the line has to come back to 1 before the next start bit counts.
// Invariant: bytes come at least 9 bits apart.
`default_nettype none

module sephw_uart_rx #(
    parameter int CLOCKS_PER_BIT = 16
) (
    input  wire        clk,
    input  wire        rst_n,
    input  wire        line,
    output logic       valid,
    output logic       broken,
    output logic [7:0] data
);
  localparam int TIMER_BITS = $clog2(CLOCKS_PER_BIT);
  localparam logic [TIMER_BITS-1:0] WHOLE = TIMER_BITS'(CLOCKS_PER_BIT - 1);
  localparam logic [TIMER_BITS-1:0] HALF = TIMER_BITS'(CLOCKS_PER_BIT / 2 - 1);
  localparam logic [1:0] IDLE = 2'd0, START = 2'd1, BITS = 2'd2, BREAK = 2'd3;

  // Two registers against metastability, three samples to vote.
  logic [4:0] samples;
  wire level = (samples[4] & samples[3]) | (samples[4] & samples[2]) | (samples[3] & samples[2]);
  logic [1:0] state;
  logic [TIMER_BITS-1:0] timer;
  logic [3:0] received;
  wire now = timer == '0;

  always_ff @(posedge clk) begin
    valid  <= 1'b0;
    broken <= 1'b0;
    if (!rst_n) begin
      samples  <= '1;
      state    <= BREAK;
      timer    <= '0;
      received <= '0;
    end else begin
      samples <= {samples[3:0], line};
      timer   <= timer - 1'b1;
      case (state)
        IDLE: begin
          timer    <= HALF;
          received <= '0;
          if (!level) state <= START;
        end
        START: begin
          if (now) begin
            timer <= WHOLE;
            state <= level ? IDLE : BITS;
          end
        end
        BITS: begin
          if (now) begin
            timer    <= WHOLE;
            received <= received + 1'b1;
            if (received == 4'd8) begin
              valid  <= level;
              broken <= !level;
              state  <= level ? IDLE : BREAK;
            end else begin
              data <= {level, data[7:1]};
            end
          end
        end
        BREAK: if (level) state <= IDLE;
      endcase
    end
  end
endmodule

`default_nettype wire
