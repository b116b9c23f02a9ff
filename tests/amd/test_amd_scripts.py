"""The Tcl scripts, run in two interpreters against commands that check what they are given."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from amd_export import Folder
from amd_hls import VitisHls
from amd_tcl import INTERPRETERS, TclError
from amd_vendor import Vivado

BOARDS = {
    "pynq-z2": ("xc7z020clg400-1", "tul.com.tw:pynq-z2:part0:1.0", "processing_system7", 32),
    "zcu104": ("xczu7ev-ffvc1156-2-e", "xilinx.com:zcu104:part0:1.1", "zynq_ultra_ps_e", 40),
    "kv260": ("xck26-sfvc784-2LV-c", "xilinx.com:kv260_som:part0:1.4", "zynq_ultra_ps_e", 40),
    "ultra96": ("xczu3eg-sbva484-1-i", "avnet.com:ultra96v2:part0:1.2", "zynq_ultra_ps_e", 40),
}
Run = Callable[..., None]


@pytest.fixture(params=INTERPRETERS)
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a script with a vendor's commands."""
    interpreter = INTERPRETERS[request.param]

    def run(script: Path, tool: Vivado | VitisHls, arguments: Sequence[str] = ()) -> None:
        interpreter(script, arguments, tool.commands())

    return run


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new))


def hls_done(amd: Path) -> Path:
    """As if vitis_hls.tcl had run."""
    ip = amd / "hls_build" / "solution1" / "impl" / "ip"
    ip.mkdir(parents=True)
    (ip / "component.xml").write_text("<component/>")
    return amd


# ---- Vitis HLS -----------------------------------------------------------------------------------


def test_vitis_hls(run: Run, folder: Folder) -> None:
    amd = folder()
    tool = VitisHls(amd)
    run(amd / "vitis_hls.tcl", tool)
    assert (tool.top, tool.part, tool.clock_ns) == ("small_net_top_axis", "xc7z020clg400-1", "10")
    firmware = (amd.parent / "hls" / "firmware").resolve()
    assert [path.resolve() for path in tool.sources] == [
        amd / "sephw_axis_top.cpp",
        firmware / "small_net_top.cpp",
    ]
    assert [path.resolve() for path in tool.bench] == [
        amd / "sephw_axis_test.cpp",
        firmware / "weights",
        firmware.parent / "tb_data",
    ]
    names = [call[0] for call in tool.calls]
    assert names[-3:] == ["csim_design", "csynth_design", "export_design"]
    assert (amd / "reports" / "hls" / "csynth.xml").read_text() == "<profile/>"


def test_vitis_hls_stops_where_c_simulation_fails(run: Run, folder: Folder) -> None:
    amd = folder()
    tool = VitisHls(amd, failing="csim_design")
    with pytest.raises(TclError, match="csim_design failed"):
        run(amd / "vitis_hls.tcl", tool)
    assert not tool.made("csynth_design")


def test_vitis_hls_without_its_project(run: Run, folder: Folder) -> None:
    amd = folder()
    edit(amd / "settings.tcl", "set routes {hls rtl}", "set routes {rtl}")
    with pytest.raises(TclError) as error:
        run(amd / "vitis_hls.tcl", VitisHls(amd))
    assert str(error.value) == "sephw: this export has no HLS project; export with the step hls"


