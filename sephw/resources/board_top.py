"""Resources of a board's top beside the network: host link, reset, cycle counter, lights."""

from __future__ import annotations

from dataclasses import replace

from sephw.ir import Graph
from sephw.ir.resources import Resources
from sephw.resources.memories import map_memory
from sephw.targets import Target
from sephw.technologies import Technology


def board_top(technology: Technology, graph: Graph | None = None) -> Resources:
    """Resources of a board's top; zero for a technology whose tops were not measured.

    ``graph``: folded; with it the block RAMs of the link's buffers, an image and its outputs, are
    counted.
    """
    if technology.board_top is None:
        return Resources()
    top = technology.board_top.resources
    if graph is None:
        return top
    blocks = sum(map_memory(technology, *shape, True).blocks for shape in _buffers(graph))
    return replace(top, bram=blocks)


def top_of(target: Target | None, graph: Graph | None = None) -> Resources:
    """Resources of the top that the open flow builds for ``target``; zero where it builds none."""
    if target is None or target.open_board is None:
        return Resources()
    return board_top(target.device.technology, graph)


def _buffers(graph: Graph) -> list[tuple[int, int]]:
    """(bits, words) of the memories in rtl/sephw_link_source.sv and sephw_link_sink.sv."""
    image, result = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    maker = graph.producer(result.name)
    assert maker is not None
    port = maker.outputs.index(result.name)
    out = maker.operator.output_streams(maker.folding)[port]
    return [
        (image.channels * image.dtype.bits, image.height * image.width),
        (out.width_bits, out.words),
    ]


__all__ = ["board_top", "top_of"]
