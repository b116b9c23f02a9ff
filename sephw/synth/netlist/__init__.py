"""Simulation of a synthesized netlist: cells as functions, registers and blocks in Verilog."""

from sephw.synth.netlist.project import compile_netlist, write_netlist_project
from sephw.synth.netlist.read import read_netlist

__all__ = ["compile_netlist", "read_netlist", "write_netlist_project"]
