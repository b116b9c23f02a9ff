"""Profiles: what each section needs of the others, and the one rule for what is not there."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import export_folder
import pytest

from sephw.backends.board import board_pins, find_clocking
from sephw.backends.board.constraints import constraint_text
from sephw.cli import run
from sephw.errors import SephwError, UsageError
from sephw.explore import check_goal, device_goal
from sephw.export.settings import ExportSettings, check_search, default_steps
from sephw.reports import Findings, Subject, build_report
from sephw.reports.next_step import not_run, own_place
from sephw.reports.speed import Speed
from sephw.resources.memories import map_memory
from sephw.resources.model import load
from sephw.rtl import SOURCES
from sephw.sim.timing import simulate
from sephw.synth import run_flow
from sephw.synth.count import count
from sephw.synth.flow import write_harness_constraints
from sephw.synth.harness import HARNESS_PORTS
from sephw.synth.recipes import engine_script
from sephw.targets import DEVICES, TARGETS, find_device, find_target
from sephw.technologies import (
    CELL_MODELS,
    CELLS,
    CHARACTERIZATION,
    ECP5,
    FAMILIES,
    LOGIC,
    PINS,
    PLL,
    RAMS,
    RECIPE,
    ROUTE,
    SECTIONS,
    XC7,
    Device,
    Technology,
    find_technology,
)

DEVICE = find_device("ecp5-25f")


def without(section: Any) -> Device:
    return Device(replace(ECP5, **{section.field: None}), DEVICE.size)


def test_every_section_that_may_be_missing_has_its_rule():
    optional = {field.name for field in fields(Technology) if field.default is None} - {
        "dsp",
        "board_top",
    }  # nothing is refused without these: there are none
    assert {section.field for section in SECTIONS} == optional


@pytest.mark.parametrize("technology", FAMILIES, ids=str)
def test_sections_that_need_each_other_are_there(technology):
    has = technology.has
    assert has(CELLS) and has(RECIPE)
    assert not has(CHARACTERIZATION) or (has(LOGIC) and has(RAMS))
    assert not has(ROUTE) or (has(PLL) and has(PINS) and technology.board_top is not None)
    for size in technology.sizes:
        assert (size.routed is not None) == has(ROUTE)
        assert (size.pll is not None) == has(PLL)
        if size.routed is not None and not technology.require(ROUTE).chooses_pins:
            assert len(size.routed.harness_pins) == len(HARNESS_PORTS)
    if has(CELL_MODELS):
        assert (SOURCES / "cells" / f"{technology.name}.v").is_file()
    known = technology.characterization
    assert known is not None
    assert find_target(known.board).device.technology is technology
    assert bool(load(technology).fmax) <= (known.clock is not None)
    if known.clock is not None:
        assert find_device(known.clock.device).technology is technology


def test_devices_are_the_rows_of_the_families():
    names = [size.name for technology in FAMILIES for size in technology.sizes]
    assert [device.name for device in DEVICES] == names and len(set(names)) == len(names)
    assert len({hash(device) for device in DEVICES}) == len(DEVICES)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_there_is_one_object_of_each_family(again):
    assert all(again(technology) is technology for technology in FAMILIES)
    assert again(DEVICE) == DEVICE


def test_a_technology_has_a_name():
    assert [str(technology) for technology in FAMILIES] == ["ecp5", "ice40", "gowin", "xc7"]
    assert find_technology("gowin").name == "gowin"
    with pytest.raises(UsageError) as caught:
        find_technology("ice41")
    assert str(caught.value) == (
        "technology 'ice41' is unknown; did you mean 'ice40'? use one of ecp5, ice40, gowin, xc7"
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        ECP5.name = "other"


ABSENT: dict[str, tuple[Any, Callable[[Device], object], str]] = {
    "cells": (
        CELLS,
        lambda device: count(device.technology, []),
        "synthesized counts: what the cells of ecp5 count is not known; choose a device of "
        "ice40, gowin, xc7",
    ),
    "logic": (
        LOGIC,
        lambda device: device.technology.require(LOGIC),
        "resource model: the logic of ecp5 is not described; choose a device of ice40, gowin, xc7",
    ),
    "rams": (
        RAMS,
        lambda device: map_memory(device.technology, 8, 8, True),
        "resource model: the RAMs of ecp5 are not described; choose a device of ice40, gowin, xc7",
    ),
    "recipe": (
        RECIPE,
        lambda device: engine_script(device.technology, [], "top", dsp=True),
        "synthesis: there is no recipe for ecp5; choose a device of ice40, gowin, xc7",
    ),
    "characterization": (
        CHARACTERIZATION,
        lambda device: check_goal(device_goal(device)),
        "resource model: ecp5 has not been characterized; estimates exist for ice40, gowin, xc7; "
        "choose a device of these",
    ),
    "route": (
        ROUTE,
        Device.routing,
        "place and route for ecp5-25f: no tool from PyPI places and routes ecp5 devices (openXC7, "
        "elsewhere, does some 7-series ones); use --no-route for the counts of Yosys, and the "
        "vendor's tools for a bitstream",
    ),
    "pll": (
        PLL,
        lambda device: find_clocking(device, 25.0, 60.0),
        "board: the PLL of ecp5 is not described; choose a device of ice40, gowin",
    ),
    "pins": (
        PINS,
        lambda device: constraint_text(board_pins(find_target("ulx3s-25f")), device.technology),
        "board: constraint files of ecp5 are not described; choose a device of ice40, gowin",
    ),
    "cell_models": (
        CELL_MODELS,
        lambda device: check_search(
            ExportSettings(
                model=None,
                out=None,
                target=replace(find_target("ulx3s-25f"), device=device),
                steps=("rtl", "netlist"),
            )
        ),
        "netlist simulation: no cell models of ecp5; there are some of ice40, gowin; choose a "
        "board of these",
    ),
}


def test_each_section_is_refused_somewhere():
    assert set(ABSENT) == {section.field for section in SECTIONS}


@pytest.mark.parametrize("name", ABSENT)
def test_what_a_family_lacks_is_refused_in_one_line(name):
    section, use, message = ABSENT[name]
    use(DEVICE)
    with pytest.raises(SephwError) as caught:
        use(without(section))
    assert str(caught.value) == message
    # The fix works.
    for technology in FAMILIES:
        said = technology.name in message.partition(";")[2].replace(",", "").split()
        if said:
            assert technology.has(section)


def test_pins_that_nobody_knows_are_refused(tmp_path):
    device = find_device("gw2ar-18")
    assert not device.technology.require(ROUTE).chooses_pins
    assert write_harness_constraints(device, tmp_path) is not None
    bare = replace(device.size, routed=replace(device.size.routed, harness_pins=()))
    with pytest.raises(SephwError) as caught:
        write_harness_constraints(Device(device.technology, bare), tmp_path)
    assert str(caught.value) == (
        "place and route for gw2ar-18: no pins are known for a design without a board; use "
        "--target for one with a board, or --no-route"
    )


def test_a_size_may_lack_what_its_family_has():
    bare = Device(ECP5, replace(DEVICE.size, routed=None, pll=None))
    assert not bare.routable
    with pytest.raises(SephwError, match=r"^place and route for ecp5-25f: no tool from PyPI knows"):
        bare.routing()
    with pytest.raises(
        SephwError, match=r"^board: the limits of the PLL of ecp5-25f are not known"
    ):
        bare.pll()


def test_a_clock_that_is_not_estimated_is_asked_for_at_once():
    device = find_device("xc7z020")
    assert device.technology is XC7
    with pytest.raises(UsageError) as caught:
        check_goal(device_goal(device))
    assert str(caught.value) == "the clock of xc7 is not estimated; give one with --clock-mhz"
    check_goal(device_goal(device, clock_mhz=100.0))


def test_boards_of_the_open_flow_have_what_it_needs():
    for target in TARGETS:
        if target.open_board is not None:
            assert target.device.routable
            target.device.pll()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("explore", "--device", "gw2ar-18"),
            "the clock of gowin is not estimated; give one with --clock-mhz",
        ),
        (
            ("export", "--target", "icebreaker", "--floorplan"),
            "--floorplan: the sites of blocks on ice40-up5k are not known here; leave it out, or "
            "choose ecp5-25f, ecp5-45f, ecp5-85f",
        ),
        (
            ("export", "--target", "pynq-z2", "--steps", "+synth", "--clock-mhz", "100"),
            "place and route for xc7z020: no tool from PyPI places and routes xc7 devices "
            "(openXC7, elsewhere, does some 7-series ones); use --no-route for the counts of "
            "Yosys, and the vendor's tools for a bitstream",
        ),
        (
            ("export", "--target", "pynq-z2", "--steps", "+netlist"),
            "netlist simulation: no cell models of xc7; there are some of ecp5, ice40, gowin; "
            "choose a board of these",
        ),
    ],
)
def test_commands_refuse_before_any_work(arguments, message, tmp_path, capsys):
    """The model is none: a command that began with it would say that."""
    model = tmp_path / "model.pth"
    model.write_bytes(b"no model")
    command, *options = arguments
    assert run([command, str(model), *options]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"sephw: error: {message}"
    assert list(tmp_path.iterdir()) == [model]


@pytest.mark.parametrize("section", [RECIPE, CELLS, PLL, PINS], ids=lambda s: s.field)
def test_an_export_asks_for_what_its_synthesis_needs(section, tmp_path):
    board = replace(find_target("ulx3s-25f"), device=without(section))
    settings = ExportSettings(tmp_path / "none.pth", tmp_path / "out", board)
    with pytest.raises(SephwError) as caught:
        check_search(replace(settings, steps=default_steps(board)))
    with pytest.raises(SephwError) as in_flow:
        run_flow(
            export_folder.small_graph(),
            tmp_path / "rtl",
            settings.synthesis,
            tmp_path / "synth",
            progress=lambda text: None,
        )
    assert str(caught.value) == str(in_flow.value)
    assert str(caught.value).startswith(f"{section.thing}: ")
    assert not list(tmp_path.iterdir())
    needless = [step for step in default_steps(board) if step != "synth"]
    check_search(replace(settings, steps=tuple(needless)))


@pytest.mark.parametrize("technology", FAMILIES, ids=str)
def test_reports_offer_the_netlist_where_it_can_be_simulated(technology):
    graph = export_folder.small_graph()
    target = next(target for target in TARGETS if target.device.technology is technology)
    report = build_report(
        graph,
        Speed(simulate(graph)),
        Subject("small (SEPNet)", target.name, target.part, target.clock_ns),
        Findings(device=target.device, verification=export_folder.verification(graph)),
    )
    missing = {part.what for part in not_run(report, own_place(report))}
    assert ("netlist" in missing) == technology.has(CELL_MODELS)
