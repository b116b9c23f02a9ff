"""The flow with tools that do what a test tells them."""

import json
import re
import threading
import time

import pytest
from synth_projects import failure, flow, small_graph

from sephw.backends.board import TestFrames
from sephw.errors import SephwError
from sephw.ir import Resources
from sephw.synth import (
    DoesNotFit,
    Request,
    SynthesisSettings,
    TimingNotMet,
    run_flow,
    synthesize,
)
from sephw.synth.timing import describe, rounded_down
from sephw.targets import find_device, find_target
from sephw.technologies import ICE40
from sephw.tools.file_cache import FileCache

ECP5 = find_device("ecp5-25f")
BOARD = find_target("ulx3s-25f")


def test_a_device_alone(tools, export):
    tools.plan(fmax=[61.27])
    run = flow(export, Request(ECP5))
    assert tools.calls() == [*["engine"] * 4, "link", "route 100 seed 1"]
    out = export.folder / "synth"
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()) == [
        "logs/engines/image_to_lanes1_engine.log",
        "logs/engines/image_window3_node_engine.log",
        "logs/engines/map_node_engine.log",
        "logs/engines/pattern_node_engine.log",
        "logs/link.log",
        "logs/nextpnr.log",
        "logs/seconds.json",
        "netlist.json",
        "sephw_harness.bit",
        "sephw_harness.sv",
        "synth.json",
    ]
    assert not (export.folder / "board").exists()
    assert (out / "sephw_harness.bit").read_text() == "packed: routed with seed 1"
    record = json.loads((out / "synth.json").read_text())
    # Nobody asked for a clock, so none is missed; the design runs at what was reached.
    assert record["clock_mhz"] == run.clock_mhz == 61.2
    assert record["routed"]["fmax_mhz"] == {"clk": 61.27}
    assert record["routed"]["constraint_mhz"] == {} and record["routed"]["timing_met"] is True
    assert record["tools"] == {"yosys": "9.9 (git sha1 0123abc)", "nextpnr-ecp5": "7.7"}
    assert record["top"] == "sephw_harness" and record["target"] is None
    assert {name: engine["lut"] for name, engine in record["synthesized"]["engines"].items()} == {
        "image_to_lanes1": 3,
        "image_window3_node": 3,
        "pattern_node": 3,
        "map_node": 3,
    }
    assert record["synthesized"]["glue"] == {"lut": 0, "ff": 1, "bram": 0, "dsp": 0}
    assert run.synthesis.total == Resources(12, 1)
    assert run.synthesis.netlist == out / "netlist.json" and run.synthesis.netlist.is_file()
    assert run.bitstream == out / "sephw_harness.bit" and run.bitstream.is_file()
    assert run.routed.log.is_file() and run.synthesis.log.is_file()


def test_the_same_run_gives_the_same_bytes(tools, export):
    contents = []
    for _ in range(2):
        flow(export, Request(ECP5))
        files = (p for p in export.folder.rglob("*") if p.is_file() and "logs" not in p.parts)
        contents.append({path: path.read_bytes() for path in files})
    assert contents[0] == contents[1]
    assert tools.calls().count("engine") == 4


def test_engines_come_from_the_cache(tools, export, tmp_path):
    cache = FileCache(tmp_path / "netlists")
    for expected in (4, 0):
        assert flow(export, Request(ECP5), cache=cache).synthesis.runs == expected
    tools.plan(fmax=[100.0], luts=9)
    # The cache is asked for the engine and the script: another technology starts anew.
    found = synthesize(
        export.rtl,
        export.graph,
        ICE40,
        tmp_path / "w",
        SynthesisSettings(60, cache=cache),
        progress=lambda text: None,
    )
    assert found.runs == 4 and found.total.lut == 0


def _set_mhz(bitstream: str) -> float:
    """What a PLL makes of 25 MHz with the dividers in a packed configuration."""
    words = dict(re.findall(r"word: (\w+) ([01]{7})", bitstream[: bitstream.index("PLL0_LR")]))
    n = {name: int(word, 2) + 1 for name, word in words.items()}
    assert (n["CLKOP_CPHASE"], n["CLKOS_CPHASE"]) == (n["CLKOP_DIV"], n["CLKOS_DIV"])
    oscillator = 25 / n["CLKI_DIV"] * n["CLKFB_DIV"] * n["CLKOP_DIV"]
    assert 400 <= oscillator <= 800
    return oscillator / n["CLKOS_DIV"]


