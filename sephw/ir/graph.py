"""The hardware graph: nodes in topological order, tensors by name, integers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np

from sephw.errors import SephwError
from sephw.ir.folding import EngineVariant, Folding
from sephw.ir.operator import Integers, Operator, Shape
from sephw.ir.types import IntType, Stream, Tensor


@dataclass(frozen=True, eq=False)
class Node:
    """One engine: an operator, its folding, and the PyTorch module it came from."""

    name: str
    module: str
    operator: Operator
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    folding: Folding

    @property
    def variant(self) -> EngineVariant:
        """The engine variant with its options; the operator's default where none is named."""
        return self.operator.variant(self.folding)

    @property
    def where(self) -> str:
        """The node's name in errors: kind and PyTorch module."""
        return f"{type(self.operator).__name__} '{self.module or self.name}'"


@dataclass(frozen=True, eq=False)
class Graph:
    """A network of engines. ``nodes`` are in topological order.

    ``device``: name of the device that the memories of FIFOs are chosen for; "" for none.
    """

    name: str
    nodes: tuple[Node, ...]
    tensors: Mapping[str, Tensor]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    device: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))

    def producer(self, tensor: str) -> Node | None:
        """The node that makes ``tensor``; None for a graph input."""
        return next((n for n in self.nodes if tensor in n.outputs), None)

    def consumers(self, tensor: str) -> tuple[Node, ...]:
        """The nodes that read ``tensor``, one entry per reading input."""
        return tuple(n for n in self.nodes for t in n.inputs if t == tensor)

    def stream(self, tensor: str) -> Stream:
        """The stream of ``tensor`` as its producer makes it (a graph input: as it is read)."""
        node = self.producer(tensor)
        if node is not None:
            return node.operator.output_streams(node.folding)[node.outputs.index(tensor)]
        reader = self.consumers(tensor)[0]
        return reader.operator.input_streams(reader.folding)[reader.inputs.index(tensor)]

    @cached_property
    def constants(self) -> Mapping[str, Integers]:
        """The graph inputs that carry streamed weights: int64 (c,), equal at every pixel, by
        tensor.
        """
        return {
            tensor: values
            for node in self.nodes
            for tensor, values in zip(node.inputs, node.operator.constant_inputs, strict=True)
            if values is not None and tensor in self.inputs
        }

    @cached_property
    def weight_tensors(self) -> frozenset[str]:
        """The tensors that depend on streamed weights alone: such inputs, and buffered copies of
        them.
        """
        found = set(self.constants)
        for node in self.nodes:
            if found.issuperset(node.inputs):
                found.update(node.outputs)
        return frozenset(found)

    def input_values(self, images: Integers) -> dict[str, Integers]:
        """The values of every graph input for ``images``: int64 (N, h, w, c) each, weights
        included.

        Weights are views without a copy per frame.
        """
        images = np.asarray(images, np.int64)
        return {
            t: np.broadcast_to(self.constants[t], (len(images), *self.tensors[t].shape))
            if t in self.constants
            else images
            for t in self.inputs
        }

    def with_nodes(self, nodes: tuple[Node, ...], tensors: Mapping[str, Tensor]) -> Graph:
        """The same graph with other nodes and tensors."""
        return replace(self, nodes=nodes, tensors=tensors)

    def validate(self) -> None:
        """Check names, topological order, shapes, types, foldings and memories of FIFOs.

        Raises SephwError naming the PyTorch module of the first node that is wrong.
        """
        known = set(self.inputs)
        for tensor in self.inputs:
            if tensor not in self.tensors:
                raise SephwError(f"graph '{self.name}': input '{tensor}' is not a tensor")
        names: set[str] = set()
        for node in self.nodes:
            if node.name in names:
                raise SephwError(f"{node.where}: the name '{node.name}' is used twice")
            names.add(node.name)
            operator = node.operator
            self._check_ends(
                node, "inputs", node.inputs, operator.input_shapes, operator.input_types
            )
            missing = [t for t in node.inputs if t not in known]
            if missing:
                raise SephwError(
                    f"{node.where}: input '{missing[0]}' is not made before it is read"
                )
            self._check_ends(
                node, "outputs", node.outputs, operator.output_shapes, operator.output_types
            )
            again = [t for t in node.outputs if t in known]
            if again:
                raise SephwError(f"{node.where}: output '{again[0]}' is made twice")
            known.update(node.outputs)
            if len({self.tensors[t].fifo_memory for t in node.outputs}) > 1:
                raise SephwError(
                    f"{node.where}: its output FIFOs are of several memories; "
                    "give all of them one fifo_memory"
                )
            operator.check_folding(node.folding, node.where)
        lost = [t for t in self.outputs if t not in known]
        if lost:
            raise SephwError(f"graph '{self.name}': output '{lost[0]}' is made by no node")

    def _check_ends(
        self,
        node: Node,
        end: str,
        tensors: Sequence[str],
        shapes: Sequence[Shape],
        types: Sequence[IntType],
    ) -> None:
        """SephwError unless the tensors at ``end`` ("inputs", "outputs") are the operator's."""
        if len(tensors) != len(shapes):
            raise SephwError(f"{node.where}: {len(tensors)} {end}, its operator has {len(shapes)}")
        for name, shape, dtype in zip(tensors, shapes, types, strict=True):
            tensor = self.tensors.get(name)
            if tensor is None:
                raise SephwError(f"{node.where}: '{name}' is not a tensor of the graph")
            if tensor.shape != shape or tensor.dtype != dtype:
                raise SephwError(
                    f"{node.where}: tensor '{name}' is {tensor.dtype} {tensor.shape}, "
                    f"its operator says {dtype} {shape}"
                )

    def run(self, images: Integers) -> dict[str, Integers]:
        """Integer reference of every tensor: int64 (N, h, w, c) each, for one input of images."""
        values = self.input_values(images)
        for node in self.nodes:
            outputs = node.operator.reference(*(values[t] for t in node.inputs))
            values.update(zip(node.outputs, outputs, strict=True))
        return values
