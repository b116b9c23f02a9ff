// Transmitter to receiver of the host link, at several bit times side by side.
`default_nettype none

module link_bench #(
    parameter int UNITS = 5
) (
    input  wire                clk,
    input  wire                rst_n,
    input  wire [   UNITS-1:0] data_valid,
    output wire [   UNITS-1:0] data_ready,
    input  wire [ 8*UNITS-1:0] data,
    input  wire [   UNITS-1:0] data_last,
    output wire [   UNITS-1:0] byte_valid,
    output wire [   UNITS-1:0] byte_broken,
    output wire [ 8*UNITS-1:0] byte_data,
    output wire [   UNITS-1:0] out_valid,
    output wire [   UNITS-1:0] out_first,
    output wire [ 8*UNITS-1:0] out_data,
    output wire [   UNITS-1:0] good,
    output wire [   UNITS-1:0] bad,
    output wire [32*UNITS-1:0] crc
);
  for (genvar i = 0; i < UNITS; i++) begin : unit
    localparam int CLOCKS_PER_BIT = i == 0 ? 4 : i == 1 ? 5 : i == 2 ? 8 : i == 3 ? 11 : 27;
    wire tx_valid, tx_ready, line;
    wire [7:0] tx_data;

    sephw_link_transmit transmit (
        .clk(clk),
        .rst_n(rst_n),
        .data_valid(data_valid[i]),
        .data_ready(data_ready[i]),
        .data(data[8*i+:8]),
        .data_last(data_last[i]),
        .idle(),
        .byte_valid(tx_valid),
        .byte_ready(tx_ready),
        .byte_data(tx_data)
    );

    sephw_uart_tx #(
        .CLOCKS_PER_BIT(CLOCKS_PER_BIT)
    ) out (
        .clk(clk),
        .rst_n(rst_n),
        .valid(tx_valid),
        .ready(tx_ready),
        .data(tx_data),
        .line(line)
    );

    sephw_uart_rx #(
        .CLOCKS_PER_BIT(CLOCKS_PER_BIT)
    ) in (
        .clk(clk),
        .rst_n(rst_n),
        .line(line),
        .valid(byte_valid[i]),
        .broken(byte_broken[i]),
        .data(byte_data[8*i+:8])
    );

    sephw_link_receive receive (
        .clk(clk),
        .rst_n(rst_n),
        .byte_valid(byte_valid[i]),
        .byte_broken(byte_broken[i]),
        .byte_data(byte_data[8*i+:8]),
        .data_valid(out_valid[i]),
        .data(out_data[8*i+:8]),
        .first(out_first[i]),
        .good(good[i]),
        .bad(bad[i]),
        .received_crc(crc[32*i+:32])
    );
  end
endmodule

`default_nettype wire
