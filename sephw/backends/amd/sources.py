"""The generated sources: Verilog around the network, C++ in front of HLS, Tcl settings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import PurePosixPath

from sephw.backends.amd.plan import AcceleratorPlan


def accelerator_text(plan: AcceleratorPlan, route: str) -> str:
    """The module that a block design instantiates.

    On the route ``rtl`` the network is inside; on ``hls`` it is a cell beside this one, between
    in_axis and out_axis. Plain Verilog: Vivado takes no SystemVerilog file as the top of a module
    reference.
    """
    inside = route == "rtl"
    in_bits = plan.source.bits * plan.source.lanes if inside else plan.in_bus_bits
    out_bits = plan.sink.bits * plan.sink.lanes if inside else plan.out_bus_bits
    what = "the SystemVerilog engines between" if inside else "between the network from HLS and"
    streams = "s_axis:m_axis" if inside else "s_axis:m_axis:in_axis:out_axis"
    return f"""\
// {plan.name}: {what} the streams of a DMA; generated.
//
// One beat of s_axis or m_axis is one beat of the network, padded to whole bytes; m_axis_tlast ends
// a frame. TLAST and TKEEP of s_axis say nothing: the network counts its beats.
`default_nettype none

module sephw_accelerator (
    (* X_INTERFACE_INFO = "xilinx.com:signal:clock:1.0 ap_clk CLK" *)
    (* X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF {streams}, ASSOCIATED_RESET ap_rst_n" *)
    input  wire ap_clk,
    (* X_INTERFACE_INFO = "xilinx.com:signal:reset:1.0 ap_rst_n RST" *)
    (* X_INTERFACE_PARAMETER = "POLARITY ACTIVE_LOW" *)
    input  wire ap_rst_n,
    input  wire [{plan.in_bus_bits - 1}:0] s_axis_tdata,
    input  wire [{plan.in_bus_bits // 8 - 1}:0] s_axis_tkeep,
    input  wire s_axis_tlast,
    input  wire s_axis_tvalid,
    output wire s_axis_tready,
{"" if inside else _network_ports(in_bits, out_bits)}\
    output wire [{plan.out_bus_bits - 1}:0] m_axis_tdata,
    output wire [{plan.out_bus_bits // 8 - 1}:0] m_axis_tkeep,
    output wire m_axis_tlast,
    output wire m_axis_tvalid,
    input  wire m_axis_tready,
    output wire [31:0] build_id_low,
    output wire [31:0] build_id_high
);
  assign build_id_low = 32'h{plan.build_id & 0xFFFFFFFF:08x};
  assign build_id_high = 32'h{plan.build_id >> 32:08x};

{_network(plan.network, in_bits, out_bits) if inside else ""}\
  sephw_axis_frame #(
      .IN_BITS({in_bits}),
      .IN_BUS_BITS({plan.in_bus_bits}),
      .OUT_BITS({out_bits}),
      .OUT_BUS_BITS({plan.out_bus_bits}),
      .OUT_BEATS({plan.sink.words})
  ) frame (
      .ap_clk(ap_clk),
      .ap_rst_n(ap_rst_n),
      .s_axis_tdata(s_axis_tdata),
      .s_axis_tvalid(s_axis_tvalid),
      .s_axis_tready(s_axis_tready),
      .in_axis_tdata(in_axis_tdata),
      .in_axis_tvalid(in_axis_tvalid),
      .in_axis_tready(in_axis_tready),
      .out_axis_tdata(out_axis_tdata),
      .out_axis_tvalid(out_axis_tvalid),
      .out_axis_tready(out_axis_tready),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tkeep(m_axis_tkeep),
      .m_axis_tlast(m_axis_tlast),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(m_axis_tready)
  );

  wire unused = &{{1'b0, s_axis_tkeep, s_axis_tlast}};
endmodule

`default_nettype wire
"""


def _network_ports(in_bits: int, out_bits: int) -> str:
    return f"""\
    output wire [{in_bits - 1}:0] in_axis_tdata,
    output wire in_axis_tvalid,
    input  wire in_axis_tready,
    input  wire [{out_bits - 1}:0] out_axis_tdata,
    input  wire out_axis_tvalid,
    output wire out_axis_tready,
"""


def _network(module: str, in_bits: int, out_bits: int) -> str:
    return f"""\
  wire [{in_bits - 1}:0] in_axis_tdata;
  wire in_axis_tvalid;
  wire in_axis_tready;
  wire [{out_bits - 1}:0] out_axis_tdata;
  wire out_axis_tvalid;
  wire out_axis_tready;

  {module} network (
      .ap_clk(ap_clk),
      .ap_rst_n(ap_rst_n),
      .s_axis_0_tdata(in_axis_tdata),
      .s_axis_0_tvalid(in_axis_tvalid),
      .s_axis_0_tready(in_axis_tready),
      .m_axis_0_tdata(out_axis_tdata),
      .m_axis_0_tvalid(out_axis_tvalid),
      .m_axis_0_tready(out_axis_tready)
  );

"""


def hls_header_text(plan: AcceleratorPlan, hls: PurePosixPath) -> str:
    """Types and prototype of the function that HLS synthesizes; ``hls``: where the project is.

    Included by relative paths, so that the tool needs no include folders.
    """
    return f"""\
// The network behind AXI-Streams of whole bytes; generated.
#ifndef SEPHW_AXIS_TOP_H_
#define SEPHW_AXIS_TOP_H_

#include "{hls}/firmware/{plan.network}.h"

typedef ap_uint<{plan.in_bus_bits}> in_bus_t;
typedef ap_uint<{plan.out_bus_bits}> out_bus_t;

void {plan.hls_top}(hls::stream<in_bus_t> &s_axis, hls::stream<out_bus_t> &m_axis);

