"""The parts of a report by themselves: drawings, bars, groups, numbers, next steps, refusals."""

import dataclasses
from dataclasses import replace
from html import unescape

import export_folder
import pytest

from sephw.errors import SephwError
from sephw.ir import Resources
from sephw.reports import (
    Estimates,
    Findings,
    Subject,
    as_dict,
    build_report,
    read_provenance,
    render_html,
    render_text,
)
from sephw.reports.bars import resource_bars
from sephw.reports.estimates import estimate_graph
from sephw.reports.next_step import next_step, not_run, own_place
from sephw.reports.numbers import number, percent, short
from sephw.reports.resources import read_synthesis
from sephw.reports.speed import Speed
from sephw.reports.strips import draw
from sephw.reports.where import by_group, by_kind, source_of_layers
from sephw.resources import accuracy, estimate, held_out
from sephw.resources.board_top import board_top
from sephw.resources.held_out import ErrorBars
from sephw.sim.timeline import EngineTimeline, Timeline
from sephw.sim.timing import simulate
from sephw.synth.record import SynthesisRun
from sephw.synth.record import as_dict as record_as_dict
from sephw.synth.report import CriticalPath
from sephw.synth.route import RoutedDesign
from sephw.synth.synthesize import Synthesis
from sephw.targets import find_device, find_target
from sephw.technologies import ECP5, GOWIN, ICE40, Device


@dataclasses.dataclass(frozen=True)
class Cost:
    resources: Resources
    fmax_mhz: float


@pytest.fixture(scope="module")
def graph():
    return export_folder.small_graph()


def make(graph, **parts):
    target = parts.pop("target", "ulx3s-85f")
    return build_report(
        graph,
        Speed(simulate(graph)),
        Subject("small (SEPNet)", target, "chip", 10.0),
        Findings(**parts),
    )


def test_a_strip_is_drawn_bin_by_bin():
    # Bins of 8 cycles from cycle 100 on; the engine works from 104 to 124: half of bin 0, bins 1
    # and 2, nothing of bin 3. It waits 2 cycles for input in bin 1, all of bin 2 for credits.
    engine = EngineTimeline("e", 104, 124, (0, 2, 0), (0, 0, 8))
    early = EngineTimeline("f", 100, 101, (1,), (0,))
    found = draw(Timeline(0, True, 100, 8, (engine, early)), 16)
    assert found.width == 3
    assert [(tick.percent, tick.cycles) for tick in found.ticks] == [(0, 0), (66.667, 16)]
    strip, empty = found.strips
    assert (strip.start, strip.width) == (0, 3)
    assert strip.busy == "M0 16v-16h1v4h1v12h1V16z"
    assert strip.blocked == "M0 0h2v16h1V0z"
    assert (empty.busy, empty.blocked) == ("", "")


def whole_bars(**ratios: tuple[float, float]) -> ErrorBars:
    """Bars with these ratios, 1 for the other kinds."""
    one = dict.fromkeys(("lut", "ff", "bram", "dsp"), (1.0, 1.0))
    return ErrorBars(one | ratios, one, one, 9, 0.8, 5, 2)


def test_bars_have_the_error_that_was_measured(graph):
    engines = {node.name: Cost(Resources(100, 10, 1, 0), 80.0) for node in graph.nodes}
    estimates = Estimates(ICE40, engines, {}, whole_bars(lut=(0.9, 1.25)))
    report = make(graph, device=find_device("ice40-hx8k"), estimates=estimates)
    bars = resource_bars(report.resources)
    used = 100 * len(graph.nodes)
    (lut,) = bars.of_kind("lut")
    assert (lut.figure.low, lut.figure.high) == (round(0.9 * used), round(1.25 * used))
    assert lut.percent == round(100 * used / 7680, 2)
    assert lut.high_percent == round(100 * round(1.25 * used) / 7680, 2)
    (ff,) = bars.of_kind("ff")
    assert ff.figure.low == ff.figure.value == ff.figure.high and not ff.exceeds_device
    (dsp,) = bars.of_kind("dsp")
    assert dsp.percent is None and not dsp.exceeds_device  # this device has none and none is used
    assert bars.end_percent == 100
    crowded = replace(estimates, engines={n: Cost(Resources(1000), 80.0) for n in engines})
    bars = resource_bars(make(graph, device=report.resources.device, estimates=crowded).resources)
    assert bars.of_kind("lut")[0].exceeds_device and bars.end_percent > 100


