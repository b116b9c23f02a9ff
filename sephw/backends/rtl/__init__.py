"""The SystemVerilog project of a graph, and its simulation with Verilator."""

from sephw.backends.rtl.project import write_project
from sephw.backends.rtl.simulation import CompiledRtl, ResetPulse, RtlRun, compile_project

__all__ = ["CompiledRtl", "ResetPulse", "RtlRun", "compile_project", "write_project"]