@pytest.mark.parametrize("reached", [65.8, 131.25])
def test_a_board_gets_the_clock_that_is_reached(tools, export, reached):
    """Less than the 100 MHz that it aims at, or more; routed once, with the PLL set after that."""
    tools.plan(fmax=[reached])
    told = []
    run = flow(
        export,
        Request(BOARD.device, BOARD),
        progress=told.append,
        frames=TestFrames(export.images, export.outputs),
    )
    assert [line for line in tools.calls() if line != "engine"] == ["link", "route 100 seed 1"]
    assert 0.999 * reached < run.clock_mhz <= reached
    assert f"{reached:g} MHz reached; the PLL is set to {run.clock_mhz:g}" in told
    record = json.loads((export.folder / "synth" / "synth.json").read_text())
    assert record["clock_mhz"] == run.clock_mhz
    assert record["target"] == "ulx3s-25f" and record["top"] == "chain_board"
    assert record["routed"]["constraint_mhz"] == {"clk": run.clock_mhz, "clk_in": 25}
    assert (record["routed"]["network_mhz"], record["routed"]["timing_met"]) == (reached, True)
    board = export.folder / "board"
    clock_hz = json.loads((board / "accelerator.json").read_text())["clock_hz"]
    assert clock_hz == round(run.clock_mhz * 1e6)
    assert f"25 MHz to {run.clock_mhz:.6g} MHz" in (board / "sephw_board_pll.sv").read_text()
    assert (board / "test_images.npy").is_file()
    bitstream = run.bitstream.read_text()
    assert _set_mhz(bitstream) == pytest.approx(run.clock_mhz, rel=1e-9)
    assert bitstream.endswith("word: CLKI_DIV 1111111\n\n")


def test_a_board_keeps_a_wanted_clock_that_is_met(tools, export):
    tools.plan(fmax=[120.0])
    assert flow(export, Request(BOARD.device, BOARD, clock_mhz=100)).clock_mhz == 100
    assert sum(line.startswith("route") for line in tools.calls()) == 1


@pytest.mark.parametrize(
    ("luts", "aim", "options"),
    [
        (2500, "100", ["--placer", "static"]),
        (2501, "100", ["--placer", "static", "--router", "router2"]),
        (5000, "100", ["--placer", "static", "--router", "router2"]),
        (5001, "70", ["--placer", "static", "--router", "router2"]),
        (10001, "60", ["--placer", "static", "--router", "router2"]),
    ],
)
def test_a_large_board_aims_at_what_its_size_reaches(tools, export, luts, aim, options):
    # Of each of four engines; the limits are 10,000, 20,000 and 40,000 LUTs.
    board = find_target("ulx3s-85f")
    tools.plan(fmax=[100.0], luts=luts)
    told = []
    run = flow(export, Request(board.device, board), progress=told.append)
    assert [call for call in tools.calls() if call != "engine"] == [
        *["link"] * (1 if aim == "100" else 2),
        f"route {aim} seed 1",
    ]
    assert run.clock_mhz == 100 and list(run.routed.options) == options
    assert (f"a design of this size: aiming at {aim} MHz" in told) == (aim != "100")


def test_a_wanted_clock_goes_before_what_the_size_reaches(tools, export):
    board = find_target("ulx3s-85f")
    tools.plan(fmax=[100.0], luts=10001)
    assert flow(export, Request(board.device, board, clock_mhz=90.0)).clock_mhz == 90
    assert tools.calls()[-1] == "route 90 seed 1"


@pytest.mark.parametrize(("least_mhz", "aim"), [(65.0, "65"), (50.0, "60"), (110.0, "110")])
def test_frames_asked_for_raise_the_aim(tools, export, least_mhz, aim):
    board = find_target("ulx3s-85f")
    tools.plan(fmax=[80.0], luts=10001)
    run = flow(export, Request(board.device, board, least_mhz=least_mhz))
    assert tools.calls()[-1] == f"route {aim} seed 1"
    # It is an aim: what is reached instead is what the board gets.
    assert run.clock_mhz == 80


