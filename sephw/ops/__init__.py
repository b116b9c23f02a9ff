"""The operators of the hardware graph, one file each, and the one list of them."""

from sephw.ir.operator import Operator
from sephw.ops.average_pool import AveragePool
from sephw.ops.concat import Concat
from sephw.ops.conv8 import Conv8
from sephw.ops.families import (
    BitParallel,
    DigitSerial,
    Multipliers,
    Select,
    WeightPlace,
)
from sephw.ops.fork import Fork
from sephw.ops.global_pool import GlobalPool
from sephw.ops.join import Join
from sephw.ops.max_pool import MaxPool
from sephw.ops.pattern_conv import PatternConv
from sephw.ops.sliding_window import SlidingWindow
from sephw.ops.streamed_conv import StreamedConv
from sephw.ops.thresholds import Thresholds
from sephw.ops.tile_buffer import TileBuffer
from sephw.ops.width_converter import WidthConverter

OPERATORS: tuple[type[Operator], ...] = (
    SlidingWindow,
    PatternConv,
    Conv8,
    StreamedConv,
    Join,
    Thresholds,
    MaxPool,
    AveragePool,
    GlobalPool,
    Concat,
    Fork,
    WidthConverter,
    TileBuffer,
)

__all__ = [
    "OPERATORS",
    "AveragePool",
    "BitParallel",
    "Concat",
    "Conv8",
    "DigitSerial",
    "Fork",
    "GlobalPool",
    "Join",
    "MaxPool",
    "Multipliers",
    "PatternConv",
    "Select",
    "SlidingWindow",
    "StreamedConv",
    "Thresholds",
    "TileBuffer",
    "WeightPlace",
    "WidthConverter",
]
