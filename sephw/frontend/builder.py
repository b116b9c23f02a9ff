"""The builder of the hardware graph, which the reader fills as it visits the ONNX nodes."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.ir import Graph, IntType, Node, Operator, Tensor
from sephw.ops.average_pool import AveragePool
from sephw.ops.convolution import FoldedConvolution
from sephw.ops.global_pool import GlobalPool

_MOST_VALUES = 1 << 30
# Names become file names.
_LONGEST_NAME = 100


@dataclass(frozen=True, eq=False)
class Layer:
    """A tensor that QONNX has as well: where ONNX and torch hold it, its scale and offset.

    value = integer · 2^-exponents[c] + offset[c]; ``exponents`` int64 (C,), ``offset`` float64
    (C,): the bias that an ONNX node adds to what an engine computes. ``module`` is what errors call
    it, ``torch_module`` the PyTorch module that makes it, "" where none does. ``is_output``: the
    network's output, which in torch is the deploy network's own result.
    """

    tensor: str
    module: str
    torch_module: str
    onnx_name: str
    exponents: NDArray[np.int64]
    offset: NDArray[np.float64]
    is_output: bool = False

    @property
    def in_torch(self) -> bool:
        """Whether the deploy network makes it as well."""
        return bool(self.torch_module) or self.is_output


@dataclass
class GraphBuilder:
    """The graph so far. Mutable while reading, turned into a frozen Graph at the end.

    ``batch``: the N that the file holds; ``image``: the input's tensor. ``pads`` and ``shapes``
    restate nodes, by their output in ONNX: the padding (top, left, bottom, right) of windows, and
    the target of reshapes for any batch. ``stand_ins``: tensors that no node makes; with
    one there is no graph.
    """

    batch: int = 1
    image: str = ""
    nodes: list[Node] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)
    pads: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    stand_ins: set[str] = field(default_factory=set)

    def add_input(self, name: str, shape: tuple[int, int, int], dtype: IntType) -> None:
        """The graph's input tensor (height, width, channels)."""
        self.tensors[name] = Tensor(name, *shape, dtype)
        self.image = name

    def add(self, label: str, suffix: str, operator: Operator, inputs: tuple[str, ...]) -> str:
        """Append a node with one output; returns the output tensor's name (= the node's).

        Names come from the label; where a file repeats one (torch's older exporter does), a
        number makes it unique. SephwError where the maps that it reads differ in size.
        """
        for name, shape in zip(inputs, operator.input_shapes, strict=True):
            found = self.tensors[name].shape
            if found != shape:
                raise SephwError(
                    f"its inputs have different sizes, {_size(found)} and {_size(shape)}; make "
                    "them equal"
                )
        made = prod(operator.output_shapes[0])
        if made > _MOST_VALUES:
            raise SephwError(
                f"makes {made:,} values a frame; at most {_MOST_VALUES:,} are computed: use a "
                "smaller map or kernel"
            )
        base = identifier(f"{label}_{suffix}" if suffix else label)
        names = itertools.chain([base], (f"{base}_{n}" for n in itertools.count(2)))
        name = next(n for n in names if n not in self.tensors)
        (shape,), (dtype,) = operator.output_shapes, operator.output_types
        self.tensors[name] = Tensor(name, *shape, dtype, label)
        folding = operator.legal_foldings()[0]
        self.nodes.append(Node(name, label, operator, inputs, (name,), folding))
        return name

    def stand_in(self, label: str, shape: tuple[int, int, int], dtype: IntType) -> str:
        """A tensor (height, width, channels) in the place of what a refused node would make."""
        name = next(n for i in itertools.count() if (n := f"stand_in_{i}") not in self.tensors)
        self.tensors[name] = Tensor(name, *shape, dtype, label)
        self.stand_ins.add(name)
        return name

    def range(self, tensor: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Least and most that the tensor can have per channel, int64 (C,) each; 0 is within.

        Channels of a convolution differ by far more than their common type says.
        """
        operator = next((node.operator for node in self.nodes if tensor in node.outputs), None)
        if isinstance(operator, FoldedConvolution):
            return operator.channel_ranges
        held, count = self.tensors[tensor], 1
        dtype = held.dtype
        if isinstance(operator, GlobalPool):
            dtype, count = operator.dtype, operator.height * operator.width
        elif isinstance(operator, AveragePool):
            dtype, count = operator.dtype, operator.kernel_height * operator.kernel_width
        low, high = (np.full(held.channels, count * end) for end in (dtype.min, dtype.max))
        return low, high

    def share(
        self,
        tensor: str,
        onnx_name: str,
        exponents: NDArray[np.int64],
        torch_module: str = "",
        offset: NDArray[np.float64] | None = None,
        is_output: bool = False,
    ) -> None:
        """Mark a tensor as one that QONNX has, and torch where a module makes it; see `Layer`.

        As the output it is marked in place of what else it is.
        """
        module = self.tensors[tensor].module
        shift = np.zeros(len(exponents)) if offset is None else offset
        if is_output:
            former = [layer for layer in self.layers if layer.tensor == tensor]
            torch_module = next((layer.torch_module for layer in former), torch_module)
            self.layers = [layer for layer in self.layers if layer.tensor != tensor]
        self.layers.append(
            Layer(tensor, module, torch_module, onnx_name, exponents, shift, is_output)
        )

    def graph(self, name: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Graph:
        """The finished, validated graph."""
        graph = Graph(name, tuple(self.nodes), self.tensors, inputs, outputs)
        graph.validate()
        return graph


def identifier(text: str) -> str:
    """A name usable in C++ and SystemVerilog: other characters become one underscore."""
    name = re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_")[:_LONGEST_NAME].strip("_")
    return f"layer_{name}".rstrip("_") if not name or name[0].isdigit() else name


def _size(shape: tuple[int, int, int]) -> str:
    return "×".join(map(str, shape))
