// FIFO of an engine's output: a memory with synchronous read, its read register is the head.
//
// Parameters: BITS per beat, DEPTH beats (pushed and not popped; the producer's credits see to it
// that there are never more).
// Timing, the same for every depth: a beat pushed in cycle u is at the head from cycle u + 2 on
// if the beats before it are gone by then; beats can be popped in consecutive cycles. The head
// stays, valid and stable, until `head_ready`.
// Invariant: the memory holds the beats behind the head, from `read_at` to `write_at`: at most
// DEPTH - 1, since without a head the only beat is read in the cycle after its push. With two
// words or more a push never meets a read of the same address, so what the memory does then does
// not matter; one word is a register. With a depth of one nothing waits behind the head: a beat
// goes there with its push, and only its valid bit comes a cycle later.
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
  localparam int WORDS = DEPTH - 1;
  wire waiting;
  wire load = waiting && (!head_valid || head_ready);

  always_ff @(posedge clk) begin
    if (!rst_n) head_valid <= 1'b0;
    else head_valid <= load || (head_valid && !head_ready);
  end

  // For two words, registers and a multiplexer are smaller than any memory. An ECP5 has 16
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
  localparam bit IN_LUTS = (WORDS + 15) / 16 * 16 * BITS <= LUT_RAM_BITS * BLOCKS;
`endif
  localparam STYLE = WORDS <= 2 ? "registers" : IN_LUTS ? "distributed" : "block";
`else
  localparam STYLE = WORDS <= 2 ? "registers" : "auto";
`endif
  /* verilator lint_on UNUSEDPARAM */

  generate
    if (WORDS == 0) begin : none
      logic arrived;
      assign waiting = arrived;
      always_ff @(posedge clk) begin
        if (!rst_n) arrived <= 1'b0;
        else arrived <= push;
        if (push) head_data <= push_data;
      end
    end else if (WORDS == 1) begin : single
      logic beat_valid;
      logic [BITS-1:0] beat;
      assign waiting = beat_valid;
      always_ff @(posedge clk) begin
        if (!rst_n) beat_valid <= 1'b0;
        else beat_valid <= push || (beat_valid && !load);
        if (push) beat <= push_data;
        if (load) head_data <= beat;
      end
    end else begin : several
      localparam int ADDRESS_BITS = $clog2(WORDS);
      localparam logic [ADDRESS_BITS-1:0] LAST = ADDRESS_BITS'(WORDS - 1);
      logic [ADDRESS_BITS-1:0] write_at;
      logic [ADDRESS_BITS-1:0] read_at;
      (* ram_style = STYLE, no_rw_check *)
      logic [BITS-1:0] beats[WORDS];

      sephw_credit #(
          .DEPTH(WORDS),
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
          write_at <= '0;
          read_at  <= '0;
        end else begin
          if (push) write_at <= write_at == LAST ? '0 : write_at + 1'b1;
          if (load) read_at <= read_at == LAST ? '0 : read_at + 1'b1;
        end
        if (push) beats[write_at] <= push_data;
        if (load) head_data <= beats[read_at];
      end
    end
  endgenerate
endmodule

`default_nettype wire