#endif
"""


def hls_top_text(plan: AcceleratorPlan) -> str:
    """The function that HLS synthesizes: explicit widths, where structs leave them to the tool."""
    source, sink = plan.source, plan.sink
    return f"""\
// The network behind AXI-Streams of whole bytes; generated. A struct as an AXI-Stream has the width
// that the tool's padding gives it; these integers have the width that the hardware around expects.
#include "sephw_axis_top.h"

static void read_beats(hls::stream<in_bus_t> &from, hls::stream<input_t> &to) {{
    for (unsigned beat = 0; beat < {source.words}; beat++) {{
#pragma HLS PIPELINE II = 1 style = flp
        const in_bus_t word = from.read();
        input_t values;
        for (unsigned lane = 0; lane < {source.lanes}; lane++) {{
#pragma HLS UNROLL
            values[lane] = word.range({source.bits} * lane + {source.bits - 1}, \
{source.bits} * lane);
        }}
        to.write(values);
    }}
}}

static void write_beats(hls::stream<result_t> &from, hls::stream<out_bus_t> &to) {{
    for (unsigned beat = 0; beat < {sink.words}; beat++) {{
#pragma HLS PIPELINE II = 1 style = flp
        const result_t values = from.read();
        out_bus_t word = 0;
        for (unsigned lane = 0; lane < {sink.lanes}; lane++) {{
#pragma HLS UNROLL
            const ap_uint<{sink.bits}> bits = values[lane];
            word.range({sink.bits} * lane + {sink.bits - 1}, {sink.bits} * lane) = bits;
        }}
        to.write(word);
    }}
}}

void {plan.hls_top}(hls::stream<in_bus_t> &s_axis, hls::stream<out_bus_t> &m_axis) {{
#pragma HLS INTERFACE axis port = s_axis
#pragma HLS INTERFACE axis port = m_axis
#pragma HLS INTERFACE ap_ctrl_none port = return
#pragma HLS DATAFLOW
    hls::stream<input_t> images("images");
#pragma HLS STREAM variable = images depth = 2
    hls::stream<result_t> results("results");
#pragma HLS STREAM variable = results depth = 2
    read_beats(s_axis, images);
    {plan.network}(images, results);
    write_beats(results, m_axis);
}}
"""


def hls_test_text(plan: AcceleratorPlan, hls: PurePosixPath) -> str:
    """C testbench: the project's frames through the byte-wide streams; ``hls``: its folder."""
    source, sink = plan.source, plan.sink
    return f"""\
// The project's frames through the byte-wide streams; generated.
#include "sephw_axis_top.h"
#include "{hls}/firmware/nnet_utils/nnet_helpers.h"
#include "{hls}/firmware/nnet_utils/sephw_testbench.h"

static void through_bytes(hls::stream<input_t> &in, hls::stream<result_t> &out) {{
    hls::stream<in_bus_t> s_axis("s_axis");
    hls::stream<out_bus_t> m_axis("m_axis");
    while (!in.empty()) {{
        const input_t values = in.read();
        in_bus_t word = 0;
        for (unsigned lane = 0; lane < {source.lanes}; lane++) {{
            const ap_uint<{source.bits}> bits = values[lane];
            word.range({source.bits} * lane + {source.bits - 1}, {source.bits} * lane) = bits;
        }}
        s_axis.write(word);
    }}
    {plan.hls_top}(s_axis, m_axis);
    while (!m_axis.empty()) {{
        const out_bus_t word = m_axis.read();
        result_t values;
        for (unsigned lane = 0; lane < {sink.lanes}; lane++) {{
            values[lane] = word.range({sink.bits} * lane + {sink.bits - 1}, {sink.bits} * lane);
        }}
        out.write(values);
    }}
}}

int main() {{ return sephw::run_testbench<input_t, result_t>(&through_bytes); }}
"""


def settings_text(
    plan: AcceleratorPlan,
    hls: PurePosixPath | None,
    rtl_sources: Sequence[str],
    accelerator_sources: Collection[str],
) -> str:
    """settings.tcl. Paths are relative to the scripts; no ``rtl_sources``: no such route."""
    routes = [name for name, there in (("hls", hls), ("rtl", rtl_sources)) if there]
    values: list[tuple[str, str]] = [
        ("name", plan.name),
        ("part", plan.target.part),
        ("board_parts", plan.board.board_parts),
        ("clock_ns", f"{plan.target.clock_ns:g}"),
        ("reference_mhz", f"{plan.board.reference_mhz:g}"),
        ("address_bits", str(plan.board.address_bits)),
        ("in_bus_bits", str(plan.in_bus_bits)),
        ("out_bus_bits", str(plan.out_bus_bits)),
        # The DMA's memory side has 32 bits at least, and no fewer than its stream.
        ("in_memory_bits", str(max(32, plan.in_bus_bits))),
        ("out_memory_bits", str(max(32, plan.out_bus_bits))),
        ("network", plan.network),
        ("hls_top", plan.hls_top),
        ("hls_project", str(hls or "")),
        ("routes", " ".join(routes)),
        ("route", routes[0]),
    ]
    lines = [f"# Settings of vivado.tcl and vitis_hls.tcl for {plan.target.board}; generated."]
    lines += [f"set {name} {{{value}}}" for name, value in values]
    for name, files in (
        ("accelerator_sources", accelerator_sources),
        # What the accelerator needs comes with either route, once.
        (
            "rtl_sources",
            [f for f in rtl_sources if PurePosixPath(f).name not in accelerator_sources],
        ),
    ):
        lines += [f"set {name} {{", *(f"    {{{file}}}" for file in files), "}"]
    return "\n".join([*lines, ""])
