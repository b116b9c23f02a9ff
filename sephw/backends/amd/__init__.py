"""The vendor's flow for Zynq boards: Vitis HLS and Vivado scripts, PYNQ driver, report parser."""

from sephw.backends.amd.project import write_amd

__all__ = ["write_amd"]
