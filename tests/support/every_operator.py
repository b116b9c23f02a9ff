"""A small network of every operator, whose global pool has low bits that nothing reads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from small_graphs import GraphBuilder

from sephw.ir import Folding, Graph, IntType, Tensor
from sephw.ops import (
    AveragePool,
    Concat,
    GlobalPool,
    Join,
    MaxPool,
    Select,
    Thresholds,
    WeightPlace,
)
from sephw.passes import FoldingFile, lower

NARROW = IntType(3, False)
SHAPE = (4, 4, 4)


def every_operator() -> Graph:
    """Folded, with sized FIFOs; one of them so deep that it takes a block RAM."""
    b = GraphBuilder("every", seed=5)
    x = b.input("image", *SHAPE)
    b.tensors[x] = Tensor(x, *SHAPE, NARROW)

    def join(name: str, *sources: str, shift: int, mantissa: int = 1) -> str:
        """The middle of the sums in the middle of three bits."""
        t = b.tensors[sources[0]]
        ones = np.ones((len(sources), t.channels), np.int64)
        middle = sum((b.tensors[s].dtype.min + b.tensors[s].dtype.max) // 2 for s in sources)
        bias = (4 << shift) - mantissa * middle if t.dtype.signed else 1 << (shift - 1)
        operator = Join(
            height=t.height,
            width=t.width,
            channels=t.channels,
            input_dtypes=tuple(b.tensors[s].dtype for s in sources),
            mantissas=mantissa * ones,
            shifts=0 * ones,
            bias=bias * ones[0],
            shift=shift,
            output_dtype=NARROW,
        )
        return b.add(name, operator, *sources)

    pattern = b.conv("pattern", x, 8, 3, pattern=1, groups=2)
    block = join("block", pattern, b.conv("point", x, 8), shift=9, mantissa=3)
    both = b.add("both", Concat(height=4, width=4, channels=(4, 8), dtype=NARROW), x, block)
    taps = {"kernel_height": 2, "kernel_width": 2}
    top = b.add(
        "top",
        MaxPool(height=2, width=2, channels=12, dtype=NARROW, **taps),
        b.window(both, 2, stride=2),
    )
    rng = np.random.default_rng(7)
    levels = Thresholds(
        height=2,
        width=2,
        channels=12,
        input_dtype=NARROW,
        thresholds=np.sort(rng.integers(0, 9, (12, 7)), axis=1),
        decreasing=rng.integers(0, 2, 12),
        output_dtype=NARROW,
    )
    taps = {"kernel_height": 1, "kernel_width": 1}
    mean = b.add(
        "mean",
        AveragePool(height=2, width=2, channels=12, dtype=NARROW, **taps),
        b.add("levels", levels, top),
    )
    wide = join("wide", b.conv("tiled", mean, 2), shift=10)
    total = b.add("total", GlobalPool(height=2, width=2, channels=2, dtype=NARROW), wide)
    graph = b.build(x, join("mapped", total, shift=2))
    lanes = dict.fromkeys(("total_node", "mapped_node"), Folding(2, 2))
    tiles = Folding(pe=2, simd=2, engine=Select(weights=WeightPlace.STREAM, tile_pixels=2))
    graph = lower(graph, FoldingFile({**lanes, "tiled_node": tiles}, 1 << 12))
    deep = {"block": replace(graph.tensors["block"], fifo_depth=1500)}
    return replace(graph, tensors={**graph.tensors, **deep})
