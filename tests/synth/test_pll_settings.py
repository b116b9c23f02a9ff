"""A routed design with another PLL beside the same design built for that clock, bit by bit."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sephw.backends.board import board_pins, find_clocking
from sephw.backends.board.clock_module import clock_module
from sephw.backends.board.constraints import constraint_text
from sephw.errors import SephwError
from sephw.ir import Resources
from sephw.synth import RouteSettings, Synthesis, pack, place_and_route, pll
from sephw.synth.route import UART_CLOCKS, RoutedDesign, set_pll
from sephw.targets import Target, find_target
from sephw.technologies import ECP5, GOWIN, ICE40, PLL
from sephw.technologies.routing import CellParameters
from sephw.tools import nextpnr
from sephw.tools.yosys import run_yosys

SCRIPT = {
    ECP5: "synth_ecp5",
    ICE40: "synth_ice40",
    GOWIN: "synth_gowin -family gw1n",
}
# A light on each clock, so that both are there.
TOP = """
module top (input wire clk_in, output wire led_0, output wire led_1);
  (* keep *) wire clk, uart_clk;
  wire locked;
  sephw_board_pll pll (.clk_in(clk_in), .uart_clk(uart_clk), .clk(clk), .locked(locked));
  reg [3:0] fast;
  reg [3:0] slow;
  always @(posedge clk) fast <= locked ? fast + 1'b1 : 4'd0;
  always @(posedge uart_clk) slow <= slow + 1'b1;
  assign led_0 = fast[3];
  assign led_1 = slow[3];
endmodule
"""
SETTINGS = {"ulx3s-25f": (60.0, 93.75), "icebreaker": (24.0, 33.0), "tang-nano-9k": (54.0, 81.0)}


def routed(target: Target, mhz: float, folder: Path) -> tuple[RoutedDesign, dict[str, int]]:
    """`TOP` on a board at a clock, and the settings of its PLL."""
    pins = board_pins(target)
    pins = replace(pins, leds=pins.leds[:2])
    clocking = find_clocking(target.device, pins.clock_mhz, mhz)
    assert clocking.settings is not None and clocking.output_mhz == pytest.approx(mhz)
    folder.mkdir()
    (folder / "top.v").write_text(TOP)
    (folder / "pll.v").write_text(clock_module(clocking, target.device))
    run_yosys(
        f"read_verilog top.v pll.v; {SCRIPT[target.device.technology]} -top top -json netlist.json",
        folder,
        purpose="test",
    )
    ending, text = constraint_text(pins, target.device.technology)
    kept = [line for line in text.splitlines() if not _other_port(line)]
    (folder / f"pins.{ending}").write_text("\n".join(kept) + "\n")
    (folder / "log").touch()
    synthesis = Synthesis(
        top="top",
        technology=target.device.technology,
        engines={},
        glue=Resources(),
        instances={},
        netlist=folder / "netlist.json",
        log=folder / "log",
        engine_logs=folder,
        yosys_version="",
        runs=0,
        total=Resources(),
    )
    chip = target.open_board
    found = place_and_route(
        synthesis,
        target.device,
        RouteSettings(mhz, 600, chip.package, chip.speed, folder / f"pins.{ending}"),
        folder / "route",
        progress=lambda text: None,
    )
    return found, dict(clocking.settings)


def _other_port(line: str) -> bool:
    words = line.replace('"', " ").split()
    return any(word in ("uart_rx", "uart_tx", "button", "high_0", "led_2") for word in words)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_bitstream_is_that_of_a_design_built_for_the_clock(name, tmp_path) -> None:
    target = find_target(name)
    before, after = SETTINGS[name]
    first, _ = routed(target, before, tmp_path / "first")
    other, settings = routed(target, after, tmp_path / "other")
    assert set(first.fmax_mhz) == {"clk", next(iter(set(first.fmax_mhz) & UART_CLOCKS))}
    assert first.network_mhz == first.fmax_mhz["clk"]
    wanted = pack(other, target.device, tmp_path / "other").read_bytes()
    assert pack(first, target.device, tmp_path / "first").read_bytes() != wanted
    chip = target.open_board
    set_pll(
        first,
        target.device,
        settings,
        package=chip.package,
        speed=chip.speed,
        timeout_seconds=600,
    )
    assert pack(first, target.device, tmp_path / "first").read_bytes() == wanted


WORDS = ECP5.require(PLL).update


def test_what_cannot_be_set(tmp_path) -> None:
    design, text = tmp_path / "routed.json", tmp_path / "routed.config"
    design.write_text('{"modules": {"top": {"cells": {"a": {"type": "LUT4"}}}}}')
    text.write_text(".tile_group MIB_R50C2:PLL0_LL\nenum: MODE EHXPLLL\nword: CLKI_DIV 0000000\n\n")
    expected = "of nextpnr has {}, one was expected; use version 0.8 or later"
    for change, message in (
        (
            lambda: pll.set_pll(tmp_path, CellParameters("routed.json", "rPLL"), {}),
            "'routed.json' " + expected.format("0 PLLs"),
        ),
        (
            lambda: pll.set_pll(tmp_path, WORDS, {"CLKI_DIV": 2, "CLKOS_DIV": 3}),
            "'routed.config' " + expected.format("no word CLKOS_DIV"),
        ),
    ):
        before = design.read_text(), text.read_text()
        with pytest.raises(SephwError) as caught:
            change()
        assert str(caught.value) == message
        assert (design.read_text(), text.read_text()) == before
    pll.set_pll(tmp_path, WORDS, {"CLKI_DIV": 6})
    assert "word: CLKI_DIV 0000101\n" in text.read_text()
    design.write_text('{"modules": {"t": {"cells": {"a": {"type": "P", "parameters": {}}}}}}')
    with pytest.raises(SephwError) as caught:
        pll.set_pll(tmp_path, CellParameters("routed.json", "P"), {"IDIV_SEL": 1})
    assert str(caught.value) == "'routed.json' " + expected.format("no parameter IDIV_SEL")


def test_a_nextpnr_that_cannot_write_the_bits_again(tmp_path, monkeypatch) -> None:
    failing = "print('ERROR: bel is taken'); raise SystemExit(1)"
    monkeypatch.setattr(nextpnr, "find_nextpnr", lambda *_: [sys.executable, "-c", failing])
    cell = {"type": "ICESTORM_PLL", "parameters": {"DIVQ": "001"}}
    (tmp_path / "routed.json").write_text(json.dumps({"modules": {"top": {"cells": {"p": cell}}}}))
    found = RoutedDesign(
        fmax_mhz={},
        constraint_mhz={},
        clock_mhz=24.0,
        worst_path=None,
        used=Resources(),
        available=Resources(),
        seconds=0.0,
        version="",
        log=tmp_path / "log",
        configuration=tmp_path / "routed.asc",
        part="",
        seed=1,
    )
    with pytest.raises(SephwError) as caught:
        set_pll(found, find_target("icebreaker").device, {"DIVQ": 4}, timeout_seconds=60)
    assert str(caught.value) == (
        "PLL of ice40-up5k: nextpnr-ice40 failed: bel is taken; log: "
        f"{tmp_path / 'nextpnr_pll.log'}"
    )
