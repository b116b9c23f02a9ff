"""Passes: functions from graph to graph, one file each; `lower` is their sequence."""

from sephw.passes.choose_fifo_memories import choose_fifo_memories, for_device
from sephw.passes.fold import DEFAULT_FRAME_CYCLES, fold
from sephw.passes.folding_file import FoldingFile, read_folding_file, write_folding_file
from sephw.passes.insert_forks import insert_forks
from sephw.passes.insert_width_converters import insert_width_converters
from sephw.passes.lower import LoweringStage, lower
from sephw.passes.set_fifo_depths import set_fifo_depths
from sephw.passes.stream_weights import stream_weights, weight_readers, weight_traffic_bits

__all__ = [
    "DEFAULT_FRAME_CYCLES",
    "FoldingFile",
    "LoweringStage",
    "choose_fifo_memories",
    "fold",
    "for_device",
    "insert_forks",
    "insert_width_converters",
    "lower",
    "read_folding_file",
    "set_fifo_depths",
    "stream_weights",
    "weight_readers",
    "weight_traffic_bits",
    "write_folding_file",
]
