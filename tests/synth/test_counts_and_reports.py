"""What is read of the tools' files: cells of netlists, nextpnr's reports and logs."""

import json
from pathlib import Path

import pytest

from sephw.errors import SephwError
from sephw.ir import Resources
from sephw.synth.count import count, count_engines, owner
from sephw.synth.fit import DoesNotFit, check_fit, does_not_fit, larger_device
from sephw.synth.report import CriticalPath, read_report
from sephw.targets import DEVICES, find_device
from sephw.technologies import ECP5, GOWIN, ICE40, ROUTE, Technology, find_technology
from sephw.tools.nextpnr import NextpnrError

RECORDED = Path(__file__).parent / "recorded"


def cells(**kinds: int) -> list[dict[str, str]]:
    return [{"type": kind} for kind, n in kinds.items() for _ in range(n)]


@pytest.mark.parametrize(
    ("technology", "kinds", "expected"),
    [
        # A carry cell holds two LUTs, a 16 x 4 memory the four of its storage.
        (
            "ecp5",
            {
                "LUT4": 5,
                "CCU2C": 2,
                "TRELLIS_DPR16X4": 1,
                "TRELLIS_FF": 3,
                "DP16KD": 1,
                "PDPW16KD": 1,
                "MULT18X18D": 4,
                "PFUMX": 9,
                "L6MUX21": 2,
            },
            (13, 3, 2, 4),
        ),
        (
            "ice40",
            {
                "SB_LUT4": 5,
                "SB_CARRY": 4,
                "SB_DFF": 1,
                "SB_DFFESR": 2,
                "SB_RAM40_4K": 1,
                "SB_RAM40_4KNR": 1,
                "SB_MAC16": 2,
            },
            (5, 3, 2, 2),
        ),
        (
            "gowin",
            {
                "LUT1": 1,
                "LUT2": 1,
                "LUT3": 1,
                "LUT4": 1,
                "ALU": 2,
                "RAM16SDP4": 1,
                "MUX2_LUT5": 3,
                "DFF": 1,
                "DFFRE": 1,
                "SDPB": 1,
                "pROM": 1,
                "MULT18X18": 3,
                "MULT9X9": 1,
            },
            (10, 2, 2, 7),
        ),
        (
            "xc7",
            {
                "LUT6": 2,
                "LUT1": 1,
                "CARRY4": 3,
                "RAM32M": 1,
                "FDRE": 2,
                "FDSE": 1,
                "RAMB18E1": 1,
                "RAMB36E1": 1,
                "DSP48E1": 2,
                "MUXF7": 1,
            },
            (7, 3, 3, 2),
        ),
    ],
)
def test_cells_count_in_the_units_of_resources(technology, kinds, expected):
    assert count(find_technology(technology), cells(**kinds)) == Resources(*expected)


def test_cells_belong_to_the_engine_in_their_name():
    netlist = {
        "network.a_engine.x_LUT4": {"type": "LUT4"},
        "network.a_engine.deep.y": {"type": "TRELLIS_FF"},
        "network.b_engine.z": {"type": "LUT4"},
        "network.a_engine_2.z": {"type": "LUT4"},
        "link.a": {"type": "LUT4"},
    }
    engines, glue = count_engines(ECP5, netlist, ["a_engine", "b_engine", "c_engine"])
    assert engines == {
        "a_engine": Resources(1, 1),
        "b_engine": Resources(1),
        "c_engine": Resources(),
    }
    assert glue == Resources(2)
    assert owner("top.b_engine.x[3]", ["b_engine"]) == "b_engine"
    assert owner("top.b_engine_x", ["b_engine"]) is None


def recorded(technology: str, instances: dict[str, str] | None = None):
    return read_report(
        RECORDED / f"{technology}.json", find_technology(technology).require(ROUTE), instances or {}
    )


def test_a_report_of_ecp5():
    report = recorded("ecp5")
    assert report.fmax_mhz == {"clk": 96.29}
    assert report.constraint_mhz == {"clk": 40.0}
    assert report.used == Resources(1852, 1244, 2, 1)
    assert report.available == Resources(83640, 83640, 208, 156)
    # clk-to-q 5.83, nets 1.186 and 0.723, setup 0; the file's other paths cross to pins.
    assert report.worst_path == CriticalPath(
        "clk",
        "",
        "",
        7.739,
        5.83,
        1.909,
        2,
        "link.sink.outputs.words.0.0",
        "link.sink.equal_TRELLIS_FF_Q",
    )


def test_a_report_of_ice40():
    report = recorded("ice40")
    assert report.fmax_mhz == {"clk": 36.53}
    assert report.used == Resources(2306, 2306, 5, 1)
    assert report.available == Resources(5280, 5280, 30, 8)


def test_a_report_of_gowin():
    report = recorded("gowin")
    assert report.fmax_mhz == {"clk": 83.3}
    # 2117 LUT4 places, 482 adders and 28 memories of four; two halves of a multiplier.
    assert report.used == Resources(2117 + 482 + 28 * 4, 1245, 2, 2)
    assert report.available == find_device("gw1nr-9").available


