// WidthConverter: the same values in order, LANES_IN per beat in, LANES_OUT per beat out.
//
// Parameters: LANES_IN, LANES_OUT (one divides the other), IN_BITS per value, FIFO_DEPTH_0.
// One issue moves one beat of the narrower side. Narrowing reads a beat at the first of its
// parts; widening writes one at the last of its parts.
// Timing: one register, `held`; a beat is on m_axis 3 cycles after its issue.
// Invariant: before each issue, `part` of the wide beat's parts are done. Widening: held ends with
// the last `part` beats. Narrowing: held is the wide beat whose part `shown` was written last. (A
// register that shifts would need a multiplexer at every bit, all of them told by one net.)
`default_nettype none

module sephw_width_converter #(
    parameter int LANES_IN = 1,
    parameter int LANES_OUT = 2,
    parameter int IN_BITS = 8,
    parameter int FIFO_DEPTH_0 = 2
) (
    input  wire                          ap_clk,
    input  wire                          ap_rst_n,
    input  wire  [ LANES_IN*IN_BITS-1:0] s_axis_0_tdata,
    input  wire                          s_axis_0_tvalid,
    output wire                          s_axis_0_tready,
    output wire  [LANES_OUT*IN_BITS-1:0] m_axis_0_tdata,
    output wire                          m_axis_0_tvalid,
    input  wire                          m_axis_0_tready
);
  localparam bit WIDENS = LANES_OUT > LANES_IN;
  localparam int WIDE = (WIDENS ? LANES_OUT : LANES_IN) * IN_BITS;
  localparam int NARROW = (WIDENS ? LANES_IN : LANES_OUT) * IN_BITS;
  localparam int PARTS = WIDE / NARROW;

  wire available;
  logic [WIDE-1:0] held;
  wire [LANES_OUT*IN_BITS-1:0] made;
  wire last;
  logic first;
  wire reads = WIDENS || first;
  wire writes = !WIDENS || last;
  wire issue = (s_axis_0_tvalid || !reads) && (available || !writes);
  assign s_axis_0_tready = issue && reads;

  localparam int PART_BITS = PARTS > 1 ? $clog2(PARTS) : 1;
  /* verilator lint_off UNUSEDSIGNAL */
  wire [PART_BITS-1:0] now;
  /* verilator lint_on UNUSEDSIGNAL */

  sephw_modulo_counter #(
      .PERIOD(PARTS)
  ) part (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .advance(issue),
      .value(now),
      .last(last)
  );

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) first <= 1'b1;
    else if (issue) first <= last;
  end

  if (PARTS == 1) begin : equal
    always_ff @(posedge ap_clk) if (issue) held <= s_axis_0_tdata;
    assign made = held;
  end else if (WIDENS) begin : widen
    always_ff @(posedge ap_clk) if (issue) held <= {s_axis_0_tdata, held[WIDE-1:NARROW]};
    assign made = held;
  end else begin : narrow
    logic [PART_BITS-1:0] shown;
    always_ff @(posedge ap_clk) begin
      if (issue && first) held <= s_axis_0_tdata;
      if (issue) shown <= now;
    end
    sephw_part_select #(
        .PARTS(PARTS),
        .BITS (NARROW)
    ) choose (
        .word (held),
        .index(shown),
        .part (made)
    );
  end

  sephw_output #(
      .BITS(LANES_OUT * IN_BITS),
      .DEPTH(FIFO_DEPTH_0),
      .STAGES(1)
  ) out (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .take(issue && writes),
      .available(available),
      .data(made),
      .m_axis_tdata(m_axis_0_tdata),
      .m_axis_tvalid(m_axis_0_tvalid),
      .m_axis_tready(m_axis_0_tready)
  );
endmodule

`default_nettype wire
