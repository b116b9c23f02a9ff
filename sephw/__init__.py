"""sephw: pattern networks (SEP-Nets) from PyTorch to an FPGA, bit for bit.

Importing this package loads nothing heavy; torch, onnx and hls4ml are imported by the modules
that need them.
"""

__version__ = "0.1.0"
