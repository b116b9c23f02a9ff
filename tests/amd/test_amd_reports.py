"""Reports in the vendor's formats: figures, records, the command; files that are something else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from amd_export import Folder

from sephw.backends.amd import read_record
from sephw.backends.amd.__main__ import main
from sephw.backends.amd.reports import (
    HlsEstimate,
    PathTiming,
    Utilization,
    parse_csynth,
    parse_hierarchy,
    parse_timing,
    parse_utilization,
    read_reports,
)
from sephw.errors import SephwError
from sephw.ir import Resources

SAMPLES = Path(__file__).parent / "reports"


def sample(name: str) -> str:
    return (SAMPLES / name).read_text()


def test_utilization() -> None:
    """A tile has two RAMs of 18 Kbit; the first row of a name counts."""
    assert parse_utilization(sample("utilization_7series.rpt")) == Utilization(
        Resources(12345, 20468, 41, 37), Resources(53200, 106400, 280, 220), "Vivado 2022.2"
    )
    assert parse_utilization(sample("utilization_ultrascale.rpt")) == Utilization(
        Resources(11872, 19001, 40, 41), Resources(230400, 460800, 624, 1728), "Vivado 2019.2"
    )
    synthesized = sample("utilization_7series.rpt").replace("| Slice LUTs ", "| Slice LUTs*")
    assert parse_utilization(synthesized).used.lut == 12345
    with pytest.raises(ValueError, match=r"^no row 'DSPs'$"):
        parse_utilization(sample("utilization_7series.rpt").replace("| DSPs ", "| DSP "))


def test_engines() -> None:
    text = sample("utilization_hierarchical.rpt")
    engines = {
        "stem_window_engine": Resources(450, 300, 3, 0),
        "stem_engine": Resources(1200, 1500, 4, 12),
    }
    assert parse_hierarchy(text) == engines
    # Older releases name the last column otherwise.
    assert parse_hierarchy(text.replace("DSP Blocks", "DSP48 Blocks")) == engines
    # The HLS route has its network elsewhere.
    assert parse_hierarchy(text.replace("        network ", "        hls_net ")) == {}
    with pytest.raises(ValueError, match=r"^no column 'Total LUTs'$"):
        parse_hierarchy(text.replace("Total LUTs", "LUTs      "))
    with pytest.raises(ValueError, match=r"^no table with a column 'Instance'$"):
        parse_hierarchy("")


def test_timing() -> None:
    text = sample("timing_summary.rpt")
    timing = parse_timing(text)
    assert timing == PathTiming(10.0, 1.25, 0.021)
    assert timing.met and timing.fmax_mhz == 1000 / 8.75
    late = parse_timing(text.replace("      1.250        0.000 ", "     -0.500      -12.000 "))
    assert late == PathTiming(10.0, -0.5, 0.021) and not late.met
    assert late.fmax_mhz == 1000 / 10.5
    assert not PathTiming(10.0, 1.0, -0.001).met
    for old, new, reason in (
        ("clk_fpga_0  {", "clk_fpga_0  ", "no clock in the clock summary"),
        ("      1.250 ", "         NA ", "no setup or hold slack: is the design without a clock?"),
        ("    WNS(ns)  ", "    Slack(ns)", "no table with a column 'WNS(ns)'"),
    ):
        with pytest.raises(ValueError) as error:
            parse_timing(text.replace(old, new))
        assert str(error.value) == reason


def test_csynth() -> None:
    text = sample("csynth.xml")
    estimate = parse_csynth(text)
    assert estimate == HlsEstimate(
        Resources(22111, 15432, 43, 39), Resources(53200, 106400, 280, 220), 10.0, 6.25, 9600
    )
    assert estimate.fmax_mhz == 160.0
    unknown = text.replace("<Interval-max>9600<", "<Interval-max>undef<")
    assert parse_csynth(unknown).frame_interval_cycles is None
    with pytest.raises(ValueError) as error:
        parse_csynth(text.replace("<DSP>39</DSP>", ""))
    assert str(error.value) == "no element AreaEstimates/Resources/DSP"
    with pytest.raises(ValueError, match=r"^no XML: "):
        parse_csynth("Vitis HLS")


def test_a_file_that_is_no_report(tmp_path: Path) -> None:
    path = tmp_path / "utilization.rpt"
    path.write_text("| Site Type | Used |\n| Slice LUTs | 5 |\n")
    with pytest.raises(SephwError) as error:
        read_reports(tmp_path)
    assert str(error.value) == (
        f"'{path}' is not the report that Vivado or Vitis HLS writes under this name (no row "
        "'Slice LUTs'); run the script again"
    )


def built(amd: Path) -> Path:
    """As after both routes."""
    for route, names in (("rtl", ("utilization_hierarchical.rpt",)), ("hls", ("csynth.xml",))):
        reports = amd / "reports" / route
        reports.mkdir(parents=True)
        for name in ("timing_summary.rpt", *names):
            shutil.copy(SAMPLES / name, reports)
        shutil.copy(SAMPLES / "utilization_7series.rpt", reports / "utilization.rpt")
    (amd / "small_net.bit").write_text("")
    return amd


def test_record(folder: Folder) -> None:
    amd = folder()
    nothing = {"estimated": None, "routed": None}
    record = {
        "format": "sephw-amd-synth",
        "version": 1,
        "name": "small_net",
        "target": "pynq-z2",
        "part": "xc7z020clg400-1",
        "bitstream": None,
        "routes": {"hls": nothing, "rtl": nothing},
    }
    assert read_record(amd) == record
    available = {"lut": 53200, "ff": 106400, "bram": 280, "dsp": 220}
    routed = {
        "source": "routed",
        "tools": {"vivado": "Vivado 2022.2"},
        "used": {"lut": 12345, "ff": 20468, "bram": 41, "dsp": 37},
        "available": available,
        "engines": {},
        "fmax_mhz": {"ap_clk": 114.29},
        "constraint_mhz": {"ap_clk": 100.0},
        "setup_slack_ns": 1.25,
        "hold_slack_ns": 0.021,
        "timing_met": True,
    }
    estimated = {
        "source": "estimated by Vitis HLS",
        "total": {"lut": 22111, "ff": 15432, "bram": 43, "dsp": 39},
        "available": available,
        "fmax_mhz": {"ap_clk": 160.0},
        "constraint_mhz": {"ap_clk": 100.0},
        "frame_interval_cycles": 9600,
    }
    engines = {
        "stem_window_engine": {"lut": 450, "ff": 300, "bram": 3, "dsp": 0},
        "stem_engine": {"lut": 1200, "ff": 1500, "bram": 4, "dsp": 12},
    }
    assert read_record(built(amd)) == record | {
        "bitstream": "small_net.bit",
        "routes": {
            "hls": {"estimated": estimated, "routed": routed},
            "rtl": {"estimated": None, "routed": routed | {"engines": engines}},
        },
    }


def test_command(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    amd = built(folder())
    timing = amd / "reports" / "rtl" / "timing_summary.rpt"
    timing.write_text(timing.read_text().replace("      1.250        0.000 ", "     -0.500 -1.0 "))
    assert main([str(amd)]) == 0
    assert capsys.readouterr().out == (
        "small_net on pynq-z2 (xc7z020clg400-1)\n"
        "  hls  LUT 22,111 of 53,200, FF 15,432 of 106,400, BRAM 43 of 280, DSP 39 of 220 "
        "[estimated by Vitis HLS]\n"
        "       Fmax 160 MHz, 100 MHz asked\n"
        "  hls  LUT 12,345 of 53,200, FF 20,468 of 106,400, BRAM 41 of 280, "
        "DSP 37 of 220 [routed]\n"
        "       Fmax 114.29 MHz, 100 MHz asked\n"
        "  rtl  LUT 12,345 of 53,200, FF 20,468 of 106,400, BRAM 41 of 280, "
        "DSP 37 of 220 [routed]\n"
        "       Fmax 95.24 MHz, 100 MHz asked: timing is not met\n"
        f"  written to {amd}/synth.json\n"
    )
    assert json.loads((amd / "synth.json").read_text()) == read_record(amd)


def test_command_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == main(["a", "b"]) == 2
    assert capsys.readouterr().err == "usage: python -m sephw.backends.amd EXPORT/amd\n" * 2
    for text in (None, "{}", '{"format": "sephw-accelerator"}', "["):
        if text is not None:
            (tmp_path / "accelerator.json").write_text(text)
        assert main([str(tmp_path)]) == 2
        assert capsys.readouterr().err == (
            f"sephw: error: '{tmp_path}' holds no accelerator.json of sephw; name the folder amd "
            "of an export\n"
        )