def test_groups_follow_the_modules(graph):
    names = ["stem.conv", "stages.0.1.prb1.act", "stages.0.1.act", "pool_act", "", "head.7"]
    nodes = tuple(
        replace(node, module=names[i]) if i < len(names) else replace(node, module="head.7.x")
        for i, node in enumerate(graph.nodes)
    )
    report = make(graph.with_nodes(nodes, graph.tensors))
    groups = by_group(report)
    assert [(group.name, group.engines) for group in groups] == [
        ("stem", 1),
        ("stages.0.1", 2),
        ("pool_act", 1),
        (nodes[4].name, 1),
        ("head.7", len(nodes) - 5),
    ]
    assert source_of_layers(report) is None and groups[0].used is None
    assert sum(kind.engines for kind in by_kind(report)) == len(nodes)
    assert sum(g.macs_1bit for g in groups) == report.total("macs_1bit").value


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 7, "0 %"),
        (1, 0, "0 %"),
        (1, 2000, "<0.1 %"),
        (1, 100, "1.0 %"),
        (1, 3, "33 %"),
        (996, 10000, "10 %"),
        (3, 2, "150 %"),
    ],
)
def test_percent(part, whole, shown):
    assert percent(part, whole) == shown


def test_numbers():
    assert number(1234567) == short(1234567) == "1,234,567"
    assert number(3051.758) == "3,051.758" and short(3051.758) == "3,052"
    assert short(110.34) == "110.3" and short(120.0) == "120" and short(93.214) == "93.214"


def test_next_step(graph):
    device, record = find_device("ecp5-85f"), export_folder.synthesis(graph)
    equal = export_folder.verification(graph)
    origin = read_provenance(export_folder.manifest())
    export = "cd ../.. && sephw export models/small.pth --target ulx3s-85f --steps +"

    def following(report):
        return next_step(report, own_place(report))

    def command(**parts):
        return following(make(graph, provenance=origin, **parts)).command

    assert command() == f"{export}verify"
    assert command(verification=equal, device=device) == "sephw synth ."
    content = export_folder.manifest()
    content["options"]["steps"] = ["qonnx", "report"]  # nothing to synthesize is there
    light = make(graph, verification=equal, provenance=read_provenance(content))
    assert following(light).command == f"{export}synth"
    assert command(verification=equal, device=device, synthesis=record) == "sephw program ."
    no_board = {**record, "target": None}
    assert command(verification=equal, device=device, synthesis=no_board) == (
        "sephw synth . --target ulx3s-85f"
    )
    small = find_device("ice40-hx8k")  # no board of it is known
    assert command(verification=equal, device=small, synthesis=no_board) == ""
    unrouted = {**record, "routed": None}
    assert command(verification=equal, device=device, synthesis=unrouted) == "sephw synth ."
    slow = {**record, "routed": {**record["routed"], "constraint_mhz": {"clk": 70.0}}}
    step = following(make(graph, device=device, verification=equal, synthesis=slow))
    assert "clock 'clk' reaches 61.25 MHz only" in step.why and "sephw explore" in step.command
    xilinx = make(
        graph,
        target="pynq-z2",
        device=find_device("xc7z020"),
        verification=equal,
        synthesis={**unrouted, "device": "xc7z020"},
    )
    # Without the projects that it builds there is nothing to run.
    assert following(xilinx).command == ""
    content = export_folder.manifest("pynq-z2")
    both = dataclasses.replace(xilinx, provenance=read_provenance(content))
    assert following(both).command == "cd amd && ./build.sh rtl"
    wrong = make(graph, verification=export_folder.verification(graph, wrong=True))
    assert following(wrong).command == "" and "(3 of 600 elements differ)" in following(wrong).why


VENDOR = {
    "routes": {
        "hls": {
            "estimated": {
                "total": {"lut": 900, "ff": 800, "bram": 7, "dsp": 6},
                "available": {"lut": 53200, "ff": 106400, "bram": 280, "dsp": 220},
                "fmax_mhz": {"ap_clk": 120.5},
                "constraint_mhz": {"ap_clk": 125.0},
            },
            "routed": None,
        },
        "rtl": {
            "estimated": None,
            "routed": {
                "used": {"lut": 1000, "ff": 1100, "bram": 5, "dsp": 4},
                "available": {"lut": 53200, "ff": 106400, "bram": 280, "dsp": 220},
                "fmax_mhz": {"ap_clk": 131.25},
                "constraint_mhz": {"ap_clk": 125.0},
            },
        },
    }
}