# ---- Vivado --------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["hls", "rtl"])
@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize("target", BOARDS)
def test_vivado(run: Run, folder: Folder, target: str, installed: bool, route: str) -> None:
    part, board_part, system, address_bits = BOARDS[target]
    amd = hls_done(folder(target))
    tool = Vivado(board_files=("digilentinc.com:zybo:part0:1.0", board_part) if installed else ())
    run(amd / "vivado.tcl", tool, [route])
    assert (amd / "small_net.bit").read_text() == "bit"
    assert (amd / "small_net.hwh").read_text() == "hwh"
    assert tool.project["part"] == part and tool.project["top"] == "design_wrapper"
    assert tool.project["synth_checkpoint_mode"] == "None"
    # Presets come from the board's files alone.
    assert tool.project.get("board_part") == (board_part if installed else None)
    assert tool.project.get("apply_board_preset", "0") == str(int(installed))
    assert tool.cells["ps"] == system
    zynq = system == "processing_system7"
    clock = "PCW_FPGA0_PERIPHERAL_FREQMHZ" if zynq else "PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ"
    assert tool.config["ps"][clock] == ("100" if zynq else "200")
    reference = "PCW_CRYSTAL_PERIPHERAL_FREQMHZ" if zynq else "PSU__PSS_REF_CLK__FREQMHZ"
    wanted = None if installed else ("50" if zynq else "33.333")
    assert tool.config["ps"].get(reference) == wanted
    assert tool.config["dma"] == {
        "c_include_sg": "0",
        "c_sg_include_stscntrl_strm": "0",
        "c_include_mm2s": "1",
        "c_include_s2mm": "1",
        "c_include_mm2s_dre": "0",
        "c_include_s2mm_dre": "0",
        "c_sg_length_width": "26",
        "c_addr_width": str(address_bits),
        "c_m_axis_mm2s_tdata_width": "32",
        "c_m_axi_mm2s_data_width": "32",
        "c_s_axis_s2mm_tdata_width": "32",
        "c_m_axi_s2mm_data_width": "32",
        "c_m_axi_s2mm_data_width.VALUE_SRC": "USER",
        "c_s_axis_s2mm_tdata_width.VALUE_SRC": "USER",
    }
    # The stream goes from the memory through the network and back, whatever lies between.
    ways = [("dma/M_AXIS_MM2S", "accelerator/s_axis"), ("accelerator/m_axis", "dma/S_AXIS_S2MM")]
    if route == "hls":
        ways += [
            ("accelerator/in_axis", "network/s_axis"),
            ("network/m_axis", "accelerator/out_axis"),
        ]
        assert tool.hls_top == "small_net_top_axis"
    assert all(tool.links[start] == end for start, end in ways)
    axis = {pin for pin in tool.links if "axis" in pin.split("/")[1].lower()}
    assert axis == {pin for way in ways for pin in way}
    tool.order(
        "create_project",
        "add_files",
        "create_bd_design",
        "assign_bd_address",
        "validate_bd_design",
        "save_bd_design",
        "set_property synth_checkpoint_mode",
        "generate_target",
        "make_wrapper",
        "launch_runs synth_1",
        "wait_on_run synth_1",
        "launch_runs impl_1",
        "wait_on_run impl_1",
        "open_run impl_1",
        "report_utilization -file",
        "report_utilization -hierarchical",
        "report_timing_summary",
    )
    reports = [call[-1] for call in tool.calls if call[0].startswith("report_")]
    assert [Path(path).relative_to(amd) for path in reports] == [
        Path("reports", route, name)
        for name in ("utilization.rpt", "utilization_hierarchical.rpt", "timing_summary.rpt")
    ]
    names = {path.name for path in tool.files}
    assert {"sephw_axis_frame.sv", "sephw_modulo_counter.sv", "sephw_accelerator.v"} <= names
    # Every source that the RTL project lists and every memory; of the HLS project nothing.
    project = {"small_net_top.sv", "sephw_conv8.sv", "stem_engine_weights.mem"}
    assert project <= names if route == "rtl" else not project & names


def test_first_route_and_old_vivado(run: Run, folder: Folder) -> None:
    """Without an argument the first route counts; before 2020.2 generated files lie in .srcs."""
    amd = hls_done(folder())
    tool = Vivado(generated="srcs")
    run(amd / "vivado.tcl", tool)
    assert "network" in tool.cells
    assert (amd / "small_net.hwh").exists()


def test_another_clock(run: Run, folder: Folder) -> None:
    """clock_ns in settings.tcl is the one place to change the clock."""
    amd = folder()
    edit(amd / "settings.tcl", "set clock_ns {10}", "set clock_ns {12.5}")
    tool = Vivado()
    run(amd / "vivado.tcl", tool, ["rtl"])
    assert tool.config["ps"]["PCW_FPGA0_PERIPHERAL_FREQMHZ"] == "80"


@pytest.mark.parametrize(
    ("slacks", "what", "slack"),
    [({"setup_slack_ns": -0.125}, "setup", "-0.125"), ({"hold_slack_ns": -0.5}, "hold", "-0.5")],
)
def test_timing_not_met(run: Run, folder: Folder, slacks, what: str, slack: str) -> None:
    amd = folder()
    tool = Vivado(**slacks)
    with pytest.raises(TclError) as error:
        run(amd / "vivado.tcl", tool, ["rtl"])
    assert str(error.value) == (
        f"sephw: timing is not met at 10 ns: {what} slack {slack} ns; set a longer clock_ns in "
        f"settings.tcl or use another folding; see {amd}/reports/rtl/timing_summary.rpt"
    )
    assert "report_timing_summary" in {call[0] for call in tool.calls}
    assert not list(amd.glob("*.bit"))


