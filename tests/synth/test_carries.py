"""Carry chains of ECP5: what is rewritten, that it computes the same, and what nextpnr makes of it.

The reference is integer arithmetic; cells are evaluated by the functions of Yosys' own models.
"""

import json
import random
import re

import pytest

from sephw.technologies.helpers.ecp5_carries import Relief, relieve_carries
from sephw.tools.nextpnr import run_nextpnr
from sephw.tools.yosys import run_yosys

# name: Verilog of y (16 bits) from a, b, c (8 bits, 8 bits, 1 bit), the same in Python, and what
# is rewritten: a spare last half takes a start in, so does a first bit of at most two nets.
FUNCTIONS = {
    "even": ("a + b", lambda a, b, c: a + b, Relief(1, 1)),
    "odd": ("a[6:0] + b[6:0] + 8'd0", lambda a, b, c: a % 128 + b % 128, Relief(1, 1)),
    "minus": ("a - b", lambda a, b, c: a - b, Relief(1, 1)),
    "constant": ("a + 8'd77", lambda a, b, c: a + 77, Relief(1, 1)),
    "first carry": ("a + b + c", lambda a, b, c: a + b + c, Relief(1, 0)),
    "either": ("c ? a + b : a - b", lambda a, b, c: a + b if c else a - b, Relief(2, 2)),
    "compare": ("a < b", lambda a, b, c: a < b, None),
}


def cell(kind: str, **connections: list) -> dict:
    outputs = ("COUT", "S0", "S1", "Q", "Z")
    found = {
        "type": kind,
        "port_directions": {p: "output" if p in outputs else "input" for p in connections},
        "connections": connections,
        "parameters": {},
    }
    if kind == "CCU2C":
        # 4 nets in the first bit: no LUT2 makes its carry.
        found["parameters"] = {
            "INIT0": f"{0x6996:016b}",
            "INIT1": f"{0x6996:016b}",
            "INJECT1_0": "NO",
            "INJECT1_1": "NO",
        }
        for i in (0, 1):
            for port in "ABCD":
                connections.setdefault(f"{port}{i}", [100 + 4 * i + "ABCD".index(port)])
                found["port_directions"][f"{port}{i}"] = "input"
    return found


def test_only_carries_that_nobody_reads_are_opened(tmp_path):
    cells = {
        "first": cell("CCU2C", CIN=["0"], COUT=[3], S0=[4], S1=[20]),
        "second": cell("CCU2C", CIN=[3], COUT=[5], S0=[6], S1=[21]),
        "to_logic": cell("CCU2C", CIN=["0"], COUT=[7], S0=[22]),
        "to_port": cell("CCU2C", CIN=["0"], COUT=[8], S0=[23]),
        "lut": cell("LUT4", A=[7], B=[20], C=[21], Z=[9]),
        "unread": cell("LUT4", A=[9], Z=[10]),
        "without": cell("CCU2C", CIN=[9], S1=[24]),
    }
    ports = {"out": {"direction": "output", "bits": [8]}}
    path = tmp_path / "netlist.json"
    path.write_text(json.dumps({"modules": {"top": {"ports": ports, "cells": cells}}}))
    assert relieve_carries(path) == Relief(ends=1, starts=0)
    left = json.loads(path.read_text())["modules"]["top"]["cells"]
    assert left["second"]["connections"].pop("COUT") == ["x"]
    cells["second"]["connections"].pop("COUT")
    assert left == cells


@pytest.mark.parametrize("name", FUNCTIONS)
def test_rewritten_chains_compute_the_same(name, tmp_path):
    text, reference, expected = FUNCTIONS[name]
    (tmp_path / "top.v").write_text(
        f"module top (input [7:0] a, b, input c, output [15:0] y); assign y = {text}; endmodule"
    )
    run_yosys(
        "read_verilog top.v; synth_ecp5 -top top; write_json netlist.json",
        tmp_path,
        purpose="test",
    )
    path = tmp_path / "netlist.json"
    before = json.loads(path.read_text())["modules"]["top"]
    relief = relieve_carries(path)
    assert expected is None or relief == expected
    after = json.loads(path.read_text())["modules"]["top"]
    generator = random.Random(1)
    for _ in range(200):
        a, b, c = generator.randrange(256), generator.randrange(256), generator.randrange(2)
        wanted = int(reference(a, b, c)) % 2**16
        assert evaluate(before, a, b, c) == evaluate(after, a, b, c) == wanted


