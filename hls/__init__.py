"""The HLS C++ engines: headers for Vitis HLS and for a plain C++ compiler."""

from pathlib import Path

HEADERS = Path(__file__).resolve().parent
"""Directory of the headers."""
