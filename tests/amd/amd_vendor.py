"""Stand-ins for every Vivado command of the scripts: they record and check.

A name that is not in amd_cells.py fails the script, as it would in Vivado.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from amd_cells import (
    CLOCK_SOURCES,
    CLOCKS,
    DEFAULTS,
    DRIVERS,
    INTERFACES,
    PARAMETERS,
    PS_OUTPUTS,
    PS_PORTS,
    RESET_SOURCES,
    RESETS,
    VERSIONS,
)
from amd_tcl import Command, TclError, split_list


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
    versions: dict[str, str] = field(default_factory=lambda: dict(VERSIONS))
    validated: bool = False
    catalog: str = ""
    hls_top: str = ""

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
        shutil.rmtree(folder, ignore_errors=True)
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

    def tcl_update_ip_catalog(self) -> str:
        """HLS packages one IP, sephw:hls:TOP:1.0, where the component.xml is."""
        (repository,) = split_list(self.project["ip_repo_paths"])
        assert (Path(repository) / "component.xml").exists()
        self.catalog = repository
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
        made = [f"xilinx.com:ip:{name}:{version}" for name, version in self.versions.items()]
        return " ".join(name for name in made if fnmatch(name, pattern))

    def tcl_create_bd_cell(self, dash: str, kind: str, option: str, what: str, cell: str) -> str:
        assert dash == "-type" and cell not in self.cells
        if kind == "ip":
            vendor, library, name, version = what.split(":")
            assert option == "-vlnv"
            if vendor == "sephw":
                assert self.catalog and (library, version) == ("hls", "1.0")
                self.hls_top, name = name, "hls_network"
            else:
                assert (vendor, library) == ("xilinx.com", "ip") and VERSIONS[name] == version
        else:
            assert (kind, option) == ("module", "-reference")
            name = what
            assert self._module(name).suffix == ".v", "a reference's top must be Verilog"
        self.cells[cell], self.config[cell] = name, dict(DEFAULTS.get(name, {}))
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
        if target in ("PROJECT", "FILESET", "design.bd"):
            assert (
                set(pairs)
                <= {
                    "PROJECT": {"board_part", "ip_repo_paths"},
                    "FILESET": {"top"},
                    "design.bd": {"synth_checkpoint_mode"},
                }[target]
            )
            self.project |= pairs
            return ""
        for name, value in pairs.items():
            prefix, parameter = name.split(".", 1)
            assert prefix == "CONFIG" and parameter in PARAMETERS[self.cells[target]], name
            self.config[target][parameter] = value
        return ""

    def tcl_apply_bd_automation(self, dash: str, rule: str, config: str, values: str, cell: str):
        assert (dash, config) == ("-rule", "-config")
        assert rule == f"xilinx.com:bd_rule:{self.cells[cell]}"
        pairs = split_list(values)
        return self.project.update(dict(zip(pairs[::2], pairs[1::2], strict=True)))

    def inputs(self, cell: str) -> dict[str, tuple[str, ...]]:
        """Each input that must be connected, by what may drive it: cell/pin, or a pin of the PS."""
        kind = self.cells[cell]
        found = dict.fromkeys(CLOCKS.get(kind, ()), CLOCK_SOURCES)
        found |= dict.fromkeys(RESETS.get(kind, ()), ("peripheral_aresetn", "interconnect_aresetn"))
        if kind == "proc_sys_reset":
            found["ext_reset_in"] = RESET_SOURCES
        for parameter, (_, _, clock) in PS_PORTS.get(kind, {}).items():
            if self.config[cell].get(parameter) == "1":
                found[clock] = CLOCK_SOURCES
        if kind == "axi_gpio":
            found["gpio_io_i"] = ("build_id_low",)
            if self.config[cell]["C_IS_DUAL"] == "1":
                found["gpio2_io_i"] = ("build_id_high",)
        return found

    def outputs(self, cell: str) -> tuple[str, ...]:
        kind = self.cells[cell]
        made = PS_OUTPUTS.get(kind, {}).items()
        return (
            *DRIVERS.get(kind, ()),
            *(pin for parameter, pin in made if self.config[cell].get(parameter) == "1"),
        )

    def interfaces(self, cell: str) -> dict[str, str]:
        """Side and protocol of each interface of a cell."""
        kind, config = self.cells[cell], self.config[cell]
        if kind == "smartconnect":
            ends = (("S", "NUM_SI", "slave axi"), ("M", "NUM_MI", "master axi"))
            return {
                f"{letter}{i:02d}_AXI": side
                for letter, count, side in ends
                for i in range(int(config[count]))
            }
        if kind == "sephw_accelerator":
            ports = self.port_bits(kind)
            names = {name.removesuffix("_tdata") for name in ports if name.endswith("_tdata")}
            slaves = ("s_axis", "out_axis")
            return {name: "slave axis" if name in slaves else "master axis" for name in names}
        made = PS_PORTS.get(kind, {}).items()
        enabled = {name: side for p, (name, side, _) in made if config.get(p) == "1"}
        return INTERFACES.get(kind, {}) | enabled

    def tcl_get_bd_pins(self, pin: str) -> str:
        cell, name = pin.split("/")
        assert name in self.inputs(cell) or name in self.outputs(cell), f"no pin {pin}"
        return pin

    def tcl_connect_bd_net(self, driver: str, *loads: str) -> str:
        cell, name = driver.split("/")
        assert name in self.outputs(cell) and loads
        for load in loads:
            at, pin = load.split("/")
            assert load not in self.nets, f"{load} has two drivers"
            assert name in self.inputs(at)[pin], f"{driver} drives {load}"
            self.nets[load] = driver
        return ""

    def interface(self, pin: str) -> str:
        """Side and protocol of an interface pin."""
        cell, name = pin.split("/")
        found = self.interfaces(cell)
        assert name in found, f"no interface {pin}"
        return found[name]

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
        for cell in self.cells:
            self.open_interfaces(cell)
        return ""

    def open_interfaces(self, cell: str) -> None:
        """Assert that none is."""
        for name in self.interfaces(cell):
            assert f"{cell}/{name}" in self.links, f"{cell}/{name} is open"

    def tcl_validate_bd_design(self) -> str:
        """Every clock, reset, input and interface is connected, each stream as wide on each end."""
        for cell in self.cells:
            for name in self.inputs(cell):
                assert f"{cell}/{name}" in self.nets, f"{cell}/{name} is open"
            self.open_interfaces(cell)
        bits, dma = self.port_bits("sephw_accelerator"), self.config["dma"]
        streams = (("mm2s", "m_axis_mm2s", "s_axis"), ("s2mm", "s_axis_s2mm", "m_axis"))
        for side, stream, port in streams:
            width = int(dma[f"c_{stream}_tdata_width"])
            memory = dma[f"c_m_axi_{side}_data_width"]
            assert width == bits[f"{port}_tdata"], f"{port} and {stream} differ in width"
            assert width in (8, 16, 32, 64, 128, 256, 512, 1024)
            assert memory in ("32", "64", "128", "256", "512", "1024") and int(memory) >= width
            assert bits[f"{port}_tkeep"] == width // 8
        for name in ("c_m_axi_s2mm_data_width", "c_s_axis_s2mm_tdata_width"):
            assert dma[f"{name}.VALUE_SRC"] == "USER"
        assert bits["build_id_low"] == int(self.config["identity"]["C_GPIO_WIDTH"])
        assert bits["build_id_high"] == int(self.config["identity"]["C_GPIO2_WIDTH"])
        self.validated = True
        return ""

    def tcl_save_bd_design(self) -> str:
        assert self.validated, "not validated"
        return ""

    def tcl_get_files(self, name: str) -> str:
        assert name == "design.bd"
        return name

    def tcl_generate_target(self, what: str, name: str) -> str:
        assert (what, name) == ("all", "design.bd")
        return ""

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