def test_the_worst_path_names_the_engines_at_its_ends():
    report = recorded("ice40", {"a node": "source", "another": "kind_SB_DFFESR_Q_3_DFFLC"})
    assert (report.worst_path.from_engine, report.worst_path.to_engine) == ("a node", "another")


def test_clocks_go_by_their_own_name(tmp_path):
    assert _clocks(ECP5, {"$glbnet$ap_clk$TRELLIS_IO_IN": 50, "a.b.slow": 20}, tmp_path) == {
        "ap_clk": 50.0,
        "slow": 20.0,
    }
    assert _clocks(ICE40, {"c.slow": 30, "b.slow": 20, "x$SB_IO_IN": 4}, tmp_path) == {
        "slow": 20.0,
        "x": 4.0,
    }
    assert _clocks(GOWIN, {"clk_IBUF_O_3": 30}, tmp_path) == {"clk": 30.0}


def _clocks(technology: Technology, nets: dict[str, int], tmp_path: Path) -> dict[str, float]:
    content = {
        "fmax": {name: {"achieved": mhz, "constraint": 1} for name, mhz in nets.items()},
        "utilization": {},
        "critical_paths": [],
    }
    (tmp_path / "r.json").write_text(json.dumps(content))
    report = read_report(tmp_path / "r.json", technology.require(ROUTE), {})
    assert report.worst_path is None
    return dict(report.fmax_mhz)


@pytest.mark.parametrize("content", ["", "[]", '{"fmax": {}}', '{"utilization": 3}'])
def test_no_report(tmp_path, content):
    path = tmp_path / "r.json"
    path.write_text(content)
    with pytest.raises(SephwError, match=r"' is no report of nextpnr-ice40 \(\w+\); use version"):
        read_report(path, ICE40.require(ROUTE), {})


def test_a_design_that_fits_nothing_is_told_apart_from_one_that_fits_the_next_device():
    small = find_device("ecp5-25f")
    with pytest.raises(DoesNotFit) as caught:
        check_fit(Resources(lut=30000, bram=57), small)
    assert str(caught.value) == (
        "ecp5-25f: the design does not fit: LUT 30,000 of 24,288 (5,712 too many), BRAM 57 of 56 "
        "(1 too many); it fits ecp5-45f; use --device ecp5-45f, or fold the network further"
    )
    with pytest.raises(DoesNotFit) as caught:
        check_fit(Resources(lut=90000), small)
    assert str(caught.value) == (
        "ecp5-25f: the design does not fit: LUT 90,000 of 24,288 (65,712 too many); none of the "
        "ecp5 devices is large enough; fold the network further"
    )
    with pytest.raises(DoesNotFit) as caught:
        check_fit(Resources(dsp=100), small)
    assert str(caught.value).endswith(
        "; it fits ecp5-85f; use --target ulx3s-85f or --device ecp5-85f, or fold the network "
        "further"
    )
    check_fit(small.available, small)
    assert larger_device(Resources(dsp=100), small) == find_device("ecp5-85f")
    assert larger_device(Resources(dsp=1), find_device("ice40-hx8k")) == find_device("ice40-up5k")


def test_every_device_with_open_place_and_route_has_a_clock_to_aim_for():
    for device in DEVICES:
        if device.routable:
            assert device.routing()[1].aim_mhz > 0


def failed(tmp_path, technology: str, lines: str) -> DoesNotFit | None:
    log = tmp_path / "nextpnr.log"
    log.write_text(lines)
    units = find_technology(technology).require(ROUTE).units
    device = {"ecp5": "ecp5-25f", "gowin": "gw1nr-9"}[technology]
    return does_not_fit(NextpnrError(("no place",), log), find_device(device), units)


def test_nextpnr_finds_no_place(tmp_path):
    found = failed(
        tmp_path,
        "ecp5",
        "Info: Device utilisation:\n"
        "Info: \t          TRELLIS_IO:       8/    197     4%\n"
        "Info: \t        TRELLIS_COMB:   24500/  24288   100%\n",
    )
    assert str(found) == (
        "ecp5-25f: the design does not fit: LUT 24,500 of 24,288 (212 too many); it fits "
        "ecp5-45f; use --device ecp5-45f, or fold the network further"
    )


def test_nextpnr_finds_no_pins(tmp_path):
    found = failed(tmp_path, "ecp5", "Info: \t TRELLIS_IO:     300/    197   152%\n")
    assert str(found) == (
        "ecp5-25f: the design does not fit: TRELLIS_IO 300 of 197 (103 too many); none of the "
        "ecp5 devices is large enough; fold the network further"
    )


def test_nextpnr_fails_for_another_reason(tmp_path):
    # A cell of nextpnr's own bookkeeping takes no place.
    lines = "Info: \t  DUMMY_CELL:       4/      0     0%\nInfo: \t  LUT4:   10/  8640     0%\n"
    assert failed(tmp_path, "gowin", lines) is None
    assert failed(tmp_path, "ecp5", "") is None