def test_a_board_slower_than_any_clock_of_its_pll(tools, export):
    tools.plan(fmax=[3.0])
    message = failure(export, Request(BOARD.device, BOARD), TimingNotMet)
    assert sum(line.startswith("route") for line in tools.calls()) == 1
    assert message.startswith("ecp5-25f: timing not met: 3 MHz of 3.125 MHz; worst path ")


def test_a_board_whose_uart_misses_the_oscillator(tools, export):
    tools.plan(fmax=[80.0], uart=24.0)
    message = failure(export, Request(BOARD.device, BOARD), TimingNotMet)
    assert message.startswith("ecp5-25f: timing not met: 24 MHz of 25 MHz; worst path ")


def test_a_wanted_clock_that_is_missed(tools, export, tmp_path):
    tools.plan(fmax=[61.27], slow="network.pattern_node_engine.sum")
    request = Request(ECP5, clock_mhz=80, seeds=2)
    message = failure(export, request, TimingNotMet)
    log = tmp_path / "state/sephw/log/synth/chain-ecp5-25f/route/seed_1/nextpnr.log"
    assert message == (
        "ecp5-25f: timing not met: 61.2 MHz of 80 MHz; worst path from 'pattern_node' to the logic "
        "around the engines, 3.5 ns (1.5 logic, 2.0 routing, 1 nets); ask for --clock-mhz 61.2 or "
        f"less, try more --seeds, or fold the slow engine further; log: {log}"
    )
    assert log.read_text() == "Info: Packing constants..\n"
    assert (log.parents[2] / "synthesis/link.log").read_text() == "Yosys was here\n"


def test_a_wanted_clock_that_is_met(tools, export):
    tools.plan(fmax=[80.0])
    run = flow(export, Request(ECP5, clock_mhz=80))
    assert (run.clock_mhz, run.requested_mhz) == (80, 80)
    assert run.routed.constraint_mhz == {"clk": 80} and run.routed.timing_met


def test_the_fastest_of_several_seeds_counts(tools, export):
    tools.plan(by_seed={"7": 50.0, "8": 70.0, "9": 70.0, "10": 60.0}, fmax=[1.0])
    told = []
    run = flow(export, Request(ECP5, seed=7, seeds=4), progress=told.append)
    assert (run.routed.seed, run.clock_mhz) == (8, 70)
    assert run.bitstream.read_text() == "packed: routed with seed 8"
    routes = {line for line in tools.calls() if line.startswith("route")}
    assert routes == {f"route 100 seed {seed}" for seed in (7, 8, 9, 10)}
    assert "seed 10: routed, 60 MHz" in told and "seed 7: packing" in told


def test_counts_alone(tools, export):
    run = flow(export, Request(ECP5, route=False))
    assert tools.calls() == [*["engine"] * 4, "link"]
    assert (run.routed, run.bitstream, run.clock_mhz) == (None, None, None)
    record = json.loads((export.folder / "synth" / "synth.json").read_text())
    assert record["routed"] is None and record["note"] == ""


def test_a_device_without_open_place_and_route(tools, export):
    device = find_device("xc7z020")
    run = flow(export, Request(device, find_target("pynq-z2")))
    record = json.loads((export.folder / "synth" / "synth.json").read_text())
    assert run.routed is None and record["top"] == "chain_top"
    assert record["note"] == (
        "no place-and-route for this device comes from PyPI; the counts are those of Yosys"
    )
    assert failure(export, Request(device, clock_mhz=50)) == (
        "place and route for xc7z020: no tool from PyPI places and routes xc7 devices (openXC7, "
        "elsewhere, does some 7-series ones); use --no-route for the counts of Yosys, and the "
        "vendor's tools for a bitstream"
    )
    assert failure(export, Request(ECP5, clock_mhz=50, route=False)) == (
        "--clock-mhz: nothing is routed with --no-route; leave one of them out"
    )


def test_too_large_by_the_counts(tools, export):
    tools.plan(fmax=[1.0], luts=8000)
    message = failure(export, Request(ECP5), DoesNotFit)
    assert message.startswith("ecp5-25f: the design does not fit: LUT 32,000 of 24,288 (7,712 too")
    assert not any(line.startswith("route") for line in tools.calls())


def test_too_large_for_nextpnr(tools, export):
    tools.plan(nextpnr="full")
    assert failure(export, Request(ECP5), DoesNotFit) == (
        "ecp5-25f: the design does not fit: LUT 24,500 of 24,288 (212 too many); it fits "
        "ecp5-45f; use --device ecp5-45f, or fold the network further"
    )


