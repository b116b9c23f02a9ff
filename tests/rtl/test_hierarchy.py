"""Lists of sources follow from the instances: exactly the files that Verilator opens by itself."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from case_project import write_cases
from project_graphs import residual_graph

from sephw.adder_graph import Adder, AdderGraph, Interval, Output, emit_serial
from sephw.backends.rtl import write_project
from sephw.backends.rtl.project import FILE_LIST
from sephw.errors import SephwError
from sephw.ir import Operator
from sephw.ops import OPERATORS
from sephw.rtl import SOURCES
from sephw.rtl.hierarchy import scan, sources_of
from sephw.tools.process import run
from sephw.tools.verilator import find_verilator


def opened_by_verilator(project: Path, top: str, work: Path) -> set[str]:
    """Files that it looks up from ``top`` alone, with the project and all of rtl/ at hand."""
    for path in (*SOURCES.glob("*.sv"), *project.glob("*.sv")):
        shutil.copy(path, work)
    verilator = find_verilator("test")
    command = ["--json-only", "-Wno-lint", "-Wno-style", "-y", ".", "--top-module", top]
    done = run(
        [*verilator.command, *command, f"{top}.sv", "--Mdir", "found"],
        directory=work,
        environment={**os.environ, **verilator.environment},
    )
    assert done.returncode == 0, done.stderr
    (meta,) = (work / "found").glob("*.meta.json")
    files = [Path(entry["filename"]) for entry in json.loads(meta.read_text())["files"].values()]
    return {path.name for path in files if path.suffix == ".sv"}


def listed(project: Path) -> list[str]:
    return (project / FILE_LIST).read_text().split()


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda o: o.kind)
def test_sources_of_an_operator(operator: type[Operator], tmp_path: Path) -> None:
    """None is missing and none is more than is needed, over all cases of the operator."""
    project, work = tmp_path / "project", tmp_path / "work"
    work.mkdir()
    write_cases(list(operator.cases()), project, seed=1)
    *sources, top = listed(project)
    assert top == "cases_top.sv"
    assert sources == sorted(set(sources))
    assert {*sources, top} == opened_by_verilator(project, "cases_top", work)


def test_sources_of_a_network(tmp_path: Path) -> None:
    project, work = tmp_path / "project", tmp_path / "work"
    work.mkdir()
    write_project(residual_graph(), project, samples={}, golden={})
    (top,) = (path.stem for path in project.glob("*_top.sv"))
    assert set(listed(project)) == opened_by_verilator(project, top, work)
    engines = scan((project / f"{top}.sv").read_text()).instantiated
    own = {path.name: path.read_text() for path in project.glob("*.sv")}
    generated = {name: text for name, text in own.items() if not (SOURCES / name).exists()}
    del generated[f"{top}.sv"]
    assert list(sources_of(engines, generated)) == listed(project)[:-1]


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.sv")), ids=lambda path: path.stem)
def test_a_module_stands_in_the_file_of_its_name(path: Path) -> None:
    # The simulated PLL takes the place of a generated module.
    module = "sephw_board_pll" if path.stem == "sephw_board_pll_sim" else path.stem
    text = path.read_text()
    assert scan(text).defined == (module,)
    assert "`include" not in text
    assert "`define" not in text


INSTANCES = """\
`timescale 1ns / 1ps
`include "no_module here (x);"
`define MADE(x) macro_body m_``x (clk); \\
    macro_tail t (clk);
// comment c (.a(1));
/* block b (.a(1)); */
module outer #(parameter int A = 1, parameter B = "string s (1);") (
    input wire clk, input wire [A-1:0] x, output wire y
);
  import some_package::*;
  localparam int WIDE = A > 1 ? A : 1;
  typedef logic [3:0] nibble_t;
  nibble_t held;
  plain a (.clk);
  (* keep = "true" *) attributed b (.clk(clk), .x({x, x}));
  wide #(.BITS(WIDE > 2 ? (WIDE) : 2), .TEXT("); fake f (")) c (.clk(clk));
  ordered #(4, 5) d (clk, x);
  array e[3:0] (.clk(clk)), more[1:0] (.clk(clk));
  \\escaped! g (.clk(clk));
  function automatic nibble_t made(input nibble_t v);
    return v + 1;
  endfunction
  assign y = made(held) == 4'd3;
  for (genvar i = 0; i < A; i++) begin : each
    wire [1:0] part = x[i] ? 2'b01 : 2'b10;
    looped h (.clk(clk), .part(part));
    if (i == 0) first i0 (.clk(clk)); else later i1 (.clk(clk));
  end : each
  case (A)
    1: one j (.clk(clk));
    2, 3: begin : two_or_three
      two k (.clk(clk));
    end
    default: many l (.clk(clk));
  endcase
`ifdef SOME_MACRO some_cell m (.clk(clk)); `else other_cell n (.clk(clk)); `endif
  always_ff @(posedge clk) begin
    if (x[0]) held <= made(held);
    else case (held)
      4'd0: held <= x[0] ? 4'd1 : 4'd2;
      default: held <= '0;
    endcase
  end
  always @(*) $display("shown d (%d);", held);
  always @* task_call(held);
  and gate (y, x[0], clk);
  initial $readmemh("file f (1);", memory);
  assert property (@(posedge clk) y);
  plain again (.clk);
endmodule
module inner (input wire clk); endmodule
"""


def test_scan() -> None:
    found = scan(INSTANCES)
    assert found.defined == ("outer", "inner")
    assert " ".join(found.instantiated) == (
        "plain attributed wide ordered array escaped! looped first later one two many some_cell "
        "other_cell"
    )


def test_only_what_is_instantiated_is_needed() -> None:
    """A graph without shifts has no shifter among its sources; with one it has."""
    x = (Interval(0, 255), Interval(0, 255))
    for shift in (0, 1):
        graph = AdderGraph(x, (Adder(0, shift, 1, 0, False),), (Output(2),))
        text = emit_serial(graph, "sephw_adders", 1).text
        found = sources_of(["sephw_adders"], {"sephw_adders.sv": text})
        assert ("sephw_serial_shift.sv" in found) == bool(shift)
        assert "sephw_serial_add.sv" in found


def test_refusals() -> None:
    with pytest.raises(SephwError, match=r"^no source defines module 'sephw_nothing'; put "):
        sources_of(["sephw_nothing"])
    twice = {"a.sv": "module one; endmodule", "b.sv": "module one; endmodule"}
    with pytest.raises(SephwError, match=r"^module 'one' is defined in 'a.sv' and in 'b.sv'; "):
        sources_of([], twice)
    # Cells of a device have no source.
    assert sources_of(["EHXPLLL"]) == {}
