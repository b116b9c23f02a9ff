"""Lower: the one sequence of passes from a network's graph to the graph of its engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sephw.ir import Graph
from sephw.passes.choose_fifo_memories import choose_fifo_memories
from sephw.passes.fold import fold
from sephw.passes.folding_file import FoldingFile
from sephw.passes.insert_forks import insert_forks
from sephw.passes.insert_width_converters import insert_width_converters
from sephw.passes.set_fifo_depths import set_fifo_depths
from sephw.passes.stream_weights import stream_weights
from sephw.sim.periodic import ScheduleOf, own_schedule
from sephw.sim.timing import size_fifos
from sephw.targets import Device

# Frames that repeat are proved to repeat for ever, so a hundred of them cost no more than the
# first few.
_FRAMES = 100


class LoweringStage(StrEnum):
    """The stages of `lower`, in order."""

    FOLD = "fold"
    FORKS = "forks"
    WIDTH_CONVERTERS = "width converters"
    WEIGHT_STREAMS = "weight streams"
    FIFO_DEPTHS = "FIFO depths"
    FIFO_MEMORIES = "FIFO memories"


@dataclass(frozen=True, eq=False)
class Lowering:
    """The arguments of the passes. The fields are the parameters of `lower`."""

    folding: FoldingFile | None
    weight_bandwidth_bits: int | None
    device: Device | None
    schedule_of: ScheduleOf


def lower(
    graph: Graph,
    folding: FoldingFile | None,
    *,
    weight_bandwidth_bits: int | None = None,
    device: Device | None = None,
    schedule_of: ScheduleOf = own_schedule,
    until: LoweringStage = LoweringStage.FIFO_MEMORIES,
) -> Graph:
    """The engines of ``graph``: folded, wired, with depths and memories of their FIFOs.

    ``folding`` None: ``graph`` stays as it is folded. ``weight_bandwidth_bits``: what the memory
    behind streamed weights gives a clock cycle; None: as much as is taken. ``device``: whose
    block RAMs FIFOs may take; None: none is known, synthesis decides by a FIFO's size.
    ``schedule_of``: the schedules that FIFOs are sized for, as `size_fifos` takes them.
    ``until``: the last stage that is done.

    Raises UsageError and SephwError as the passes do; SephwError, naming the FIFO and the depth
    that it needs, where a depth that ``folding`` gives makes the network deadlock.
    """
    how = Lowering(folding, weight_bandwidth_bits, device, schedule_of)
    for stage, run in PASSES:
        graph = run(graph, how)
        if stage is until:
            break
    graph.validate()
    return graph


def _fold(graph: Graph, how: Lowering) -> Graph:
    if how.folding is None:
        return graph
    return fold(graph, how.folding.nodes, how.folding.frame_cycles)


def _forks(graph: Graph, how: Lowering) -> Graph:
    return insert_forks(graph)


def _width_converters(graph: Graph, how: Lowering) -> Graph:
    return insert_width_converters(graph)


def _weight_streams(graph: Graph, how: Lowering) -> Graph:
    return stream_weights(graph, how.weight_bandwidth_bits)


def _fifo_depths(graph: Graph, how: Lowering) -> Graph:
    """The depths that keep the pace, and over them those that the folding gives."""
    graph = size_fifos(graph, how.schedule_of)
    if how.folding is None or not how.folding.fifos:
        return graph
    from sephw.sim.cycles import run_frames

    graph = set_fifo_depths(graph, how.folding.fifos)
    # Depths that were found cannot deadlock, ones that were given can.
    run_frames(graph, _FRAMES, keep_frames=1)
    return graph


def _fifo_memories(graph: Graph, how: Lowering) -> Graph:
    return graph if how.device is None else choose_fifo_memories(graph, how.device)


PASSES: tuple[tuple[LoweringStage, Callable[[Graph, Lowering], Graph]], ...] = (
    (LoweringStage.FOLD, _fold),
    (LoweringStage.FORKS, _forks),
    (LoweringStage.WIDTH_CONVERTERS, _width_converters),
    (LoweringStage.WEIGHT_STREAMS, _weight_streams),
    (LoweringStage.FIFO_DEPTHS, _fifo_depths),
    (LoweringStage.FIFO_MEMORIES, _fifo_memories),
)


__all__ = ["PASSES", "Lowering", "LoweringStage", "lower"]
