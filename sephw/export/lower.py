"""From a checkpoint to the deploy network, and from QONNX to the folded hardware graph."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sephw.checkpoint import Checkpoint, build_network, load_checkpoint
from sephw.errors import SephwError
from sephw.export.settings import Settings
from sephw.ir import Graph
from sephw.passes import (
    FoldingFile,
    fold,
    insert_forks,
    insert_width_converters,
    set_fifo_depths,
    stream_weights,
)
from sim.timing import size_fifos

_EXPORTED_STAGE = "BQ"


def load_trained(settings: Settings) -> Checkpoint:
    """The checkpoint to export; SephwError where it is not in stage BQ."""
    checkpoint = load_checkpoint(
        settings.model, network=settings.network, arguments=settings.arguments
    )
    if checkpoint.stage != _EXPORTED_STAGE:
        raise SephwError(
            f"{settings.model}: is in stage {checkpoint.stage}, only {_EXPORTED_STAGE} goes into "
            "hardware; train on: sephw train with epochs for all three stages, --epochs R,B,BQ"
        )
    return checkpoint


def deploy_network(checkpoint: Checkpoint) -> Any:
    """The exact deploy network of a BQ checkpoint, a torch module in evaluation mode."""
    from sephw.nn import freeze

    return freeze(build_network(checkpoint)).eval()


def fold_graph(
    graph: Graph, name: str, folding: FoldingFile, weight_bandwidth_bits: int | None = None
) -> Graph:
    """The graph, called `name`, at `folding`, with forks, width converters and sized FIFOs.

    Weights that `folding` streams come at `weight_bandwidth_bits` per cycle, all together.

    SephwError, naming the FIFO and the depth it needs, where depths of the folding deadlock.
    """
    graph = fold(replace(graph, name=name), folding.nodes, folding.frame_cycles)
    graph = insert_width_converters(insert_forks(graph))
    graph = size_fifos(stream_weights(graph, weight_bandwidth_bits))
    graph.validate()
    if folding.fifos:
        from sim.cycles import run_frames

        graph = set_fifo_depths(graph, folding.fifos)
        # Depths that were found cannot deadlock, ones that were given can. Frames that repeat are
        # proved to repeat for ever, so a hundred of them cost no more than the first few.
        run_frames(graph, 100, keep_frames=1)
    return graph
