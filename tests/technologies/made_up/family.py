"""Run in a copy of sephw that has one family more: what the rest of sephw makes of it."""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from small_graphs import chain

from sephw.backends.rtl import write_project
from sephw.errors import SephwError
from sephw.explore import MisfitError, check_goal, device_goal, search
from sephw.ir import Resources
from sephw.reports import Findings, Subject, build_report, render_text
from sephw.reports.estimates import estimate_graph
from sephw.reports.next_step import not_run, own_place
from sephw.reports.speed import Speed
from sephw.sim.timing import simulate
from sephw.synth import Request, run_flow
from sephw.targets import find_device
from sephw.technologies import Device, find_technology

device = find_device("acme-30k")
assert device.technology is find_technology("acme")
try:
    check_goal(device_goal(device))
except SephwError as error:
    assert str(error) == "the clock of acme is not estimated; give one with --clock-mhz", error
goal = device_goal(device, clock_mhz=50.0)
check_goal(goal)
found = search(chain(4), goal)
assert 0 < found.estimated.lut <= 0.8 * 30_000 and found.estimated.bram == found.estimated.dsp == 0
small = Device(device.technology, replace(device.size, available=Resources(10, 10)))
try:
    search(chain(4), replace(goal, device=small))
except MisfitError as error:
    assert "acme-30k" in str(error), error
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
    for request, refused in (
        (Request(device), ""),
        (Request(device, clock_mhz=50.0), "place and route for acme-30k: no tool from PyPI"),
    ):
        try:
            run = run_flow(
                found.graph, folder / "rtl", request, folder / "synth", progress=lambda text: None
            )
            assert not refused
        except SephwError as error:
            assert refused and str(error).startswith(refused), error
    assert run.synthesis.total.lut > 0 and run.synthesis.total.ff > 0
    print("synthesized", run.synthesis.total, "estimated", found.estimated)
report = build_report(
    found.graph,
    Speed(simulate(found.graph)),
    Subject("chain", "acme-30k", device.part, 20.0),
    Findings(device=device, estimates=estimate_graph(found.graph, device)),
)
assert "LUT: 4-input ones." in render_text(report)
assert "netlist" not in [part.what for part in not_run(report, own_place(report))]
sys.exit(0)