def evaluate(module: dict, a: int, b: int, c: int) -> int:
    """y, by Yosys' models of CCU2C, LUT4 and the multiplexers; open inputs are 1 in a LUT.

    An open carry is taken as 0 and as 1: y must not depend on it.
    """
    values = [_evaluate(module, {"a": a, "b": b, "c": c}, carry) for carry in (0, 1)]
    assert values[0] == values[1]
    return values[0]


def _evaluate(module: dict, inputs: dict[str, int], open_carry: int) -> int:
    level = {"0": 0, "1": 1}
    for name, value in inputs.items():
        for place, bit in enumerate(module["ports"][name]["bits"]):
            level[bit] = value >> place & 1
    waiting = list(module["cells"].values())
    while waiting:
        rest = []
        for part in waiting:
            pins = {
                pin: "1" if bits[0] == "x" and pin != "CIN" else bits[0]
                for pin, bits in part["connections"].items()
                if part["port_directions"][pin] == "input"
            }
            if any(net not in level and net != "x" for net in pins.values()):
                rest.append(part)
                continue
            seen = {pin: level.get(net, open_carry) for pin, net in pins.items()}
            for pin, value in _outputs(part, seen).items():
                level[part["connections"].get(pin, ["x"])[0]] = value
        assert len(rest) < len(waiting)
        waiting = rest
        level.pop("x", None)
    bits = module["ports"]["y"]["bits"]
    return sum(level[bit] << place for place, bit in enumerate(bits))


def _outputs(part: dict, seen: dict[str, int]) -> dict[str, int]:
    if part["type"] == "LUT4":
        table = int(part["parameters"]["INIT"], 2)
        return {"Z": table >> sum(seen[p] << i for i, p in enumerate("ABCD")) & 1}
    if part["type"] == "PFUMX":
        return {"Z": seen["ALUT"] if seen["C0"] else seen["BLUT"]}
    if part["type"] == "L6MUX21":
        return {"Z": seen["D1"] if seen["SD"] else seen["D0"]}
    assert part["type"] == "CCU2C"
    carry, found = seen["CIN"], {}
    for i in "01":
        table = int(part["parameters"]["INIT" + i], 2)
        lut4 = table >> sum(seen[p + i] << k for k, p in enumerate("ABCD")) & 1
        lut2 = table >> sum(seen[p + i] << k for k, p in enumerate("AB")) & 1
        found["S" + i] = lut4 ^ carry
        carry = (1 - lut4) & lut2 | lut4 & carry
    return {**found, "COUT": carry}


# 8 and 9 bits: 4 and 5 carry cells of two LUTs, with a cell of nextpnr's on either side.
ADDERS = """
module adders (input clk, input [7:0] a, b, output reg [7:0] sum, output reg [8:0] wide);
  always @(posedge clk) begin
    sum <= a + b;
    wide <= {1'b0, a} + {1'b0, sum};
  end
endmodule
"""


def test_nextpnr_spends_no_cells_on_them(tmp_path):
    (tmp_path / "adders.v").write_text(ADDERS)
    run_yosys(
        "read_verilog adders.v; synth_ecp5 -top adders; write_json netlist.json",
        tmp_path,
        purpose="test",
    )

    def packed(log: str) -> dict[str, int]:
        run_nextpnr(
            "nextpnr-ecp5",
            ["--25k", "--json", "netlist.json", "--pack-only"],
            tmp_path,
            log=tmp_path / log,
            purpose="test",
            on_line=lambda line: None,
            timeout_seconds=300,
        )
        found = re.findall(r"(TRELLIS_COMB|carry LUTs): +(\d+)/", (tmp_path / log).read_text())
        return {name: int(count) for name, count in found}

    before = packed("before.log")
    assert relieve_carries(tmp_path / "netlist.json") == Relief(ends=2, starts=2)
    after = packed("after.log")
    assert before["carry LUTs"] == after["carry LUTs"] == 2 * (4 + 5)
    # Two cells of two LUTs less behind the chains and before them, one LUT more for 8 bits.
    assert before["TRELLIS_COMB"] - after["TRELLIS_COMB"] == 2 * 2 + 2 * 2 - 1
