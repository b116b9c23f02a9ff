"""Run in a copy of sephw that has one size more: what the rest of sephw makes of it."""

import tempfile
from pathlib import Path

import numpy as np
from small_graphs import chain

from sephw.backends.board import BoardRates, find_clocking, write_board
from sephw.backends.rtl import write_project
from sephw.explore import check_goal, device_goal, search
from sephw.ir import Resources
from sephw.reports import Findings, Subject, build_report, render_text
from sephw.reports.estimates import estimate_graph
from sephw.reports.next_step import not_run, own_place
from sephw.reports.speed import Speed
from sephw.sim.timing import simulate
from sephw.synth import Request
from sephw.synth.count import count
from sephw.synth.fit import larger_device
from sephw.synth.flow import write_harness_constraints
from sephw.targets import OpenBoard, Target, find_device, find_target

for name, kin, input_mhz in (("ecp5-1f", "ulx3s-25f", 25.0), ("gw0-3", "tang-nano-9k", 27.0)):
    device, other = find_device(name), find_target(kin)
    technology = device.technology
    goal = device_goal(device, None if name == "ecp5-1f" else 50.0)
    check_goal(goal)
    found = search(chain(4), goal)
    assert found.estimated.fits(device.available)
    assert count(technology, [{"type": technology.cells.carry}]).lut > 0
    assert larger_device(Resources(100), other.device) is device
    clocking = find_clocking(device, input_mhz, 60.0, by_pll=True)
    assert 40 <= clocking.output_mhz <= 60 and clocking.settings
    request = Request(device)
    assert request.aim_mhz == 33.0 and request.routes and not request.places_blocks
    route, sized = device.routing()
    words = route.arguments(device.part, sized.package, sized.speed, None)
    assert any(sized.package in word for word in words)
    board = Target("made-up", "Made up", device, 20.0, other.open_board)
    assert isinstance(board.open_board, OpenBoard)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        image = found.graph.inputs[0]
        zeros = np.zeros((1, *found.graph.tensors[image].shape), np.int64)
        golden = found.graph.run(zeros)
        write_project(
            found.graph,
            folder / "rtl",
            samples={image: zeros},
            golden={name: golden[name] for name in found.graph.outputs},
        )
        project = write_board(
            found.graph, board, folder / "rtl", folder / "board", rates=BoardRates(clock_mhz=60.0)
        )
        assert project.constraints.read_text()
        pll = (folder / "board" / "sephw_board_pll.sv").read_text()
        assert device.size.pll_device in pll
        pins = write_harness_constraints(device, folder)
        assert (pins is None) == (name == "ecp5-1f")
        assert pins is None or 'IO_LOC "serial_out" 4;' in pins.read_text()
    report = build_report(
        found.graph,
        Speed(simulate(found.graph)),
        Subject("chain", "made-up", device.part, 20.0),
        Findings(device=device, estimates=estimate_graph(found.graph, device, board)),
    )
    text = render_text(report)
    assert f"{device.available.lut:,}" in text
    assert "place-and-route" in [part.what for part in not_run(report, own_place(report))]
