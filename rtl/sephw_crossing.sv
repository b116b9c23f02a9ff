// Words from one clock to another, one at a time, by a handshake of four phases.
//
// Parameter: BITS of a word.
// A word is taken in a cycle of `from_clk` with `s_valid` and `s_ready`; it stands at `m_data` with
//   `m_valid` until a cycle of `to_clk` with `m_ready`. The clocks need not know of each other.
// Timing: a word takes at most 6 cycles of each clock until the next one is taken, as long as the
//   one before has left.
// Reset: of both sides for the same reason, at least 3 cycles of both clocks together; then each
//   may come out of it when it likes. A side that is reset alone may bring a word twice or not at
//   all, never half of one.
// Invariant: `held` changes only while `request` is down and its fall has been acknowledged.
`default_nettype none

module sephw_crossing #(
    parameter int BITS = 8
) (
    input  wire             from_clk,
    input  wire             from_rst_n,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire  [BITS-1:0] s_data,
    input  wire             to_clk,
    input  wire             to_rst_n,
    output logic            m_valid,
    input  wire             m_ready,
    output logic [BITS-1:0] m_data
);
  logic request, acknowledge;
  logic [BITS-1:0] held;
  // Two registers each against metastability.
  logic [1:0] acknowledged, requested;
  assign s_ready = !request && !acknowledged[1];

  always_ff @(posedge from_clk) begin
    acknowledged <= {acknowledged[0], acknowledge};
    if (!from_rst_n) begin
      request <= 1'b0;
    end else if (s_valid && s_ready) begin
      request <= 1'b1;
      held    <= s_data;
    end else if (acknowledged[1]) begin
      request <= 1'b0;
    end
  end

  always_ff @(posedge to_clk) begin
    requested <= {requested[0], request};
    if (!to_rst_n) begin
      acknowledge <= 1'b0;
      m_valid     <= 1'b0;
    end else begin
      if (m_ready) m_valid <= 1'b0;
      if (!requested[1]) begin
        acknowledge <= 1'b0;
      end else if (!acknowledge && (!m_valid || m_ready)) begin
        acknowledge <= 1'b1;
        m_valid     <= 1'b1;
        m_data      <= held;
      end
    end
  end
endmodule

`default_nettype wire