def test_figures_of_the_vendors_tools(graph):
    report = make(
        graph,
        target="pynq-z2",
        device=find_device("xc7z020"),
        vendor=VENDOR,
        verification=export_folder.verification(graph),
        synthesis={**export_folder.synthesis(graph), "routed": None},
    )
    luts = [
        (bar.label, bar.figure.value) for bar in resource_bars(report.resources).of_kind("lut")
    ][1:]
    assert luts == [("routed (Vivado, rtl)", 1000), ("estimated (Vitis HLS, hls)", 900)]
    source, used, _ = report.resources.best
    assert report.total("clock_routed").value == 131.25
    assert source == "routed" and used.resources == Resources(1000, 1100, 5, 4)
    text = render_text(report)
    assert "Vivado, rtl: ap_clk 131.25 MHz of 125 asked for [routed]" in text
    page = render_html(report)
    assert "131.25" in page and "120.5" in page
    plain = as_dict(report)["resources"]["vendor"]
    assert [run["clocks"][0]["met"] for run in plain] == [True, False]
    assert next_step(report, own_place(report)).command == ""
    with pytest.raises(SephwError) as error:
        make(graph, device=find_device("xc7z020"), vendor={})
    assert str(error.value) == (
        "amd/synth.json is not a record of the vendor's tools (KeyError: 'routes'); write it again"
    )


def test_what_is_missing_of_the_verification(graph):
    report = make(
        graph,
        device=find_device("ecp5-85f"),
        verification=export_folder.verification(graph),
        provenance=read_provenance(export_folder.manifest()),
    )
    export = "cd ../.. && sephw export models/small.pth --target ulx3s-85f --steps"
    commands = {part.what: part.command for part in not_run(report, own_place(report))}
    assert commands["csim"] == f"{export} +csim" and commands["netlist"] == f"{export} +netlist"
    assert "rtlsim" not in commands


def test_text_has_the_same_facts(graph):
    report = make(
        graph,
        device=find_device("ecp5-85f"),
        synthesis=export_folder.synthesis(graph),
        verification=export_folder.verification(graph),
        timeline=Timeline.from_dict(export_folder.cycles(graph)["timeline"]),
        provenance=read_provenance(export_folder.manifest()),
    )
    lines = [" ".join(line.split()) for line in render_text(report).splitlines()]
    luts = sum(100 + i for i in range(len(graph.nodes))) + 7
    assert (
        "exact: yes: 3 layers and streams, 2 images, torch, qonnx, integer, rtlsim, "
        "rtlsim-cycles" in lines
    )
    assert f"LUT {luts:,} 83,640 {percent(luts, 83640)} synthesized" in lines
    assert f"LUT {luts + 11:,} 83,640 {percent(luts + 11, 83640)} routed" in lines
    assert "clk 61.25 50 yes" in lines and "link 55.5 25 yes" in lines
    assert any(
        line.startswith("worst path: ") and "16.327 ns = 6.027 logic + 10.3 routing, 9 nets" in line
        for line in lines
    )
    assert "tools: yosys 0.70, nextpnr 0.11" in lines
    assert "torch 0 0 0 reference" in lines and "csim 0 0 0 not run" in lines
    assert "integer 1 600 0 equal" in lines
    assert "accuracy of the frozen network, whole test set 97.12 % measured" in lines
    assert f"model: small.pth, SHA-256 {'0123456789abcdef' * 4}" in lines
    bare = [" ".join(line.split()) for line in render_text(make(graph)).splitlines()]
    assert "exact: not run" in bare and "fits: not known" in bare and "sephw synth ." in bare
    assert "next: compare every layer" in bare and "not run: synthesis, in this folder:" in bare


def test_errors_come_from_the_measured_accuracy(graph):
    found, known = estimate_graph(graph, find_device("ecp5-85f")), accuracy(ECP5)
    for kind, (low, high) in found.errors.items():
        # The estimate is off by p90 of the measured number at both ends of the bar.
        # The clock is a network's.
        p90 = (known.network_fmax if kind == "fmax" else getattr(known, kind)).p90
        assert (1 - low) / low == pytest.approx(p90)
        assert (high - 1) / high == pytest.approx(p90)
    assert found.bars == held_out.bars(ECP5)
    assert found.measured_engines == known.lut.count
    node = graph.nodes[0]
    depths = [graph.tensors[name].fifo_depth for name in node.outputs]
    alone = estimate(node.operator, node.folding, depths, ECP5, solve=True)
    assert found.engines[node.name] == alone
    own = sum(e.resources.lut for e in found.engines.values())
    whole = found.whole()
    assert whole.total.lut.value == own and whole.top is None
    board = estimate_graph(graph, find_device("ecp5-85f"), find_target("ulx3s-85f")).whole()
    top = board_top(ECP5)
    assert board.total.lut.value == own + top.lut and board.top.lut.value == top.lut
    # No top is built for boards of the vendor's flow.
    vendor = estimate_graph(graph, find_device("xc7z020"), find_target("pynq-z2")).whole()
    assert vendor.top is None


