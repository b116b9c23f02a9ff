"""Stand-ins for every Vivado and Vitis HLS command of the scripts: they record and check.

Pins, interfaces and parameters are those of the vendor's product guides: PG021 (AXI DMA), PG144
(AXI GPIO), PG164 (Processor System Reset), PG247 (SmartConnect), PG082 and PG201 (processing
systems). A name that is not there fails the script, as it would in Vivado.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from amd_tcl import Command, TclError, split_list

VERSIONS = {
    "axi_dma": "7.1", "axi_gpio": "2.0", "proc_sys_reset": "5.0", "smartconnect": "1.0",
    "processing_system7": "5.5", "zynq_ultra_ps_e": "3.5",
}  # fmt: skip
CLOCKS = {
    "axi_dma": ("s_axi_lite_aclk", "m_axi_mm2s_aclk", "m_axi_s2mm_aclk"),
    "axi_gpio": ("s_axi_aclk",),
    "proc_sys_reset": ("slowest_sync_clk",),
    "smartconnect": ("aclk",),
    "processing_system7": ("M_AXI_GP0_ACLK", "S_AXI_HP0_ACLK"),
    "zynq_ultra_ps_e": ("maxihpm0_fpd_aclk", "saxihp0_fpd_aclk"),
    "sephw_accelerator": ("ap_clk",),
}
RESETS = {
    "axi_dma": ("axi_resetn",), "axi_gpio": ("s_axi_aresetn",), "smartconnect": ("aresetn",),
    "proc_sys_reset": ("ext_reset_in",), "sephw_accelerator": ("ap_rst_n",),
}  # fmt: skip
DRIVERS = {
    "proc_sys_reset": ("peripheral_aresetn", "interconnect_aresetn"),
    "processing_system7": ("FCLK_CLK0", "FCLK_RESET0_N"),
    "zynq_ultra_ps_e": ("pl_clk0", "pl_resetn0"),
    "sephw_accelerator": ("build_id",),
}
INPUTS = {"axi_gpio": ("gpio_io_i",)}
# (interface, side): a connection joins a master and a slave of one protocol.
INTERFACES = {
    "axi_dma": {
        "S_AXI_LITE": "slave axi", "M_AXI_MM2S": "master axi", "M_AXI_S2MM": "master axi",
        "M_AXIS_MM2S": "master axis", "S_AXIS_S2MM": "slave axis",
    },
    "axi_gpio": {"S_AXI": "slave axi"},
    "proc_sys_reset": {},
    "processing_system7": {"M_AXI_GP0": "master axi", "S_AXI_HP0": "slave axi"},
    "zynq_ultra_ps_e": {"M_AXI_HPM0_FPD": "master axi", "S_AXI_HP0_FPD": "slave axi"},
    "sephw_accelerator": {"s_axis": "slave axis", "m_axis": "master axis"},
}  # fmt: skip
PARAMETERS = {
    "axi_dma": {
        "c_include_sg", "c_sg_include_stscntrl_strm", "c_include_mm2s", "c_include_s2mm",
        "c_include_mm2s_dre", "c_include_s2mm_dre", "c_sg_length_width", "c_addr_width",
        "c_m_axis_mm2s_tdata_width", "c_m_axi_mm2s_data_width", "c_s_axis_s2mm_tdata_width",
        "c_m_axi_s2mm_data_width",
    },
    "axi_gpio": {"C_GPIO_WIDTH", "C_ALL_INPUTS"},
    "smartconnect": {"NUM_SI", "NUM_MI"},
    "processing_system7": {
        "PCW_EN_CLK0_PORT", "PCW_EN_RST0_PORT", "PCW_FPGA0_PERIPHERAL_FREQMHZ",
        "PCW_USE_M_AXI_GP0", "PCW_USE_S_AXI_HP0", "PCW_CRYSTAL_PERIPHERAL_FREQMHZ",
    },
    "zynq_ultra_ps_e": {
        "PSU__FPGA_PL0_ENABLE", "PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ", "PSU__USE__M_AXI_GP0",
        "PSU__USE__M_AXI_GP1", "PSU__USE__M_AXI_GP2", "PSU__USE__S_AXI_GP2",
        "PSU__PSS_REF_CLK__FREQMHZ",
    },
}  # fmt: skip


@dataclass
class Vivado:
    """One run. ``board_files``: installed board parts; slacks in ns; ``failing``: a run's name."""

    board_files: tuple[str, ...] = ()
    setup_slack_ns: float = 0.5
    hold_slack_ns: float = 0.02
    failing: str = ""
    generated: str = "gen"
    calls: list[tuple[str, ...]] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    cells: dict[str, str] = field(default_factory=dict)
    config: dict[str, dict[str, str]] = field(default_factory=dict)
    nets: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    project: dict[str, str] = field(default_factory=dict)

    def commands(self) -> dict[str, Command]:
        """By name, each recording its call."""

        def recorded(name: str, command: Command) -> Command:
            def call(*words: str) -> str:
                self.calls.append((name, *words))
                try:
                    return command(*words) or ""
                except (AssertionError, KeyError, ValueError) as error:
                    raise TclError(f"{name} {' '.join(words)}: {error!r}") from error

            return call

        names = [name.removeprefix("tcl_") for name in dir(self) if name.startswith("tcl_")]
        return {name: recorded(name, getattr(self, f"tcl_{name}")) for name in names}

    def order(self, *names: str) -> None:
        """Assert that the calls ``names`` occur in this order."""
        made = [" ".join(call) for call in self.calls]
        at = -1
        for name in names:
            at = next(i for i, call in enumerate(made) if i > at and call.startswith(name))

    # -- project ------------------------------------------------------------------------------

    def tcl_create_project(self, force: str, name: str, folder: str, dash: str, part: str) -> str:
        assert (force, dash) == ("-force", "-part")
        self.project = {"name": name, "folder": folder, "part": part}
        return ""

    def tcl_get_board_parts(self, quiet: str, pattern: str) -> str:
        assert quiet == "-quiet"
        return " ".join(part for part in self.board_files if fnmatch(part, pattern))

    def tcl_current_project(self) -> str:
        return "PROJECT"

    def tcl_current_fileset(self) -> str:
        return "FILESET"

    def tcl_add_files(self, option: str, files: str) -> str:
        assert option == "-norecurse"
        for name in split_list(files):
            path = Path(name)
            assert path.exists(), f"no file {path}"
            assert path not in self.files, f"{path} added twice"
            self.files.append(path)
        return ""

    def tcl_update_compile_order(self, option: str, fileset: str) -> str:
        assert (option, fileset) == ("-fileset", "sources_1")
        return ""

    # -- block design -------------------------------------------------------------------------

    def tcl_create_bd_design(self, name: str) -> str:
        assert name == "design"
        return name

    def tcl_get_ipdefs(self, quiet: str, pattern: str) -> str:
        assert quiet == "-quiet"
        made = [f"xilinx.com:ip:{name}:{version}" for name, version in VERSIONS.items()]
        return " ".join(name for name in made if fnmatch(name, pattern))

    def tcl_create_bd_cell(self, dash: str, kind: str, option: str, what: str, cell: str) -> str:
        assert dash == "-type" and cell not in self.cells
        if kind == "ip":
            vendor, library, name, version = what.split(":")
            assert (option, vendor, library) == ("-vlnv", "xilinx.com", "ip")
            assert VERSIONS[name] == version
        else:
            assert (kind, option) == ("module", "-reference")
            name = what
            assert self._module(name).suffix == ".v", "a reference's top must be Verilog"
        self.cells[cell], self.config[cell] = name, {}
        return cell

    def _module(self, name: str) -> Path:
        (path,) = [f for f in self.files if f.suffix in (".v", ".sv") and f.stem == name]
        return path

    def port_bits(self, module: str) -> dict[str, int]:
        """Width of each port of a Verilog source."""
        text = self._module(module).read_text()
        ports = re.findall(r"^ +(?:in|out)put +wire (?:\[(\d+):0\] )?(\w+),?$", text, re.MULTILINE)
        return {name: int(high or 0) + 1 for high, name in ports}

    def tcl_get_bd_cells(self, cell: str) -> str:
        assert cell in self.cells
        return cell

    def tcl_set_property(self, *words: str) -> str:
        if words[0] == "-dict":
            values, target = split_list(words[1]), words[2]
        else:
            *values, target = words
        pairs = dict(zip(values[::2], values[1::2], strict=True))
        if target in ("PROJECT", "FILESET"):
            self.project |= pairs
            return ""
        for name, value in pairs.items():
            prefix, parameter = name.split(".")
            assert prefix == "CONFIG" and parameter in PARAMETERS[self.cells[target]], name
            self.config[target][parameter] = value
        return ""

    def tcl_apply_bd_automation(self, dash: str, rule: str, config: str, values: str, cell: str):
        assert (dash, config) == ("-rule", "-config")
        assert rule == f"xilinx.com:bd_rule:{self.cells[cell]}"
        pairs = split_list(values)
        return self.project.update(dict(zip(pairs[::2], pairs[1::2], strict=True)))

    def tcl_get_bd_pins(self, pin: str) -> str:
        cell, name = pin.split("/")
        kind = self.cells[cell]
        known = [*CLOCKS[kind], *RESETS.get(kind, ()), *DRIVERS.get(kind, ())]
        assert name in [*known, *INPUTS.get(kind, ())], f"no pin {pin}"
        return pin

    def tcl_connect_bd_net(self, driver: str, *loads: str) -> str:
        cell, name = driver.split("/")
        assert name in DRIVERS[self.cells[cell]] and loads
        for load in loads:
            cell, name = load.split("/")
            assert load not in self.nets, f"{load} has two drivers"
            assert name not in DRIVERS.get(self.cells[cell], ())
            self.nets[load] = driver
        return ""

    def interface(self, pin: str) -> str:
        """Side and protocol of an interface pin."""
        cell, name = pin.split("/")
        if self.cells[cell] == "smartconnect":
            side, count = ("slave", "NUM_SI") if name[0] == "S" else ("master", "NUM_MI")
            made = [f"{name[0]}{i:02d}_AXI" for i in range(int(self.config[cell][count]))]
            assert name in made, f"no interface {pin}"
            return f"{side} axi"
        return INTERFACES[self.cells[cell]][name]

    def tcl_get_bd_intf_pins(self, pin: str) -> str:
        return pin if self.interface(pin) else ""

    def tcl_connect_bd_intf_net(self, one: str, other: str) -> str:
        sides = sorted([self.interface(one).split(), self.interface(other).split()])
        assert [sides[0][0], sides[1][0]] == ["master", "slave"] and sides[0][1] == sides[1][1]
        for pin, to in ((one, other), (other, one)):
            assert pin not in self.links, f"{pin} connected twice"
            self.links[pin] = to
        return ""

    def tcl_assign_bd_address(self) -> str:
        return ""

    def tcl_validate_bd_design(self) -> str:
        """Every clock, reset, input and interface is connected, each stream as wide on each end."""
        for cell, kind in self.cells.items():
            for name in (*CLOCKS[kind], *RESETS.get(kind, ()), *INPUTS.get(kind, ())):
                assert f"{cell}/{name}" in self.nets, f"{cell}/{name} is open"
            for name in INTERFACES.get(kind, {}):
                assert f"{cell}/{name}" in self.links, f"{cell}/{name} is open"
            for letter, count in (("S", "NUM_SI"), ("M", "NUM_MI")):
                for i in range(int(self.config[cell].get(count, 0))):
                    assert f"{cell}/{letter}{i:02d}_AXI" in self.links
        bits, dma = self.port_bits("sephw_accelerator"), self.config["dma"]
        assert int(dma["c_m_axis_mm2s_tdata_width"]) == bits["s_axis_tdata"]
        assert int(dma["c_s_axis_s2mm_tdata_width"]) == bits["m_axis_tdata"]
        assert bits["build_id"] == int(self.config["identity"]["C_GPIO_WIDTH"])
        for name in ("mm2s", "s2mm"):
            assert dma[f"c_m_axi_{name}_data_width"] in ("32", "64", "128", "256", "512", "1024")
        return ""

    def tcl_save_bd_design(self) -> str:
        return ""

    def tcl_get_files(self, name: str) -> str:
        assert name == "design.bd"
        return name

    def tcl_make_wrapper(self, option: str, design: str, top: str) -> str:
        assert (option, design, top) == ("-files", "design.bd", "-top")
        path = Path(self.project["folder"]) / "design_wrapper.v"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        return str(path)

    # -- runs ---------------------------------------------------------------------------------

    def tcl_launch_runs(self, run: str, *options: str) -> str:
        assert run in ("synth_1", "impl_1") and options[-2:] == ("-jobs", "4")
        if run == "impl_1":
            assert options[:2] == ("-to_step", "write_bitstream")
            folder, name = Path(self.project["folder"]), self.project["name"]
            handoff = folder / f"{name}.{self.generated}" / "sources_1/bd/design/hw_handoff"
            runs = folder / f"{name}.runs" / "impl_1"
            for path in (handoff, runs):
                path.mkdir(parents=True, exist_ok=True)
            (handoff / "design.hwh").write_text("hwh")
            (runs / "design_wrapper.bit").write_text("bit")
        return ""

    def tcl_wait_on_run(self, run: str) -> str:
        assert run in ("synth_1", "impl_1")
        return ""

    def tcl_get_runs(self, run: str) -> str:
        return run

    def tcl_open_run(self, run: str) -> str:
        assert run == "impl_1"
        return ""

    def tcl_get_timing_paths(self, *options: str) -> str:
        assert options[0] == "-delay_type" and options[2:] == ("-max_paths", "1")
        return {"max": "SETUP", "min": "HOLD"}[options[1]]

    def tcl_get_property(self, name: str, what: str) -> str:
        if name == "SLACK":
            return str({"SETUP": self.setup_slack_ns, "HOLD": self.hold_slack_ns}[what])
        return {"PROGRESS": "40%" if what == self.failing else "100%", "DIRECTORY": "/run"}[name]

    def tcl_report_utilization(self, *options: str) -> str:
        assert options[-2] == "-file" and options[:-2] in ((), ("-hierarchical",))
        assert Path(options[-1]).parent.is_dir()
        return ""

    def tcl_report_timing_summary(self, option: str, path: str) -> str:
        assert option == "-file" and Path(path).parent.is_dir()
        return ""
