"""Every board's files: pins, constraints, lint, elaboration with the vendor's cells, refusals."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from board_designs import classifier, design, feature_map

from sephw.backends.board import BoardRates, board_pins, write_board
from sephw.backends.rtl import write_project
from sephw.errors import SephwError
from sephw.ir import Graph
from sephw.targets import TARGETS, find_target
from sephw.technologies import ECP5, GOWIN, ICE40
from sephw.tools.verilator import lint
from sephw.tools.yosys import run_yosys

BOARDS = [target.name for target in TARGETS if target.open_board is not None]

# From the boards' schematics: clock, host to FPGA, FPGA to host, lights (- active low), button
# (- active low), pins that are 1.
PINS = {
    "ulx3s-85f": ("G2", "M1", "L4", ["B2", "C2", "C1"], "R1", ["L2"]),
    "ulx3s-25f": ("G2", "M1", "L4", ["B2", "C2", "C1"], "R1", ["L2"]),
    "orangecrab-25f": ("A9", "N17", "M18", ["-M3", "-J3", "-K4"], "-J17", []),
    "orangecrab-85f": ("A9", "N17", "M18", ["-M3", "-J3", "-K4"], "-J17", []),
    "icebreaker": ("35", "6", "9", ["-11", "-37"], "-10", []),
    "tang-nano-9k": ("52", "18", "17", ["-10", "-11", "-13"], "-3", []),
    "tang-nano-20k": ("4", "70", "69", ["-15", "-16", "-17"], "88", []),
}
MHZ = {"ulx3s": 25, "orangecrab": 48, "icebreaker": 12, "tang": 27}
CELLS = {
    ECP5: ("EHXPLLL", "-lib +/ecp5/cells_sim.v +/ecp5/cells_bb.v"),
    ICE40: ("SB_PLL40_2_PAD", "-lib -D ICE40_U +/ice40/cells_sim.v"),
    GOWIN: ("rPLL", "-lib +/gowin/cells_sim.v +/gowin/cells_xtra_gw1n.v"),
}


def _signed(pin) -> str:
    return f"{'-' if pin.inverted else ''}{pin.site}"


def test_every_open_board_is_here() -> None:
    assert set(BOARDS) == set(PINS)


@pytest.mark.parametrize("name", BOARDS)
def test_pins(name) -> None:
    pins = board_pins(find_target(name))
    clock, rx, tx, leds, button, high = PINS[name]
    assert (pins.clock.site, pins.uart_rx.site, pins.uart_tx.site) == (clock, rx, tx)
    assert [_signed(pin) for pin in pins.leds] == leds
    assert pins.button is not None
    assert _signed(pins.button) == button
    assert [pin.site for pin in pins.driven_high] == high
    assert pins.clock_mhz == MHZ[name.split("-")[0]]
    assert len({pin.site for pin in pins.all}) == len({pin.port for pin in pins.all})


@pytest.fixture(scope="module")
def graph() -> Graph:
    return feature_map()


@pytest.mark.parametrize("name", BOARDS)
def test_constraints_place_every_port_once(name, graph, tmp_path) -> None:
    found = design(graph, tmp_path, target=name, clock_mhz=24.0)
    text = found.project.constraints.read_text()
    ending = found.project.constraints.suffix
    located = {
        ".lpf": r'^LOCATE COMP "(\w+)" SITE "(\w+)";$',
        ".pcf": r"^set_io (?:-pullup yes )?(\w+) (\w+)$",
        ".cst": r'^IO_LOC "(\w+)" (\w+);$',
    }[ending]
    places = re.findall(located, text, re.MULTILINE)
    top = (tmp_path / "board" / f"{found.project.top}.sv").read_text()
    header = top[top.index("module ") : top.index(");")]
    ports = re.findall(r"(?:input|output) +wire (\w+)", header)
    assert sorted(port for port, _ in places) == sorted(ports)
    clock, rx, tx, leds, button, high = PINS[name]
    expected = {
        "clk_in": clock,
        "uart_rx": rx,
        "uart_tx": tx,
        "button": button.strip("-"),
        **{f"led_{i}": led.strip("-") for i, led in enumerate(leds)},
        **{f"high_{i}": pin for i, pin in enumerate(high)},
    }
    assert dict(places) == expected
    # An unconnected receive line reads as the rest level.
    pull = {
        ".lpf": '"uart_rx" .*PULLMODE=UP',
        ".pcf": "-pullup yes uart_rx",
        ".cst": '"uart_rx" .*PULL_MODE=UP',
    }[ending]
    assert re.search(pull, text)


@pytest.mark.parametrize("name", ["ulx3s-85f", "orangecrab-25f", "icebreaker", "tang-nano-9k"])
def test_lint_and_elaboration(name, graph, tmp_path) -> None:
    """Without a warning, and with the vendor's PLL cell, every parameter and port of it known."""
    found = design(graph, tmp_path, target=name, clock_mhz=50.0)
    work = tmp_path / "work"
    shutil.copytree(tmp_path / "rtl", work)
    for path in {*found.project.sources, *found.project.simulation_sources}:
        shutil.copy(path, work)
    shared = (work / "files.f").read_text().split()
    simulated = [path.name for path in found.project.simulation_sources]
    lint([*shared, *simulated], found.project.top, work, purpose="test")
    cell, library = CELLS[find_target(name).device.technology]
    pll = (work / "sephw_board_pll.sv").read_text()
    assert f"  {cell} #(" in pll
    own = [path.name for path in found.project.sources]
    assert not set(own) - {path.name for path in work.iterdir()}
    printed = run_yosys(
        f"read_verilog {library}; read_verilog -sv {' '.join(dict.fromkeys([*shared, *own]))}; "
        f"hierarchy -check -top {found.project.top}; proc; check -assert; stat",
        work,
        purpose="test",
    )
    assert cell in printed


