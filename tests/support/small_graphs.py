"""Small graphs made of operators directly, for tests of passes, files, timing and backends."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sephw.ir import Graph, IntType, Node, Operator, Tensor
from sephw.ops import Conv8, GlobalPool, Join, MaxPool, PatternConv, SlidingWindow

BYTE = IntType(8, False)


@dataclass
class GraphBuilder:
    """Adds operators one after the other; each node starts with its smallest folding."""

    name: str
    seed: int = 0
    tensors: dict[str, Tensor] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def input(self, name: str, height: int, width: int, channels: int) -> str:
        self.tensors[name] = Tensor(name, height, width, channels, BYTE)
        return name

    def add(self, name: str, operator: Operator, *inputs: str) -> str:
        shape, dtype = operator.output_shapes[0], operator.output_types[0]
        self.tensors[name] = Tensor(name, *shape, dtype, module=f"net.{name}")
        folding = operator.legal_foldings()[0]
        self.nodes.append(Node(f"{name}_node", f"net.{name}", operator, inputs, (name,), folding))
        return name

    def window(self, source: str, size: int, stride: int = 1, groups: int = 1) -> str:
        t = self.tensors[source]
        pad = (size - 1) // 2
        out = [(n + 2 * pad - size) // stride + 1 for n in (t.height, t.width)]
        operator = SlidingWindow(
            height=t.height,
            width=t.width,
            channels=t.channels,
            dtype=t.dtype,
            kernel_height=size,
            kernel_width=size,
            stride=stride,
            padding_top=pad,
            padding_left=pad,
            output_height=out[0],
            output_width=out[1],
            groups=groups,
        )
        return self.add(f"{source}_window{size}", operator, source)

    def conv(self, name: str, source: str, channels: int, size: int = 1, **how: int) -> str:
        """8-bit convolution; ``pattern=1`` makes it a pattern convolution."""
        pattern, groups = how.pop("pattern", 0), how.get("groups", 1)
        inputs = self.tensors[source].channels
        if size > 1:
            source = self.window(source, size, **how)
        t = self.tensors[source]
        weights = self.rng.integers(-128, 128, (channels, size * size * inputs // groups))
        fields = {
            "height": t.height,
            "width": t.width,
            "in_channels": inputs,
            "out_channels": channels,
            "kernel_height": size,
            "kernel_width": size,
            "groups": groups,
            "input_dtype": t.dtype,
        }
        if pattern:
            return self.add(
                name, PatternConv(patterns=np.where(weights < 0, -1, 1), **fields), source
            )
        return self.add(name, Conv8(weights=weights, **fields), source)

    def join(self, name: str, *sources: str, shift: int = 12, output: IntType = BYTE) -> str:
        t = self.tensors[sources[0]]
        size = (len(sources), t.channels)
        operator = Join(
            height=t.height,
            width=t.width,
            channels=t.channels,
            input_dtypes=tuple(self.tensors[s].dtype for s in sources),
            mantissas=self.rng.integers(1, 16, size),
            shifts=self.rng.integers(0, 3, size),
            bias=self.rng.integers(-3000, 3000, t.channels),
            shift=shift,
            output_dtype=output,
        )
        return self.add(name, operator, *sources)

    def build(self, source: str, output: str) -> Graph:
        graph = Graph(self.name, tuple(self.nodes), self.tensors, (source,), (output,))
        graph.validate()
        return graph


def chain(size: int = 6) -> Graph:
    """A 3×3 pattern convolution and its requantizer."""
    b = GraphBuilder("chain", seed=1)
    x = b.input("image", size, size, 4)
    return b.build(x, b.join("map", b.conv("pattern", x, 8, 3, pattern=1, groups=2), shift=7))


def network(size: int = 8) -> Graph:
    """Stem, SEP-Net module (pattern residual block, skip), max-pool, global pool, classifier."""
    b = GraphBuilder("network", seed=2)
    x = b.input("image", size, size, 3)
    stem = b.join("stem", b.conv("stem_conv", x, 8, 3))
    reduced = b.join("reduced", b.conv("reduce", stem, 4), shift=11)
    pattern = b.conv("pattern", reduced, 4, 3, pattern=1, groups=2)
    point = b.conv("point", reduced, 4, groups=2)
    block = b.join("block", pattern, point)
    module = b.join("module", b.conv("recover", block, 8), stem)
    window = b.window(module, 2, stride=2)
    t = b.tensors[window]
    pool = MaxPool(
        height=t.height, width=t.width, channels=8, kernel_height=2, kernel_width=2, dtype=t.dtype
    )
    pooled = b.add("pooled", pool, window)
    t = b.tensors[pooled]
    total = b.add(
        "sum", GlobalPool(height=t.height, width=t.width, channels=8, dtype=t.dtype), pooled
    )
    logits = b.join("logits", b.conv("linear", total, 10), shift=0, output=IntType(28, True))
    return b.build(x, logits)
