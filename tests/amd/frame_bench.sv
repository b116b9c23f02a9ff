// sephw_axis_frame at every width of the test, side by side, all with the same inputs.
//
// A unit's data wider than the inputs' 128 bits does not occur; narrower ones take the low bits.
`default_nettype none

module frame_bench #(
    parameter int UNITS = 7
) (
    input  wire                  clk,
    input  wire                  rst_n,
    input  wire [         127:0] s_data,
    input  wire                  s_valid,
    input  wire                  in_ready,
    input  wire [         127:0] out_data,
    input  wire                  out_valid,
    input  wire                  m_ready,
    // Per unit: in_axis_tdata, m_axis_tdata (128 bits each), m_axis_tkeep (16), five flags.
    output wire [UNITS*288-1:0] seen
);
  localparam int IN[UNITS] = '{8, 24, 5, 120, 64, 1, 40};
  localparam int IN_BUS[UNITS] = '{8, 32, 8, 128, 64, 8, 64};
  localparam int OUT[UNITS] = '{21, 32, 8, 33, 1, 128, 17};
  localparam int OUT_BUS[UNITS] = '{32, 32, 8, 64, 8, 128, 32};
  localparam int BEATS[UNITS] = '{10, 1, 3, 7, 2, 4, 100};

  for (genvar i = 0; i < UNITS; i++) begin : units
    wire [      IN[i]-1:0] in_data;
    wire [ OUT_BUS[i]-1:0] m_data;
    wire [OUT_BUS[i]/8-1:0] keep;
    wire s_ready, in_valid, out_ready, last, valid;

    sephw_axis_frame #(
        .IN_BITS(IN[i]),
        .IN_BUS_BITS(IN_BUS[i]),
        .OUT_BITS(OUT[i]),
        .OUT_BUS_BITS(OUT_BUS[i]),
        .OUT_BEATS(BEATS[i])
    ) frame (
        .ap_clk(clk),
        .ap_rst_n(rst_n),
        .s_axis_tdata(s_data[IN_BUS[i]-1:0]),
        .s_axis_tvalid(s_valid),
        .s_axis_tready(s_ready),
        .in_axis_tdata(in_data),
        .in_axis_tvalid(in_valid),
        .in_axis_tready(in_ready),
        .out_axis_tdata(out_data[OUT[i]-1:0]),
        .out_axis_tvalid(out_valid),
        .out_axis_tready(out_ready),
        .m_axis_tdata(m_data),
        .m_axis_tkeep(keep),
        .m_axis_tlast(last),
        .m_axis_tvalid(valid),
        .m_axis_tready(m_ready)
    );
    assign seen[i*288+:288] = {
      11'b0, valid, last, out_ready, in_valid, s_ready, 16'(keep), 128'(m_data), 128'(in_data)
    };
  end
endmodule

`default_nettype wire