@pytest.mark.parametrize(
    ("engines", "bars", "top", "words"),
    [
        (0, None, Resources(), ""),
        (
            7,
            None,
            Resources(),
            "Error bars: nine in ten of 7 engines that the model was not fitted to.",
        ),
        (
            7,
            whole_bars(),
            Resources(1110, 770, 1, 0),
            "The estimated total includes the board&#39;s top and host link (1,110 LUT, 770 FF, "
            "1 BRAM). Error bars: 9 synthesized networks that nothing was fitted to, "
            "another one lies "
            "within with 80 %, no narrower than those of one engine; the extremes of 5 synthesized "
            "tops; what routing changed in 2 designs. "
            "Of one engine: nine in ten of 7 engines that the model was not fitted to.",
        ),
    ],
)
def test_error_bars_say_what_they_were_found_on(graph, engines, bars, top, words):
    costs = {node.name: Cost(Resources(100, 10, 1, 0), 80.0) for node in graph.nodes}
    estimates = Estimates(ECP5, costs, {}, bars, engines, 0.0, top)
    report = make(graph, device=find_device("ecp5-85f"), estimates=estimates)
    assert report.resources.estimated.error_basis == unescape(words)
    for text in (render_text(report), unescape(render_html(report))):
        assert unescape(words) in text and ("Error bars" in text) == bool(words)


def test_a_technology_without_a_model_has_no_estimates(graph):
    bare = replace(GOWIN, characterization=None)
    assert estimate_graph(graph, Device(bare, find_device("gw2ar-18").size)) is None


def test_wishes_are_told_where_there_are_some():
    content = export_folder.manifest()
    assert not [name for name, _ in read_provenance(content).options if name.startswith("wanted")]
    content["options"].update(fps=5000.0, clock_mhz=None)
    assert ("wanted frame rate on chip", "5000 frames/s") in read_provenance(content).options


def test_broken_records_are_refused():
    with pytest.raises(SephwError) as error:
        read_synthesis({"synthesized": {"total": {"lut": 1}}})
    assert str(error.value) == (
        "synth.json is not a record of a synthesis (KeyError: 'ff'); run 'sephw synth' again"
    )
    with pytest.raises(SephwError) as error:
        read_provenance({"model": {}})
    assert str(error.value) == (
        "manifest.json is not that of an export (KeyError: 'options'); export the model again"
    )


def test_the_flows_own_record_is_understood(graph, tmp_path):
    counts = Resources(500, 400, 3, 2)
    synthesis = Synthesis(
        engines={node.name: Resources(10, 20, 1, 0) for node in graph.nodes},
        glue=Resources(1, 2),
        total=counts,
        netlist=tmp_path / "n.json",
        log=tmp_path / "log",
        yosys_version="0.70",
        technology=ECP5,
        instances={},
        runs=0,
        top="board",
        engine_logs=tmp_path,
    )
    routed = RoutedDesign(
        fmax_mhz={"clk": 77.5},
        constraint_mhz={"clk": 70.0},
        clock_mhz=70.0,
        worst_path=CriticalPath("clk", graph.nodes[0].name, "", 12.9, 4.9, 8.0, 6, "a", "b"),
        used=counts,
        available=Resources(83640, 83640, 208, 156),
        seconds=3.0,
        version="0.11",
        log=tmp_path,
        configuration=tmp_path,
        part="LFE5U-85F-6 CABGA381",
        seed=2,
    )
    run = SynthesisRun(
        graph=graph,
        device=find_device("ecp5-85f"),
        target=find_target("ulx3s-85f"),
        top="board",
        synthesis=synthesis,
        routed=routed,
        clock_mhz=70.0,
        requested_mhz=70.0,
        bitstream=tmp_path / "small.bit",
        seconds={},
    )
    report = make(graph, device=run.device, synthesis=record_as_dict(run))
    found = report.resources
    assert found.synthesized.total.resources == counts
    assert found.synthesized.outside.resources == Resources(1, 2)
    assert report.layers[0].synthesized.resources == Resources(10, 20, 1, 0)
    assert (found.board, found.routed.seed) == ("ulx3s-85f", 2)
    assert (found.routed.bitstream, found.routed.worst_path.hops.value) == ("small.bit", 6)
    assert report.total("clock_routed").value == 77.5 and report.total("clock_board").value == 70.0
    assert dict(found.tools)["yosys"] == "0.70"
