"""The vendor's flow for Zynq boards: Vitis HLS and Vivado scripts, PYNQ driver, report parser."""

from sephw.backends.amd.boards import has_amd_flow
from sephw.backends.amd.project import write_amd
from sephw.backends.amd.record import read_record

__all__ = ["has_amd_flow", "read_record", "write_amd"]
