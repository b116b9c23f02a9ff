"""What cannot be simulated is refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_graphs import chain

from sephw.backends.layout import Layout, StreamInfo
from sephw.backends.rtl import write_project
from sephw.errors import SephwError
from sephw.passes import LoweringStage, lower
from sephw.rtl import SOURCES
from sephw.synth.netlist import read_netlist, write_netlist_project
from sephw.synth.netlist.verilog import verilog_text
from sephw.technologies import ECP5, XC7, Technology
from sephw.tools.verilator import build


def netlist(**cells: dict[str, Any]) -> dict[str, Any]:
    """A module ``top``: input a, output z, and cells."""
    ports = {"a": {"direction": "input", "bits": [2]}, "z": {"direction": "output", "bits": [3]}}
    named = {name: {"bits": port["bits"]} for name, port in ports.items()}
    return {"modules": {"top": {"ports": ports, "cells": cells, "netnames": named}}}


def cell(kind: str, connections: dict[str, list[int | str]], **parameters: str) -> dict[str, Any]:
    ways = {name: "output" if name in "ZQ" else "input" for name in connections}
    return {
        "type": kind,
        "parameters": parameters,
        "connections": connections,
        "port_directions": ways,
    }


def write(folder: Path, content: object) -> Path:
    path = folder / "netlist.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def refusal(path: Path, technology: Technology = ECP5) -> str:
    with pytest.raises(SephwError) as error:
        read_netlist(path, technology)
    return str(error.value)


def test_a_cell_without_a_model(tmp_path: Path) -> None:
    path = write(tmp_path, netlist(odd=cell("EHXPLLL", {"CLKI": [2]})))
    assert refusal(path) == (
        "netlist 'netlist.json': no model of cell type 'EHXPLLL' ('odd') among those of ecp5; "
        "add one to sephw/technologies"
    )


def test_a_technology_without_models(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, netlist()), XC7) == (
        "netlist simulation: no cell models of xc7; there are some of ecp5, ice40, gowin; choose a "
        "board of these"
    )


@pytest.mark.parametrize("content", [{}, [], {"modules": {}}, {"modules": {"a": {}, "b": {}}}])
def test_no_flat_netlist(tmp_path: Path, content: object) -> None:
    path = write(tmp_path, content)
    assert refusal(path) == (
        f"'{path}' is no netlist of one module as Yosys writes it; synthesize again"
    )


def test_no_file(tmp_path: Path) -> None:
    path = tmp_path / "absent.json"
    assert refusal(path) == (
        f"'{path}' is no netlist of one module as Yosys writes it; synthesize again"
    )


def test_a_flip_flop_that_loads(tmp_path: Path) -> None:
    register = cell("TRELLIS_FF", {"CLK": [2], "DI": [2], "Q": [3]}, LSRMODE="PRLD")
    assert refusal(write(tmp_path, netlist(register=register))) == (
        "netlist: TRELLIS_FF 'register' loads its M input (LSRMODE PRLD); the simulation has no "
        "model of that"
    )


def test_a_stream_that_is_missing(tmp_path: Path) -> None:
    content = read_netlist(write(tmp_path, netlist()), ECP5)
    stream = StreamInfo("conv", "conv_stream", "", "", 1, 1, 1, 8, False, 1, 1, 2)
    with pytest.raises(SephwError) as error:
        verilog_text(content, Layout("top", {}, {"conv": stream}, (), ()))
    assert str(error.value) == (
        "netlist of 'top': no net 'conv_stream_tdata' of 8 bits, so the stream 'conv' cannot be "
        "observed; synthesize again"
    )


def test_the_netlist_of_another_top(tmp_path: Path) -> None:
    graph = lower(replace(chain(), name="chain"), None, until=LoweringStage.WIDTH_CONVERTERS)
    write_project(graph, tmp_path / "rtl", samples={}, golden={})
    path = write(tmp_path, netlist())
    with pytest.raises(SephwError) as error:
        write_netlist_project(path, ECP5, tmp_path / "rtl", tmp_path / "out")
    assert str(error.value) == (
        "netlist 'netlist.json' is of 'top', with other ports than 'chain_top'; synthesize the "
        "network's own top module"
    )
    assert not (tmp_path / "out").exists()


def test_undefined_bits_are_drawn_from_the_seed(tmp_path: Path) -> None:
    """Constants, bits of parameters, and nets without a driver."""
    wired = {"DI": ["x", "x", "x", 9], "WAD": ["0"] * 4, "RAD": ["0"] * 4, "WRE": ["0"]}
    ram = cell("TRELLIS_DPR16X4", {**wired, "WCK": [2]}, INITVAL="x" * 64)
    content = read_netlist(write(tmp_path, netlist(ram=ram)), ECP5)
    layout = Layout("top", {}, {}, (), ())
    texts = {verilog_text(content, layout, seed=seed) for seed in range(8)}
    assert len(texts) == 8
    assert verilog_text(content, layout) == verilog_text(content, layout, seed=0)
    for text in texts:
        assert "x" not in text.split("module", 1)[1].replace("INITVAL", "")
        bits = text.split("64'b")[1][:64]
        assert 10 < bits.count("1") < 54
        assert "wire n9 = 1'b" in text and "wire n3 = 1'b" in text
    assert {text.split("wire n9 = 1'b")[1][0] for text in texts} == {"0", "1"}


@pytest.mark.parametrize(
    ("technology", "instance", "message"),
    [
        ("ecp5", 'DP16KD #(.REGMODE_B("OUTREG")) ram ();', "DP16KD: no model of output registers"),
        ("ecp5", 'DP16KD #(.CLKBMUX("INV")) ram ();', "DP16KD: no model of inverted clocks"),
        ("ecp5", 'MULT18X18D #(.REG_INPUTA_CLK("CLK0")) m ();', "MULT18X18D: no model of its"),
        ("ecp5", 'MULT18X18D #(.REG_OUTPUT_CLK("CLK1")) m ();', "MULT18X18D: no model of such"),
        ("ice40", "SB_MAC16 #(.MODE_8x8(1)) m ();", "SB_MAC16: no model of the 8 x 8 multipliers"),
        ("ice40", "SB_MAC16 #(.BOTADDSUB_CARRYSELECT(2)) m ();", "SB_MAC16: no model of cascades"),
    ],
)
def test_settings_of_blocks_without_a_model(
    technology: str, instance: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "top.v").write_text(f"module top; {instance} endmodule\n", encoding="utf-8")
    cells = str(SOURCES / "cells" / f"{technology}.v")
    with pytest.raises(SephwError) as error:
        build([cells, "top.v"], "top", tmp_path, tmp_path / "build", purpose="netlist simulation")
    text = str(error.value)
    assert text.startswith("netlist simulation: %") and message in text and "\n" not in text
