"""The hls4ml project of a graph: C++ for Vitis HLS, and its C-simulation with a plain compiler.

Importing this package does not import hls4ml.
"""

from sephw.backends.hls4ml.csim import CompiledProject, compile_project
from sephw.backends.hls4ml.link import link_project
from sephw.backends.hls4ml.project import write_project

__all__ = ["CompiledProject", "compile_project", "link_project", "write_project"]