@pytest.mark.parametrize(("name", "chained"), [("ulx3s-85f", True), ("icebreaker", False)])
def test_resets_go_from_engine_to_engine_on_large_chips(name, chained, graph, tmp_path) -> None:
    found = design(graph, tmp_path, target=name, clock_mhz=50.0)
    assert found.project.macros == (("SEPHW_RESET_CHAIN",) if chained else ())
    listed = (tmp_path / "board" / "simulation.f").read_text().split()
    assert (listed[0] == "+define+SEPHW_RESET_CHAIN") == chained
    # A register per engine in synthesis; the link holds the reset for longer than that.
    (network,) = (tmp_path / "rtl").glob("*_top.sv")
    module, engines = network.stem, len(graph.nodes)
    for macros, registers in (("", 0), ("-D SEPHW_RESET_CHAIN=1 ", engines)):
        sources = " ".join((tmp_path / "rtl" / "files.f").read_text().split())
        printed = run_yosys(
            f"read_verilog -sv {macros}{sources}; hierarchy -top {module}; cd {module}; proc; "
            "opt_clean; select -count t:$dff; simplemap; select -count t:$_DFF_P_",
            tmp_path / "rtl",
            purpose="test",
        )
        assert re.findall(r"(\d+) objects", printed)[-1] == str(registers)
    (bits,) = re.findall(r"\.RESET_BITS\((\d+)\)", found.project.sources[0].read_text())
    assert 1 << int(bits) > engines


def test_the_link_takes_any_shape_of_stream(tmp_path) -> None:
    """Lint of one beat, one lane, 1-bit and 64-bit values, a single word of many lanes."""
    found = design(feature_map(), tmp_path)
    for name in ("sephw_credit.sv", "sephw_fifo.sv", "sephw_output.sv", "sephw_ram.sv"):
        assert (tmp_path / "board" / name).is_file()
    files = [p.name for p in found.project.sources if "_board_pll" not in p.name][1:]
    for number, (lanes, bits, words, outs, width, out_words) in enumerate(
        [(1, 8, 1, 1, 1, 1), (3, 5, 7, 1, 64, 1), (64, 8, 1, 5, 17, 3), (1, 1, 2, 1, 8, 256)]
    ):
        parameters = {
            "IN_LANES": lanes,
            "IN_BITS": bits,
            "IN_WORDS": words,
            "OUT_LANES": outs,
            "OUT_BITS": width,
            "OUT_WORDS": out_words,
            "CLOCKS_PER_BIT": 8,
        }
        top = f"shape_{number}"
        (tmp_path / "board" / f"{top}.sv").write_text(
            f"module {top} (input wire clk, input wire rst_n, input wire u, input wire rx,\n"
            "  output wire tx,\n"
            f"  output wire r, input wire [{outs * width - 1}:0] o, input wire v,\n"
            f"  output wire [{lanes * bits - 1}:0] i, output wire iv, output wire y,\n"
            "  input wire z, output wire h, output wire t);\n"
            f"  sephw_link #({', '.join(f'.{k}({v})' for k, v in parameters.items())}) link (\n"
            "    .clk(clk), .rst_n(rst_n), .uart_clk(u), .uart_rst_n(rst_n), .gate(z),\n"
            "    .uart_rx(rx), .uart_tx(tx), .network_rst_n(r),\n"
            "    .m_axis_tdata(i), .m_axis_tvalid(iv), .m_axis_tready(z), .s_axis_tdata(o),\n"
            "    .s_axis_tvalid(v), .s_axis_tready(y), .heard(h), .trouble(t));\n"
            "endmodule\n"
        )
        own = [name for name in files if "sephw_board" not in name]
        lint([*own, f"{top}.sv"], top, tmp_path / "board", purpose=f"test {number}")


