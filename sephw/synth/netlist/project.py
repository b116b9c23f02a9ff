"""A project with a netlist in place of an RTL project's sources, under the same testbench."""

from __future__ import annotations

import shutil
from pathlib import Path

from sephw.backends.layout import STREAM_LIST, Layout, read_stream_list
from sephw.backends.rtl import CompiledRtl, compile_project
from sephw.backends.rtl.project import FILE_LIST, TESTBENCH, constant_file
from sephw.backends.rtl.testbench import HEADER
from sephw.errors import SephwError
from sephw.ir import Integers
from sephw.rtl import SOURCES
from sephw.synth.netlist.model import Netlist
from sephw.synth.netlist.observe import observed_bits
from sephw.synth.netlist.read import read_netlist
from sephw.synth.netlist.verilog import verilog_text
from sephw.technologies import Technology

_PURPOSE = "netlist simulation"
# Smaller functions and files of C++: a netlist is one long list of expressions, and compilers take
# more than twice as long for one twice as long.
_OPTIONS = ("--output-split", "15000", "--output-split-cfuncs", "300", "-fno-table")


def write_netlist_project(
    netlist: Path, technology: Technology, project: Path, directory: Path
) -> Netlist:
    """Write ``directory``: the netlist of the RTL ``project`` as Verilog, cells, testbench.

    The testbench, its list of streams and what constant inputs bring are the project's own. The
    same netlist gives the same bytes. Raises SephwError as `read_netlist` does, and where the
    netlist is of another top module or lacks a stream.
    """
    layout = read_stream_list(project, "RTL")
    content = read_netlist(netlist, technology)
    # By its ports: some tools rename the module.
    if {name: len(bits) for _, name, bits in content.ports} != _ports(layout):
        raise SephwError(
            f"netlist '{netlist.name}' is of '{content.name}', with other ports than "
            f"'{layout.project}'; synthesize the network's own top module"
        )
    text = verilog_text(content, layout)
    directory.mkdir(parents=True, exist_ok=True)
    cells, source = f"{technology.name}.v", f"{layout.project}.v"
    (directory / source).write_text(text, encoding="utf-8")
    shutil.copyfile(SOURCES / "cells" / cells, directory / cells)
    for name in (STREAM_LIST, HEADER, TESTBENCH):
        shutil.copyfile(project / name, directory / name)
    for index, name in enumerate(layout.inputs):
        if name not in layout.data_inputs:
            brought = constant_file(directory, index)
            brought.parent.mkdir(exist_ok=True)
            shutil.copyfile(constant_file(project, index), brought)
    listed = "".join(f"{word}\n" for word in (*_OPTIONS, cells, source))
    (directory / FILE_LIST).write_text(listed, encoding="utf-8")
    return content


def _ports(layout: Layout) -> dict[str, int]:
    """Bits by port of a network's own top module."""
    ports = {"ap_clk": 1, "ap_rst_n": 1}
    for prefix, names in (("s_axis", layout.inputs), ("m_axis", layout.outputs)):
        for i, name in enumerate(names):
            stream = layout.streams[name]
            ports[f"{prefix}_{i}_tdata"] = stream.bits * stream.lanes
            ports[f"{prefix}_{i}_tvalid"] = ports[f"{prefix}_{i}_tready"] = 1
    return ports


def compile_netlist(
    netlist: Path, technology: Technology, project: Path, directory: Path
) -> tuple[CompiledRtl, dict[str, Integers]]:
    """Write the netlist's project to ``directory`` and build its simulation.

    Returns it with the masks of comparable bits of `observed_bits`. Raises SephwError as
    `write_netlist_project` does, and where Verilator or a compiler is missing or fails.
    """
    content = write_netlist_project(netlist, technology, project, directory)
    observed = observed_bits(content, read_stream_list(project, "RTL"))
    return compile_project(directory, purpose=_PURPOSE), observed
