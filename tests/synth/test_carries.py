"""Unused carry outputs of ECP5: which are opened, and what nextpnr makes of it."""

import json
import re

from sephw.synth.carries import open_unused_carries
from sephw.tools.nextpnr import Nextpnr, run_nextpnr
from sephw.tools.yosys import run_yosys

# 8 and 9 bits: 4 and 5 carry cells of two LUTs.
ADDERS = """
module adders (input clk, input [7:0] a, b, output reg [7:0] sum, output reg [8:0] wide);
  always @(posedge clk) begin
    sum <= a + b;
    wide <= {1'b0, a} + {1'b0, sum};
  end
endmodule
"""


def cell(kind: str, **connections: list) -> dict:
    outputs = ("COUT", "S0", "S1", "Q", "Z")
    return {
        "type": kind,
        "port_directions": {p: "output" if p in outputs else "input" for p in connections},
        "connections": connections,
    }


def test_only_carries_that_nobody_reads_are_opened(tmp_path):
    cells = {
        "first": cell("CCU2C", A0=[2], CIN=["0"], COUT=[3], S0=[4]),
        "second": cell("CCU2C", A0=[2], CIN=[3], COUT=[5], S0=[6]),
        "to_logic": cell("CCU2C", A0=[2], CIN=["0"], COUT=[7]),
        "to_port": cell("CCU2C", A0=[2], CIN=["0"], COUT=[8]),
        "lut": cell("LUT4", A=[7], Z=[9]),
        "unread": cell("LUT4", A=[9], Z=[10]),
        "without": cell("CCU2C", A0=[2], CIN=["0"]),
    }
    ports = {"out": {"direction": "output", "bits": [8]}}
    path = tmp_path / "netlist.json"
    path.write_text(json.dumps({"modules": {"top": {"ports": ports, "cells": cells}}}))
    assert open_unused_carries(path) == 1
    left = json.loads(path.read_text())["modules"]["top"]["cells"]
    assert left["second"]["connections"].pop("COUT") == ["x"]
    cells["second"]["connections"].pop("COUT")
    assert left == cells


def test_nextpnr_spends_no_cells_on_them(tmp_path):
    """Two chains, 4 and 5 carry cells; behind each an unread carry would get a cell, two LUTs."""
    (tmp_path / "adders.v").write_text(ADDERS)
    run_yosys(
        "read_verilog adders.v; synth_ecp5 -top adders; write_json netlist.json", tmp_path,
        purpose="test",
    )  # fmt: skip

    def packed(log: str) -> dict[str, int]:
        run_nextpnr(
            Nextpnr.ECP5, ["--25k", "--json", "netlist.json", "--pack-only"], tmp_path,
            log=tmp_path / log, purpose="test", on_line=lambda line: None, timeout_seconds=300,
        )  # fmt: skip
        found = re.findall(r"(TRELLIS_COMB|carry LUTs): +(\d+)/", (tmp_path / log).read_text())
        return {name: int(count) for name, count in found}

    before = packed("before.log")
    assert open_unused_carries(tmp_path / "netlist.json") == 2
    after = packed("after.log")
    assert before["carry LUTs"] == after["carry LUTs"] == 2 * (4 + 5)
    assert before["TRELLIS_COMB"] - after["TRELLIS_COMB"] == 2 * 2
