// FIFO of an engine's output: a memory with synchronous read, its read register is the head.
//
// Parameters: BITS per beat, DEPTH beats (pushed and not popped; the producer's credits see to it
// that there are never more).
// Timing, the same for every depth: a beat pushed in cycle u is at the head from cycle u + 2 on
// if the beats before it are gone by then; beats can be popped in consecutive cycles. The head
// stays, valid and stable, until `head_ready`.
// Invariant: the memory holds the beats behind the head, from `read_at` to `write_at`. A push
// never meets a read of the same address, so what the memory does then does not matter.
`default_nettype none

module sephw_fifo #(
    parameter int BITS  = 8,
    parameter int DEPTH = 2
) (
    input  wire             clk,
    input  wire             rst_n,
    input  wire             push,
    input  wire  [BITS-1:0] push_data,
    output logic            head_valid,
    output logic [BITS-1:0] head_data,
    input  wire             head_ready
);
  localparam int ADDRESS_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1;
  localparam logic [ADDRESS_BITS-1:0] LAST = ADDRESS_BITS'(DEPTH - 1);

  logic [ADDRESS_BITS-1:0] write_at;
  logic [ADDRESS_BITS-1:0] read_at;
  logic waiting;
  wire load = waiting && (!head_valid || head_ready);

  sephw_credit #(
      .DEPTH(DEPTH),
      .START(0)
  ) behind_head (
      .clk(clk),
      .rst_n(rst_n),
      .take(load),
      .give(push),
      .available(waiting)
  );

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      write_at   <= '0;
      read_at    <= '0;
      head_valid <= 1'b0;
    end else begin
      if (push) write_at <= write_at == LAST ? '0 : write_at + 1'b1;
      if (load) read_at <= read_at == LAST ? '0 : read_at + 1'b1;
      head_valid <= load || (head_valid && !head_ready);
    end
  end

  // For one or two beats, registers and a multiplexer are smaller than any memory. An ECP5 has 16
  // bits of RAM per LUT, and as many LUTs to a block RAM as hold 4,096 bits and their addressing:
  // up to there a FIFO leaves the blocks to weights, which fill them.
  /* verilator lint_off UNUSEDPARAM */
`ifdef SEPHW_ECP5
  localparam int LUT_RAM_BITS = 4096;
  // At the least: a block's words have 36 bits, and shallow FIFOs of wide beats fill few of them.
  localparam int BLOCKS = (BITS + 35) / 36;
`ifdef SEPHW_FIFOS_IN_BLOCKS
  // The design around the engine has blocks to spare and LUTs to win.
  localparam bit IN_LUTS = 0;
`else
  localparam bit IN_LUTS = (DEPTH + 15) / 16 * 16 * BITS <= LUT_RAM_BITS * BLOCKS;
`endif
  localparam STYLE = DEPTH <= 2 ? "registers" : IN_LUTS ? "distributed" : "block";
`else
  localparam STYLE = DEPTH <= 2 ? "registers" : "auto";
`endif
  /* verilator lint_on UNUSEDPARAM */
  (* ram_style = STYLE, no_rw_check *)
  logic [BITS-1:0] beats[DEPTH];

  always_ff @(posedge clk) begin
    if (push) beats[write_at] <= push_data;
    if (load) head_data <= beats[read_at];
  end
endmodule

`default_nettype wire
