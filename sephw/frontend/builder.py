"""Collects the hardware graph while the reader walks the ONNX nodes."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sephw.ir import Graph, IntType, Node, Operator, Tensor
from sephw.ops.average_pool import AveragePool
from sephw.ops.convolution import FoldedConvolution
from sephw.ops.global_pool import GlobalPool


@dataclass(frozen=True, eq=False)
class Layer:
    """A tensor that every representation has: where torch and ONNX hold it, and its scale.

    value = integer · 2^-exponents[c]; ``exponents`` int64 (C,). ``is_output``: the network's
    output, which in torch is the deploy network's own result.
    """

    tensor: str
    module: str
    onnx_name: str
    exponents: NDArray[np.int64]
    is_output: bool = False


@dataclass
class Builder:
    """The graph so far. Mutable while reading, turned into a frozen Graph at the end."""

    nodes: list[Node] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)

    def add_input(self, name: str, shape: tuple[int, int, int], dtype: IntType) -> None:
        """The graph's input tensor (height, width, channels)."""
        self.tensors[name] = Tensor(name, *shape, dtype)

    def add(self, module: str, suffix: str, operator: Operator, inputs: tuple[str, ...]) -> str:
        """Append a node with one output; returns the output tensor's name (= the node's).

        Names come from the module; where a file repeats one (torch's older exporter does), a
        number makes it unique.
        """
        base = identifier(f"{module}_{suffix}" if suffix else module)
        names = itertools.chain([base], (f"{base}_{n}" for n in itertools.count(2)))
        name = next(n for n in names if n not in self.tensors)
        (shape,), (dtype,) = operator.output_shapes, operator.output_types
        self.tensors[name] = Tensor(name, *shape, dtype, module)
        folding = operator.legal_foldings()[0]
        self.nodes.append(Node(name, module, operator, inputs, (name,), folding))
        return name

    def largest(self, tensor: str) -> NDArray[np.int64]:
        """Largest magnitude that the tensor can have per channel, int64 (C,).

        Channels of a convolution differ by far more than their common type says.
        """
        operator = next((node.operator for node in self.nodes if tensor in node.outputs), None)
        if isinstance(operator, FoldedConvolution):
            low, high = operator.channel_ranges
            return np.maximum(high, -low)
        held, count = self.tensors[tensor], 1
        dtype = held.dtype
        if isinstance(operator, GlobalPool):
            dtype, count = operator.dtype, operator.height * operator.width
        elif isinstance(operator, AveragePool):
            dtype, count = operator.dtype, operator.kernel_height * operator.kernel_width
        return np.full(held.channels, count * max(dtype.max, -dtype.min))

    def share(
        self, tensor: str, onnx_name: str, exponents: NDArray[np.int64], is_output: bool = False
    ) -> None:
        """Mark a tensor as one that every representation has."""
        module = self.tensors[tensor].module
        self.layers.append(Layer(tensor, module, onnx_name, exponents, is_output))

    def graph(self, name: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Graph:
        """The finished, validated graph."""
        graph = Graph(name, tuple(self.nodes), self.tensors, inputs, outputs)
        graph.validate()
        return graph


def identifier(text: str) -> str:
    """A name usable in C++ and SystemVerilog: other characters become one underscore."""
    name = re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_")
    return f"n_{name}" if not name or name[0].isdigit() else name
