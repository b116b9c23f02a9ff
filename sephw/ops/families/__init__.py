"""The engines of convolutions: one file each, behind one interface, and the one list of them."""

from sephw.ops.families.adder_graph import BitParallel
from sephw.ops.families.base import ConvolutionEngine, ConvolutionVariant
from sephw.ops.families.digit_serial import DigitSerial
from sephw.ops.families.select import Multipliers, Select, SelectChoices, WeightPlace

# The usual one first. Folding files name them by their families.
VARIANTS: tuple[type[ConvolutionVariant], ...] = (Select, BitParallel, DigitSerial)

__all__ = [
    "VARIANTS",
    "BitParallel",
    "ConvolutionEngine",
    "ConvolutionVariant",
    "DigitSerial",
    "Multipliers",
    "Select",
    "SelectChoices",
    "WeightPlace",
]
