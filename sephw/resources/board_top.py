"""What a board's top takes beside the network: host link, reset, cycle counter, lights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from sephw.ir import Graph
from sephw.ir.resources import Resources
from sephw.resources.memories import map_memory
from sephw.targets import Target, Technology

# Logic, synthesized: what lies in no engine ("glue" in synth.json) on ULX3S, iCEBreaker and Tang
# Nano 9K, the larger of two small networks, rounded up. Block RAMs: of an image of 28 × 28 bytes.
_BOARD_TOPS: Mapping[Technology, Resources] = MappingProxyType(
    {
        Technology.ECP5: Resources(lut=1110, ff=770, bram=1),
        Technology.ICE40: Resources(lut=950, ff=860, bram=3),
        Technology.GOWIN: Resources(lut=1260, ff=770, bram=1),
    }
)


def board_top(technology: Technology, graph: Graph | None = None) -> Resources:
    """Resources of a board's top; none for a technology whose tops were not measured.

    ``graph``: folded; the block RAMs of the link's buffers, an image and what comes out of it, are
    counted then.
    """
    top = _BOARD_TOPS.get(technology, Resources())
    if graph is None or top == Resources():
        return top
    blocks = sum(map_memory(technology, *shape, True).blocks for shape in _buffers(graph))
    return replace(top, bram=blocks)


def top_of(target: Target | None, graph: Graph | None = None) -> Resources:
    """Resources of the top that the open flow builds for ``target``; none where it builds none."""
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
