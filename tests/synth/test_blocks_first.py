"""Sites of blocks before placement, and placers that fail, with tools that do as they are told."""

import json

import pytest
from synth_projects import failure, flow

from sephw.synth import Request
from sephw.targets import find_device

ECP5 = find_device("ecp5-25f")
BLOCKS = "0 block RAMs and multipliers placed along the network"  # the tools' netlist has none


@pytest.mark.parametrize("request_", [Request(ECP5), Request(ECP5, floorplan=True)])
def test_blocks_are_placed_where_their_sites_are_known(tools, export, request_):
    tools.plan(fmax=[80.0])
    told = []
    flow(export, request_, progress=told.append)
    assert BLOCKS in told
    record = json.loads((export.folder / "synth" / "synth.json").read_text())
    assert record["routed"]["blocks_placed"] == 0


@pytest.mark.parametrize(
    "request_",
    [
        Request(ECP5, floorplan=False),
        Request(ECP5, route=False),
        Request(find_device("xc7z020")),
    ],
)
def test_blocks_are_left_to_nextpnr(tools, export, request_):
    tools.plan(fmax=[80.0])
    told = []
    flow(export, request_, progress=told.append)
    assert not request_.places_blocks and BLOCKS not in told
    assert not Request(find_device("ice40-hx8k")).places_blocks


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            Request(find_device("ice40-up5k"), floorplan=True),
            "--floorplan: the sites of blocks on ice40-up5k are not known here; leave it out, or "
            "choose ecp5-25f, ecp5-45f, ecp5-85f",
        ),
        (
            Request(ECP5, floorplan=True, route=False),
            "--floorplan: nothing is placed with --no-route; leave one of them out",
        ),
    ],
)
def test_blocks_that_cannot_be_placed(tools, export, request_, message):
    assert failure(export, request_) == message
    assert tools.calls() == []


def test_a_placer_that_fails_gives_way_to_the_usual_one(tools, export):
    tools.plan(nextpnr="no static placer", fmax=[1.0, 70.0])
    told = []
    run = flow(export, Request(ECP5), progress=told.append)
    assert (run.clock_mhz, run.routed.options) == (70, ())
    again = "nextpnr failed with --placer static and blocks that have their sites; again without"
    assert told.count(again) == told.count(BLOCKS) == 1
    tools.plan(nextpnr="no static placer", fmax=[1.0, 70.0])
    flow(export, Request(ECP5, floorplan=False), progress=told.append)
    assert "nextpnr failed with --placer static; again without" in told
    tools.plan(fmax=[70.0])
    assert flow(export, Request(ECP5)).routed.options == ("--placer", "static")
    record = json.loads((export.folder / "synth" / "synth.json").read_text())
    assert record["routed"]["options"] == ["--placer", "static"]
