// Concat: the channels of several streams side by side, pixel by pixel.
//
// Parameters: INPUTS 2 to 8, CHANNELS_<j> of input j (those from INPUTS on are unused), SIMD
// channels per beat (divides every CHANNELS_<j>), IN_BITS per channel, FIFO_DEPTH_0.
// Ports: input j is bit j of s_axis_tvalid and s_axis_tready, and its beat follows input j - 1's in
// s_axis_tdata; the module that the operator generates around this one gives each its own port.
// One issue takes a beat of the input whose turn it is and makes one: per pixel all beats of input
// 0, then those of input 1, and so on.
// Timing: stage 1 holds the chosen beat; it is on m_axis 3 cycles after its issue.
// Invariant: `turn` is one-hot; the word counter of an input whose turn it is not is at 0.
`default_nettype none

module sephw_concat #(
    parameter int INPUTS = 2,
    parameter int CHANNELS_0 = 1,
    parameter int CHANNELS_1 = 1,
    parameter int CHANNELS_2 = 1,
    parameter int CHANNELS_3 = 1,
    parameter int CHANNELS_4 = 1,
    parameter int CHANNELS_5 = 1,
    parameter int CHANNELS_6 = 1,
    parameter int CHANNELS_7 = 1,
    parameter int SIMD = 1,
    parameter int IN_BITS = 8,
    parameter int FIFO_DEPTH_0 = 2
) (
    input  wire                           ap_clk,
    input  wire                           ap_rst_n,
    input  wire [INPUTS*SIMD*IN_BITS-1:0] s_axis_tdata,
    input  wire [             INPUTS-1:0] s_axis_tvalid,
    output wire [             INPUTS-1:0] s_axis_tready,
    output wire [       SIMD*IN_BITS-1:0] m_axis_tdata,
    output wire                           m_axis_tvalid,
    input  wire                           m_axis_tready
);
  localparam int BITS = SIMD * IN_BITS;

  wire available;
  logic [INPUTS-1:0] turn;
  wire [INPUTS-1:0] last_word;
  wire issue = |(s_axis_tvalid & turn) && available;
  assign s_axis_tready = turn & {INPUTS{issue}};

  for (genvar j = 0; j < INPUTS; j++) begin : inputs
    localparam int CHANNELS = j == 0 ? CHANNELS_0 : j == 1 ? CHANNELS_1 :
                              j == 2 ? CHANNELS_2 : j == 3 ? CHANNELS_3 :
                              j == 4 ? CHANNELS_4 : j == 5 ? CHANNELS_5 :
                              j == 6 ? CHANNELS_6 : CHANNELS_7;

    sephw_modulo_counter #(
        .PERIOD(CHANNELS / SIMD)
    ) word_counter (
        .clk(ap_clk),
        .rst_n(ap_rst_n),
        .advance(issue && turn[j]),
        /* verilator lint_off PINCONNECTEMPTY */
        .value(),
        /* verilator lint_on PINCONNECTEMPTY */
        .last(last_word[j])
    );
  end

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) turn <= INPUTS'(1);
    else if (issue && |(turn & last_word)) turn <= {turn[INPUTS-2:0], turn[INPUTS-1]};
  end

  // Stage 1: the beat of the input whose turn it is, an OR of gated beats.
  logic [BITS-1:0] chosen;
  logic [BITS-1:0] chosen_1;

  always_comb begin
    chosen = '0;
    for (int j = 0; j < INPUTS; j++) begin
      chosen = chosen | ({BITS{turn[j]}} & s_axis_tdata[j*BITS+:BITS]);
    end
  end
  always_ff @(posedge ap_clk) chosen_1 <= chosen;

  sephw_output #(
      .BITS(BITS),
      .DEPTH(FIFO_DEPTH_0),
      .STAGES(1)
  ) out (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .take(issue),
      .available(available),
      .data(chosen_1),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(m_axis_tready)
  );
endmodule

`default_nettype wire