def test_the_same_bytes_every_time_and_another_build_for_another_design(tmp_path) -> None:
    first, again = (design(feature_map(), tmp_path / name) for name in "ab")
    files = sorted(path.name for path in (tmp_path / "a" / "board").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "b" / "board").iterdir())
    for name in files:
        assert (tmp_path / "a" / "board" / name).read_bytes() == (
            tmp_path / "b" / "board" / name
        ).read_bytes(), name

    def build(directory) -> str:
        return json.loads((directory / "board" / "accelerator.json").read_text())["build_id"]

    builds = [build(first.directory)]
    assert build(again.directory) == builds[0]
    # The clock is set last of all; another board, other weights, other RTL make another design.
    design(feature_map(), tmp_path / "c", clock_mhz=16)
    assert build(tmp_path / "c") == builds[0]
    design(feature_map(), tmp_path / "d", target="ulx3s-25f")
    node = next(n for n in feature_map().nodes if n.operator.kind == "pattern_conv")
    flipped = replace(node.operator, patterns=-node.operator.patterns)
    other = feature_map()
    nodes = tuple(replace(n, operator=flipped) if n.name == node.name else n for n in other.nodes)
    design(replace(other, nodes=nodes), tmp_path / "e")
    source = tmp_path / "b" / "rtl" / "files.f"
    changed = tmp_path / "b" / "rtl" / source.read_text().split()[0]
    changed.write_text(changed.read_text() + "\n")
    write_board(
        feature_map(),
        find_target("ulx3s-85f"),
        tmp_path / "b" / "rtl",
        tmp_path / "b" / "board",
        BoardRates(8.0),
    )
    builds += [build(tmp_path / name) for name in "deb"]
    assert len(set(builds)) == 4


def test_what_an_export_holds(tmp_path) -> None:
    found = design(classifier(), tmp_path)
    description = json.loads((tmp_path / "board" / "accelerator.json").read_text())
    assert description["image_shape"] == [4, 4, 3]
    assert (description["output_bits"], description["output_signed"]) == (28, True)
    rates = tuple(description[name] for name in ("clock_hz", "uart_hz", "baud"))
    assert rates == (8_000_000, 25_000_000, 1_000_000)
    assert description["cable"] == "ulx3s"
    images = np.load(tmp_path / "board" / "test_images.npy")
    outputs = np.load(tmp_path / "board" / "test_outputs.npy")
    assert np.array_equal(found.outputs(images), outputs)


@pytest.mark.parametrize(
    ("target", "clock", "baud", "message"),
    [
        (
            "pynq-z2",
            100,
            None,
            "target 'pynq-z2' has no place-and-route from PyPI, so no board "
            "top is generated; use one of ulx3s-85f, ulx3s-25f, orangecrab-25f, "
            "orangecrab-85f, icebreaker, tang-nano-9k, tang-nano-20k",
        ),
        (
            "ulx3s-85f",
            50,
            4_000_000,
            "an oscillator of 25 MHz cannot make 4000000 baud: it takes "
            "at least 8 cycles a bit within 1 %; choose another rate",
        ),
        (
            "ulx3s-85f",
            50,
            1_720_000,
            "an oscillator of 25 MHz cannot make 1720000 baud: it takes "
            "at least 8 cycles a bit within 1 %; choose another rate",
        ),
        (
            "orangecrab-25f",
            5,
            6_000_000,
            "a clock of 5 MHz is too slow for 6000000 baud: it takes "
            "at least one cycle a bit; choose a lower rate or a faster clock",
        ),
        (
            "icebreaker",
            5,
            1_000_000,
            "a clock of 5 MHz: the PLL makes no less than 16 MHz and the "
            "board's oscillator is 12 MHz; ask for 12 MHz or more",
        ),
    ],
)
def test_refusals(target, clock, baud, message, graph, tmp_path) -> None:
    write_project(graph, tmp_path / "rtl", samples={}, golden={})
    with pytest.raises(SephwError) as caught:
        write_board(
            graph,
            find_target(target),
            tmp_path / "rtl",
            tmp_path / "board",
            BoardRates(clock, baud=baud),
        )
    assert str(caught.value) == message
    assert not (tmp_path / "board").exists()


@pytest.mark.parametrize("name", BOARDS)
def test_every_oscillator_makes_the_usual_rate(name, graph, tmp_path) -> None:
    found = design(graph, tmp_path, target=name, clock_mhz=50.0)
    (clocks,) = re.findall(r"CLOCKS_PER_BIT\((\d+)\)", found.project.sources[0].read_text())
    assert (found.project.baud, int(clocks)) == (1_000_000, MHZ[name.split("-")[0]])