def test_a_tool_that_fails(tools, export, tmp_path):
    folder = tmp_path / "logs/chain-ecp5-25f"
    tools.plan(nextpnr="crash")
    log = folder / "route/seed_1/nextpnr.log"
    assert failure(export, Request(ECP5), failures=tmp_path / "logs") == (
        "place and route for ecp5-25f: nextpnr-ecp5 failed: something in the router broke; "
        f"log: {log}"
    )
    assert "router broke" in log.read_text()
    # With the options of choice first, then with nextpnr's own.
    assert [line for line in tools.calls() if "route" in line] == ["route 100 seed 1"] * 2
    assert "router broke" in log.with_name("nextpnr_first.log").read_text()
    tools.plan(yosys="fail", luts=5)
    message = failure(
        export,
        Request(find_device("ecp5-45f")),
        failures=tmp_path / "logs",
        cache=FileCache(tmp_path / "empty"),
    )
    match = re.fullmatch(
        r"synthesis of '(\w+)': Yosys failed: Module `x' is missing; log: (.*)", message
    )
    assert match is not None
    kept = tmp_path / "logs/chain-ecp5-45f/synthesis/engines" / f"{match[1]}_engine.log"
    assert match[2] == str(kept)
    assert "ERROR: Module `x' is missing" in kept.read_text()


def test_a_tool_that_takes_too_long(tools, export, tmp_path):
    flow(export, Request(ECP5, route=False))
    tools.plan(nextpnr="hang")
    log = tmp_path / "logs/chain-ecp5-25f/route/seed_1/nextpnr.log"
    assert failure(export, Request(ECP5, timeout_seconds=3), failures=tmp_path / "logs") == (
        "place and route for ecp5-25f: nextpnr-ecp5: not finished within 3 s, stopped; allow more "
        f"time or make the design smaller; log: {log}"
    )


def test_one_engine_that_fails_stops_the_others(tools, export, tmp_path):
    tools.plan(yosys="fail")
    failure(export, Request(ECP5, jobs=1), cache=FileCache(tmp_path / "empty"))
    assert len(tools.calls()) < 4


def test_an_interrupt_leaves_what_was_there(tools, export):
    flow(export, Request(ECP5))
    before = {p: p.read_bytes() for p in export.folder.rglob("*") if p.is_file()}
    tools.plan(nextpnr="hang")

    def interrupt(text: str) -> None:
        if text == "seed 2: packing":
            raise KeyboardInterrupt

    began, threads = time.monotonic(), threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        flow(export, Request(ECP5, seeds=2), progress=interrupt)
    assert time.monotonic() - began < 300
    assert threading.active_count() == threads
    assert {p: p.read_bytes() for p in export.folder.rglob("*") if p.is_file()} == before


def test_a_folder_that_cannot_be_written(tools, export):
    (export.folder / "file").write_text("")
    with pytest.raises(SephwError) as caught:
        run_flow(
            export.graph,
            export.rtl,
            Request(ECP5),
            export.folder / "file" / "synth",
            progress=lambda text: None,
        )
    assert str(caught.value) == (
        f"'{export.folder / 'file' / 'synth'}' cannot be written (File exists); choose another "
        "folder"
    )


def test_a_source_that_is_missing(tools, export):
    (export.rtl / "sephw_fifo.sv").unlink()
    assert failure(export, Request(ECP5)) == (
        f"RTL project '{export.rtl}': sephw_fifo.sv cannot be read; export the model again"
    )


def test_paths_in_words():
    from sephw.synth import CriticalPath

    inside = CriticalPath("clk", "a", "a", 5.04, 2.0, 3.04, 4, "x", "y")
    assert describe(inside) == "in 'a', 5.0 ns (2.0 logic, 3.0 routing, 4 nets)"
    outside = CriticalPath("clk", "", "b", 5.04, 2.0, 3.04, 4, "x", "y")
    assert describe(outside).startswith("from the logic around the engines to 'b', 5.0 ns")
    assert [rounded_down(mhz) for mhz in (61.29, 100.0, 0.05)] == [61.2, 100.0, 0.0]


def test_the_network_of_these_tests_has_four_engines():
    assert len(small_graph().nodes) == 4
