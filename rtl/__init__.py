"""The SystemVerilog engines and the testbench that drives generated tops."""

from pathlib import Path

SOURCES = Path(__file__).resolve().parent
"""Directory of the sources."""
