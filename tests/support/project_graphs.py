"""Small graphs made of operators alone: a residual network with every kind of engine."""

from __future__ import annotations

import numpy as np

from sephw.ir import Folding, Graph, IntType, Node, Operator, Tensor
from sephw.ops import Conv8, GlobalPool, Join, MaxPool, PatternConv, SlidingWindow
from sephw.passes import FoldingFile, LoweringStage, lower

PIXEL = IntType(8, signed=False)


class Builder:
    """Appends nodes, each at its smallest folding."""

    def __init__(self, name: str, shape: tuple[int, int, int], dtype: IntType = PIXEL) -> None:
        self.name = name
        self.tensors = {"image": Tensor("image", *shape, dtype)}
        self.nodes: list[Node] = []

    def add(self, name: str, operator: Operator, *inputs: str) -> str:
        shape, dtype = operator.output_shapes[0], operator.output_types[0]
        self.tensors[name] = Tensor(name, *shape, dtype, module=f"net.{name}")
        folding = operator.legal_foldings()[0]
        self.nodes.append(Node(name, f"net.{name}", operator, inputs, (name,), folding))
        return name

    def graph(self, output: str) -> Graph:
        return Graph(self.name, tuple(self.nodes), self.tensors, ("image",), (output,))


def residual_graph(
    *,
    size: int = 8,
    colours: int = 3,
    width: int = 8,
    blocks: int = 1,
    groups: int = 4,
    frame_cycles: int = 32768,
    foldings: dict[str, Folding] | None = None,
    name: str = "small.net",
    until: LoweringStage = LoweringStage.WIDTH_CONVERTERS,
) -> Graph:
    """Stem 5x5/2, max-pool, pattern residual blocks with identity skips, pool, classifier.

    Lowered to the stage ``until``.
    """
    rng = np.random.default_rng(size + width)
    builder = Builder(name, (size, size, colours))
    half = size // 2

    def requantize(node: str, *inputs: str) -> str:
        types = tuple(builder.tensors[t].dtype for t in inputs)
        shape = builder.tensors[inputs[0]].shape
        table = (len(inputs), shape[2])
        join = Join(
            height=shape[0],
            width=shape[1],
            channels=shape[2],
            input_dtypes=types,
            mantissas=rng.integers(-15, 16, table),
            shifts=rng.integers(0, 3, table),
            bias=rng.integers(-4000, 4000, shape[2]),
            shift=7,
            output_dtype=PIXEL,
        )
        return builder.add(node, join, *inputs)

    def window(node: str, source: str, kernel: int, stride: int, pad: int, group: int) -> str:
        h, w, c = builder.tensors[source].shape
        return builder.add(
            node,
            SlidingWindow(
                height=h,
                width=w,
                channels=c,
                dtype=PIXEL,
                kernel_height=kernel,
                kernel_width=kernel,
                stride=stride,
                padding_top=pad,
                padding_left=pad,
                output_height=h // stride,
                output_width=w // stride,
                groups=group,
            ),
            source,
        )

    def conv8(node: str, source: str, outputs: int, kernel: int = 1, group: int = 1) -> str:
        h, w, c = builder.tensors[source].shape
        inputs = c // (kernel * kernel)
        weights = rng.integers(-128, 128, (outputs, kernel * kernel * inputs // group))
        return builder.add(
            node,
            Conv8(
                height=h,
                width=w,
                in_channels=inputs,
                out_channels=outputs,
                kernel_height=kernel,
                kernel_width=kernel,
                groups=group,
                input_dtype=builder.tensors[source].dtype,
                weights=weights,
            ),
            source,
        )

    stem = conv8("stem", window("stem.window", "image", 5, 2, 2, 1), width, 5)
    x = requantize("stem.join", stem)
    for number in range(blocks):
        block = f"blocks.{number}"
        windows = window(f"{block}.window", x, 3, 1, 1, groups)
        pattern = builder.add(
            f"{block}.pattern",
            PatternConv(
                height=half,
                width=half,
                in_channels=width,
                out_channels=width,
                kernel_height=3,
                kernel_width=3,
                groups=groups,
                input_dtype=PIXEL,
                patterns=rng.choice([-1, 1], (width, 9 * width // groups)),
            ),
            windows,
        )
        point = conv8(f"{block}.point", x, width, group=groups)
        x = requantize(f"{block}.join", pattern, point, x)
    pooled = builder.add(
        "pool",
        MaxPool(
            height=half // 2,
            width=half // 2,
            channels=width,
            kernel_height=2,
            kernel_width=2,
            groups=1,
            dtype=PIXEL,
        ),
        window("pool.window", x, 2, 2, 0, 1),
    )
    total = builder.add(
        "mean", GlobalPool(height=half // 2, width=half // 2, channels=width, dtype=PIXEL), pooled
    )
    scores = conv8("classifier", total, 10)
    logits = Join(
        height=1,
        width=1,
        channels=10,
        input_dtypes=(builder.tensors[scores].dtype,),
        mantissas=np.ones((1, 10), np.int64),
        shifts=np.zeros((1, 10), np.int64),
        bias=rng.integers(-(1 << 20), 1 << 20, 10),
        output_dtype=IntType(32, signed=True),
    )
    graph = builder.graph(builder.add("logits", logits, scores))
    return lower(graph, FoldingFile(foldings or {}, frame_cycles), until=until)


def images_for(graph: Graph, frames: int = 4) -> np.ndarray:
    """Seeded uint8 images (N, H, W, C); the last two are all 0 and all 255."""
    shape = graph.tensors[graph.inputs[0]].shape
    images = np.random.default_rng(7).integers(0, 256, (frames, *shape), np.uint8)
    images[-2:] = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1)
    return images
