"""Choose FIFO memories: which FIFOs are block RAM on a device, kept in the graph."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sephw.ir import FifoMemory, Graph
from sephw.resources import plan_fifo_memories, puts_fifos_in_blocks
from sephw.targets import Device


def choose_fifo_memories(graph: Graph, device: Device) -> Graph:
    """The same graph with each `Tensor.fifo_memory` as `plan_fifo_memories` has it for ``device``.

    Where synthesis chooses the memories of FIFOs by itself, all of them are left to it. Adder
    graphs are solved where no other step has done so.
    """
    chosen: Collection[str] = ()
    if puts_fifos_in_blocks(device):
        chosen = plan_fifo_memories(graph, device, solve=lambda node: True).fifos_in_blocks
    return with_fifos_in_blocks(graph, device, chosen)


def for_device(graph: Graph, device: Device) -> Graph:
    """``graph`` itself where its FIFO memories are chosen for ``device``; else chosen for it."""
    return graph if graph.device == device.name else choose_fifo_memories(graph, device)


def with_fifos_in_blocks(graph: Graph, device: Device, nodes: Collection[str]) -> Graph:
    """The same graph, lowered for ``device``, with the output FIFOs of ``nodes`` in block RAM."""
    blocks = {name for node in graph.nodes if node.name in nodes for name in node.outputs}
    tensors = {
        name: replace(tensor, fifo_memory=FifoMemory.BLOCK if name in blocks else FifoMemory.AUTO)
        for name, tensor in graph.tensors.items()
    }
    return replace(graph, tensors=tensors, device=device.name)


__all__ = ["choose_fifo_memories", "for_device", "with_fifos_in_blocks"]
