"""A top for a network without a board: four pins, whatever the width of its streams."""

from __future__ import annotations

from pathlib import Path

from sephw.backends.layout import lay_out
from sephw.ir import Graph

HARNESS = "sephw_harness"
HARNESS_PORTS = ("ap_clk", "ap_rst_n", "serial_in", "serial_out")

_TEXT = """\
// Harness: the network between two shift registers, so that it can be placed and routed without
// a board. Not for use: it exists to measure.
//
// In:  serial_in shifts through all inputs of the network.
// Out: serial_out shifts out what the outputs were when serial_in was up.
// Timing: every path to or from a pin starts or ends in a register of its own.
`default_nettype none

module {name} (
    input  wire ap_clk,
    input  wire ap_rst_n,
    input  wire serial_in,
    output wire serial_out
);
  logic reset_n, load;
  logic [{last_in}:0] inputs;
  logic [{last_out}:0] captured;
  wire  [{last_out}:0] outputs;
  assign serial_out = captured[{last_out}];

  always_ff @(posedge ap_clk) begin
    reset_n  <= ap_rst_n;
    load     <= serial_in;
    inputs   <= {inputs_width}'({{inputs, serial_in}});
    captured <= load ? outputs : {outputs_width}'({{captured, 1'b0}});
  end

  {network} network (
      .ap_clk(ap_clk),
      .ap_rst_n(reset_n),
{ports}
  );
endmodule

`default_nettype wire
"""


def write_harness(graph: Graph, directory: Path) -> Path:
    """Write the harness of a project's top module; its file."""
    layout = lay_out(graph)
    at = {"inputs": 0, "outputs": 0}
    ports = []
    for prefix, names, data, back in (
        ("s_axis", layout.inputs, "inputs", "outputs"),
        ("m_axis", layout.outputs, "outputs", "inputs"),
    ):
        for i, name in enumerate(names):
            stream = layout.streams[name]
            for side, bus, bits in (
                ("tdata", data, stream.bits * stream.lanes),
                ("tvalid", data, 1),
                ("tready", back, 1),
            ):
                ports.append(f"      .{prefix}_{i}_{side}({bus}[{at[bus]}+:{bits}])")
                at[bus] += bits
    text = _TEXT.format(
        name=HARNESS,
        network=layout.project,
        ports=",\n".join(ports),
        last_in=at["inputs"] - 1,
        last_out=at["outputs"] - 1,
        inputs_width=at["inputs"],
        outputs_width=at["outputs"],
    )
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{HARNESS}.sv"
    path.write_text(text, encoding="utf-8")
    return path
