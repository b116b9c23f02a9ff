"""How a convolution's engine computes: one file per family, behind one interface."""

from sephw.ops.families.adder_graph import AdderGraphEngine
from sephw.ops.families.base import ConvolutionEngine
from sephw.ops.families.digit_serial import DigitSerialEngine
from sephw.ops.families.select import SelectEngine
from sephw.ops.families.streamed import StreamedSelectEngine

__all__ = [
    "AdderGraphEngine",
    "ConvolutionEngine",
    "DigitSerialEngine",
    "SelectEngine",
    "StreamedSelectEngine",
]