def test_refusals(run: Run, folder: Folder) -> None:
    def refused(tool: Vivado, *arguments: str) -> str:
        with pytest.raises(TclError) as error:
            run(amd / "vivado.tcl", tool, arguments)
        assert not list(amd.glob("*.bit"))
        return str(error.value)

    amd = folder()
    assert refused(Vivado(), "vhdl") == (
        "sephw: there is no route 'vhdl' here; use one of: hls, rtl"
    )
    assert refused(Vivado(), "hls") == (
        f"sephw: {amd}/hls_build/solution1/impl/ip holds no IP; run vitis_hls.tcl first"
    )
    assert refused(Vivado(failing="synth_1"), "rtl") == (
        "sephw: synth_1 failed; see /run/runme.log"
    )
    assert refused(Vivado(failing="impl_1"), "rtl") == "sephw: impl_1 failed; see /run/runme.log"
    assert refused(Vivado(generated="elsewhere"), "rtl") == (
        f"sephw: Vivado wrote no design.hwh under {amd}/vivado; PYNQ needs it"
    )
    missing = Vivado()
    missing.versions = {k: v for k, v in missing.versions.items() if k != "axi_dma"}
    assert refused(missing, "rtl") == (
        "sephw: this Vivado has no IP 'axi_dma'; install the device family of the board"
    )
    (amd / "sephw_axis_frame.sv").unlink()
    assert refused(Vivado(), "rtl") == (
        f"sephw: {amd}/sephw_axis_frame.sv is missing; export the model again"
    )


