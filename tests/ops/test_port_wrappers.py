"""Modules with a numbered port per stream come from one generator, and none stands in rtl/."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sephw.ir import Operator
from sephw.ops import OPERATORS
from sephw.ops.port_wrapper import PortWrapper, StreamPort, by_name
from sephw.rtl import SOURCES
from sephw.rtl.hierarchy import scan, sources_of

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_PORT = re.compile(r"^ +(input|output) +(?:wire|logic) +(?:\[([^\n]*)\] *)?(\w+),?$", re.MULTILINE)


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.sv")), ids=lambda path: path.stem)
def test_no_source_only_renames_ports(path: Path) -> None:
    """A body of one instance, whose ports are those of the module, would be a wrapper by hand."""
    text = _COMMENT.sub("", path.read_text())
    body = text.split(");", 1)[1].rsplit("endmodule", 1)[0]
    does_more = re.search(r"\b(assign|always\w*|for|if|wire|logic|localparam|function)\b", body)
    assert does_more or len(scan(text).instantiated) != 1, f"generate {path.name} as the others"


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda o: o.kind)
def test_ports_are_those_of_the_operator(operator: type[Operator]) -> None:
    """Names, directions and, with the parameters put in, widths of every stream."""
    for case in operator.cases():
        instance = case.operator.rtl(case.folding)
        text = sources_of([instance.module], dict(instance.generated))[f"{instance.module}.sv"]
        found = {name: (way, width) for way, width, name in _PORT.findall(_COMMENT.sub("", text))}
        expected = {"ap_clk": ("input", 1), "ap_rst_n": ("input", 1)}
        for prefix, streams, forward, backward in (
            ("s_axis", case.operator.input_streams(case.folding), "input", "output"),
            ("m_axis", case.operator.output_streams(case.folding), "output", "input"),
        ):
            for i, stream in enumerate(streams):
                expected[f"{prefix}_{i}_tdata"] = (forward, stream.width_bits)
                expected[f"{prefix}_{i}_tvalid"] = (forward, 1)
                expected[f"{prefix}_{i}_tready"] = (backward, 1)
        assert found.keys() == expected.keys(), case.label
        for name, (way, bits) in expected.items():
            assert found[name][0] == way, name
            if instance.generated and name.endswith("tdata"):
                assert width(found[name][1], dict(instance.parameters)) == bits, name


def width(span: str, parameters: dict[str, int]) -> int:
    """Bits of ``[span]``, an expression of ``parameters``."""
    top, low = span.rsplit(":", 1)
    top = re.sub(r"\((\w+) != 0 \? (\d+) : (\d+)\)", r"(\2 if \1 else \3)", top)
    return int(eval(top, {}, dict(parameters))) - int(low) + 1


def test_text() -> None:
    """All features at once: shared and own ports, an unused stream, wires, a body."""
    wrapper = PortWrapper(
        "outer",
        "inner",
        about=("What it is.", "", "More."),
        inputs=(StreamPort("A*2", "both"), StreamPort("3", "both"), StreamPort("1", "single")),
        outputs=(StreamPort("B", "out"),),
        settings=(*by_name(["A", "NAME_FILE"]), ("C", "A + B"), ("DEPTH", "FIFO_DEPTH_0")),
        parameters=(("A", 4), ("B", 0)),
        files=("NAME_FILE",),
        unused_inputs=("never",),
        wires=(("go", 1), ("sums", 7)),
        body="  other part (.go, .sums);",
    )
    assert wrapper.source == (
        "outer.sv",
        """\
// What it is.
//
// More.
`default_nettype none

module outer #(
    parameter NAME_FILE = "",
    parameter int A = 4,
    parameter int B = 0,
    parameter int FIFO_DEPTH_0 = 1
) (
    input  wire ap_clk,
    input  wire ap_rst_n,
    input  wire [A*2-1:0] s_axis_0_tdata,
    input  wire s_axis_0_tvalid,
    output wire s_axis_0_tready,
    input  wire [2:0] s_axis_1_tdata,
    input  wire s_axis_1_tvalid,
    output wire s_axis_1_tready,
    input  wire [0:0] s_axis_2_tdata,
    input  wire s_axis_2_tvalid,
    output wire s_axis_2_tready,
    output wire [B-1:0] m_axis_0_tdata,
    output wire m_axis_0_tvalid,
    input  wire m_axis_0_tready
);
  wire go;
  wire [6:0] sums;

  inner #(
      .A(A),
      .NAME_FILE(NAME_FILE),
      .C(A + B),
      .DEPTH(FIFO_DEPTH_0)
  ) engine (
      .clk(ap_clk),
      .rst_n(ap_rst_n),
      .both_tdata({s_axis_1_tdata, s_axis_0_tdata}),
      .both_tvalid({s_axis_1_tvalid, s_axis_0_tvalid}),
      .both_tready({s_axis_1_tready, s_axis_0_tready}),
      .single_tdata({s_axis_2_tdata}),
      .single_tvalid({s_axis_2_tvalid}),
      .single_tready({s_axis_2_tready}),
      .out_tdata({m_axis_0_tdata}),
      .out_tvalid({m_axis_0_tvalid}),
      .out_tready({m_axis_0_tready}),
      .never_tdata('0),
      .never_tvalid(1'b0),
      /* verilator lint_off PINCONNECTEMPTY */
      .never_tready()
      /* verilator lint_on PINCONNECTEMPTY */,
      .go(go),
      .sums(sums)
  );

  other part (.go, .sums);
endmodule

`default_nettype wire
""",
    )
