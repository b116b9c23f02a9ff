"""Speed on the chip and over the link, and the two latencies: by hand, and in every rendering."""

from __future__ import annotations

import re
from dataclasses import replace

import export_folder
import pytest
from cycle_by_cycle import play
from read_html import read_html

from sephw.backends.amd.dma import DmaLink
from sephw.backends.board.uart import UartLink
from sephw.backends.link import board_link
from sephw.host import frames
from sephw.host.messages import Kind, request, result_frame_bytes, run_frame_bytes, run_payload
from sephw.reports import Findings, Source, Subject, as_dict, build_report, render_html, render_text
from sephw.reports.speed import Speed, rates
from sephw.sim.cycles import run_frames
from sephw.sim.latency import Latency
from sephw.sim.timing import simulate
from sephw.targets import TARGETS, find_target


@pytest.fixture(scope="module")
def graph():
    return export_folder.small_graph()


def speed_of(graph, target, board=None):
    return Speed(
        simulate(graph),
        run_frames(graph, 1).latency,
        board_link(graph, find_target(target)),
        None if board is None else board_link(graph, find_target(board)),
    )


def make(graph, target="ulx3s-85f", **parts):
    board = parts.pop("board", None)
    return build_report(
        graph,
        speed_of(graph, target, board),
        Subject("small (SEPNet)", target, "chip", 10.0),
        Findings(**parts),
    )


def test_bytes_on_the_line_are_those_of_the_protocol():
    # docs/host.md: flag, kind, number, repeats, image, CRC, flag; the CRC here has no escape.
    image = bytes(784)
    assert run_frame_bytes(784) == 1 + 1 + 2 + 4 + 784 + 4 + 1
    assert len(frames.encode(request(Kind.RUN, 0, run_payload(image, 1)))) == run_frame_bytes(784)
    # Flag, kind, number, CRC of the request, build, flags, cycles, outputs, CRC, flag.
    assert result_frame_bytes(10, 18) == 1 + 1 + 2 + 4 + 8 + 1 + 8 + 10 * 3 + 4 + 1


def test_a_frame_over_the_line_waits_for_its_bytes_and_for_the_network():
    link = UartLink(1_000_000, 850)
    # 850 bytes of 10 bits at 1 Mbaud are 8.5 ms, 50,000 cycles at 100 MHz 0.5 ms.
    assert link.frames_per_second(100.0, 1000, 50_000) == pytest.approx(1 / 9e-3)
    # However fast the chip is, the line stays.
    assert link.frames_per_second(1e6, 1, 1) < 1 / 8.5e-3


def test_a_dma_takes_the_longest_of_network_and_transfers():
    link = DmaLink(beats=(784, 10), bus_bits=(8, 32), port_bits=64)
    assert link.frames_per_second(100.0, 1000, 5000) == 100_000
    assert link.frames_per_second(100.0, 700, 5000) == pytest.approx(1e8 / 784)
    # A beat of 256 bits takes four turns of a port of 64.
    wide = replace(link, bus_bits=(256, 32))
    assert wide.frames_per_second(100.0, 1000, 5000) == pytest.approx(1e8 / (4 * 784))


def test_every_board_has_a_link_that_says_what_it_assumes(graph):
    for target in TARGETS:
        link = board_link(graph, target)
        assert link is not None, target.name
        assert link.name in link.assumed and "on top" in link.assumed
    two = replace(graph, outputs=(*graph.outputs, graph.nodes[0].outputs[0]))
    assert board_link(two, find_target("ulx3s-85f")) is None


def test_latencies_are_those_of_the_plain_simulation(graph):
    report = make(graph)
    played = play(graph, 1)
    (source,), (sink,) = graph.inputs, graph.outputs
    begin = played.pops[source][0]
    alone = [played.visible[sink][k] - begin for k in (0, -1)]
    assert [report.total(f"latency_alone_{end}_output").value for end in ("first", "last")] == alone
    paced = simulate(graph).paced
    found = [report.total(f"latency_paced_{end}_output").value for end in ("first", "last")]
    assert found == [paced.first_output_cycles, paced.last_output_cycles] != alone
    assert report.total("latency_alone_last_output_us").value == round(alone[1] / 100, 3)
    # No total is called latency without saying which.
    names = [total.name for total in report.totals if "latency" in total.name]
    assert names and all(re.match(r"latency_(alone|paced)_(first|last)_output", n) for n in names)


def test_frames_behind_a_frame_hold_nothing_of_it_up(graph):
    assert run_frames(graph, 1).latency == run_frames(graph, 5).latency


def test_an_alone_latency_that_was_not_simulated_is_left_out(graph):
    speed = replace(speed_of(graph, "ulx3s-85f"), alone=None)
    report = build_report(graph, speed, Subject("n", "ulx3s-85f", "chip", 10.0))
    assert not report.has("latency_alone_first_output")
    assert report.has("latency_paced_first_output")
    assert "alone" not in render_text(report)


def test_without_a_link_it_says_why(graph):
    none = replace(speed_of(graph, "ulx3s-85f"), link=None)
    report = build_report(graph, none, Subject("n", "x", "chip", 10.0))
    for text in (render_text(report), read_html(render_html(report)).text):
        assert "none over this board's link: no design of this board takes the network in" in text
    record = {**export_folder.synthesis(graph), "target": None}
    device = find_target("ulx3s-85f").device
    routed = make(graph, device=device, synthesis=record)
    assert "none over this board's link: routed without a board" in render_text(routed)


def test_what_a_json_file_says_comes_back():
    latency = Latency(3, 5)
    assert Latency.from_dict(latency.as_dict("so")) == latency
    assert latency.as_dict("so")["assumes"] == "so"


@pytest.mark.parametrize("target", ["ulx3s-85f", "pynq-z2"])
@pytest.mark.parametrize("routed", [False, True])
def test_every_rendering_has_both_rates(graph, target, routed):
    parts = {}
    if routed:
        parts = {
            "device": find_target("ulx3s-85f").device,
            "board": "ulx3s-85f",
            "synthesis": export_folder.synthesis(graph),
        }
    report = make(graph, target, **parts)
    found = rates(report)
    assert len(found) == (2 if routed else 1)
    for rate in found:
        assert rate.link is not None and rate.link.source is Source.ESTIMATED
        assert rate.link.value <= rate.chip.value
    plain = as_dict(report)
    chip = [name for name in plain["totals"] if re.fullmatch(r"throughput(_routed|_board)?", name)]
    assert all(name.replace("throughput", "throughput_link") in plain["totals"] for name in chip)
    assert plain["link"] == report.link != ""
    assert any(note.startswith("Over this board's link") for note in plain["notes"])
    text, page = render_text(report), read_html(render_html(report)).text
    for shown in (text, page):
        assert shown.count("over this board's link") >= len(found)
        assert report.link in shown
    for line in text.splitlines():
        if "frames/s" in line and "throughput" in line:
            assert "on chip" in line or "over this board's link" in line