# Each edit makes a wrong design; the stand-ins must say so, or they would accept anything.
_PIN, _ENDS = "[get_bd_pins {}] \\\n", "[get_bd_intf_pins {}]"
WRONG = {
    "clock left out": (
        "vivado.tcl",
        f"    {_PIN.format('memory/aclk')}",
        "",
        "memory/aclk is open",
    ),
    "reset left out": (
        "vivado.tcl",
        f"    {_PIN.format('control/aresetn')}",
        "",
        "control/aresetn is open",
    ),
    "clock as reset": (
        "vivado.tcl",
        "connect_bd_net [get_bd_pins $ps_reset]",
        "connect_bd_net [get_bd_pins $ps_clock]",
        "drives reset/ext_reset_in",
    ),
    "driven twice": (
        "vivado.tcl",
        _PIN.format("control/aclk"),
        f"[get_bd_pins control/aclk] {_PIN.format('control/aclk')}",
        "two drivers",
    ),
    "no such pin": ("vivado.tcl", "dma/axi_resetn", "dma/aresetn", "no pin dma/aresetn"),
    "no such parameter": ("vivado.tcl", "c_sg_length_width 26", "sg_length 26", "CONFIG.sg_length"),
    "no such IP": ("vivado.tcl", "add_ip axi_dma dma", "add_ip axi_dmac dma", "no IP 'axi_dmac'"),
    "stream left out": (
        "vivado.tcl",
        f"connect_bd_intf_net {_ENDS.format('accelerator/m_axis')} "
        f"{_ENDS.format('dma/S_AXIS_S2MM')}\n",
        "",
        " is open",
    ),
    "two masters": (
        "vivado.tcl",
        _ENDS.format("accelerator/m_axis"),
        _ENDS.format("dma/M_AXI_MM2S"),
        "connect_bd_intf_net dma/M_AXI_MM2S dma/S_AXIS_S2MM",
    ),
    "a port too few": (
        "vivado.tcl",
        "CONFIG.NUM_MI 2",
        "CONFIG.NUM_MI 1",
        "no interface control/M01_AXI",
    ),
    "a port too many": (
        "vivado.tcl",
        "CONFIG.NUM_SI 2",
        "CONFIG.NUM_SI 3",
        "memory/S02_AXI is open",
    ),
    "widths differ": (
        "settings.tcl",
        "set in_bus_bits {32}",
        "set in_bus_bits {8}",
        "s_axis and m_axis_mm2s differ in width",
    ),
    "width is automatic": (
        "vivado.tcl",
        "c_s_axis_s2mm_tdata_width.VALUE_SRC USER",
        "c_s_axis_s2mm_tdata_width.VALUE_SRC DEFAULT",
        "validate_bd_design",
    ),
    "no HP port": (
        "processing_system.tcl",
        "    CONFIG.PCW_USE_S_AXI_HP0 1 \\\n",
        "",
        "no pin ps/S_AXI_HP0_ACLK",
    ),
    "top of another language": (
        "vivado.tcl",
        "[file join $here from_rtl sephw_accelerator.v]",
        "[file join $here from_rtl sephw_accelerator.sv]",
        "is missing",
    ),
    "unknown variable": ("settings.tcl", "set part ", "set device ", 'can\'t read "part"'),
    "unknown command": ("vivado.tcl", "save_bd_design\n", "save_design\n", "save_design"),
    "brace left open": ("vivado.tcl", "[list CONFIG.NUM_SI 1", "[list {CONFIG.NUM_SI 1", "missing"),
    "not validated": ("vivado.tcl", "validate_bd_design\n", "", "not validated"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_designs_are_noticed(run: Run, folder: Folder, name: str) -> None:
    file, old, new, reason = WRONG[name]
    amd = folder()
    edit(amd / file, old, new)
    with pytest.raises(TclError, match=re.escape(reason)):
        run(amd / "vivado.tcl", Vivado(), ["rtl"])


def test_ultrascale_port_without_a_clock_is_noticed(run: Run, folder: Folder) -> None:
    amd = folder("zcu104")
    edit(amd / "processing_system.tcl", "    CONFIG.PSU__USE__M_AXI_GP1 0 \\\n", "")
    with pytest.raises(TclError, match="ps/M_AXI_HPM1_FPD is open"):
        run(amd / "vivado.tcl", Vivado(), ["rtl"])


# ---- build.sh ------------------------------------------------------------------------------------


def build(
    amd: Path, tools: Sequence[str], *arguments: str, failing: str = ""
) -> tuple[int, str, str]:
    """Run build.sh with ``tools`` alone on the PATH: (status, standard error, what was called)."""
    folder = amd.parent / "tools"
    folder.mkdir()
    for name in tools:
        status = 1 if name == failing else 0
        (folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >> "$LOG"\nexit {status}\n')
        (folder / name).chmod(0o755)
    for name in ("sed", "dirname"):
        found = next(p for p in (Path("/bin", name), Path("/usr/bin", name)) if p.exists())
        (folder / name).symlink_to(found)
    log = amd.parent / "log"
    log.write_text("")
    done = subprocess.run(
        ["/bin/sh", str(amd / "build.sh"), *arguments],
        cwd="/",
        capture_output=True,
        text=True,
        env={"PATH": str(folder), "LOG": str(log)},
    )
    return done.returncode, done.stderr, log.read_text()


VITIS_RUN = "vitis-run --mode hls --tcl vitis_hls.tcl\n"
VIVADO = "vivado -mode batch -source vivado.tcl -tclargs {}\n"


@pytest.mark.parametrize(
    ("tools", "arguments", "called"),
    [
        (("vivado", "vitis-run"), (), VITIS_RUN + VIVADO.format("hls")),
        (("vivado", "vitis-run", "vitis_hls"), ("hls",), VITIS_RUN + VIVADO.format("hls")),
        (("vivado", "vitis_hls"), (), "vitis_hls -f vitis_hls.tcl\n" + VIVADO.format("hls")),
        (("vivado",), ("rtl",), VIVADO.format("rtl")),
    ],
)
def test_build(folder: Folder, tools, arguments, called: str) -> None:
    assert build(folder(), tools, *arguments) == (0, "", called)


@pytest.mark.parametrize(
    ("tools", "arguments", "error"),
    [
        ((), (), "vivado is not on the PATH; source settings64.sh of your installation"),
        (
            ("vivado",),
            (),
            "neither vitis-run nor vitis_hls is on the PATH; source settings64.sh of Vitis",
        ),
        (
            ("vivado",),
            ("all",),
            "there is no route 'all'; use ./build.sh hls or ./build.sh rtl",
        ),
    ],
)
def test_build_refuses(folder: Folder, tools, arguments, error: str) -> None:
    assert build(folder(), tools, *arguments) == (2, f"sephw: error: {error}\n", "")


def test_build_stops_where_hls_fails(folder: Folder) -> None:
    status, _, called = build(folder(), ("vivado", "vitis-run"), failing="vitis-run")
    assert (status, called) == (1, VITIS_RUN)
