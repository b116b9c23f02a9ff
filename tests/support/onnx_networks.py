"""QONNX files of seeded networks, written node by node as an exporter would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STEP_BITS = 8
"""Every activation is q · 2^-8, unless told otherwise."""


@dataclass
class OnnxNetwork:
    """Adds layers; each takes and gives tensor names. Nodes are named as torch exporters do."""

    height: int
    width: int
    channels: int
    seed: int = 0
    nodes: list[Any] = field(default_factory=list)
    initializers: list[Any] = field(default_factory=list)
    shapes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.constant("zero", 0.0)
        self.shapes["x"] = self.channels

    def constant(self, name: str, value: Any, dtype: Any = np.float32) -> str:
        """A constant of the file; returns its name."""
        self.initializers.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def node(self, kind: str, module: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Any node, named after ``module``; returns its output."""
        output = f"{module}.{kind}"
        known = {name for node in self.nodes for name in node.output}
        while output in known:
            output += "_"
        if kind in ("Quant", "BipolarQuant"):
            attributes["domain"] = "qonnx.custom_op.general"
        name = f"/{module.replace('.', '/')}/{output[len(module) + 1 :]}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=name, **attributes))
        return output

    def made(self, name: str, channels: int) -> str:
        """Remember how many channels a tensor has; returns its name."""
        self.shapes[name] = channels
        return name

    def quant(self, module: str, source: str, *, step_bits: int = STEP_BITS, bits: int = 8) -> str:
        """An unsigned activation quantizer."""
        step = self.constant(f"{module}.step", 2.0**-step_bits)
        width = self.constant(f"{module}.bits", bits)
        found = self.node(
            "Quant",
            module,
            [source, step, "zero", width],
            signed=0,
            narrow=0,
            rounding_mode="FLOOR",
        )
        return self.made(found, self.shapes[source])

    def image(self) -> str:
        """The quantized input."""
        return self.quant("input_quant", "x")

    def conv(
        self,
        module: str,
        source: str,
        outputs: int,
        kernel: tuple[int, int] = (1, 1),
        *,
        stride: int = 1,
        groups: int = 1,
        pattern: bool = False,
    ) -> str:
        """A convolution with same padding, 8-bit or a pattern; its result is not quantized yet."""
        inputs = self.shapes[source] // groups
        size = (outputs, inputs, *kernel)
        fan = inputs * kernel[0] * kernel[1]
        if pattern:
            weights = self.rng.choice([-1.0, 1.0], size)
            one = self.constant(f"{module}.one", 1.0)
            name = self.constant(f"{module}.weight", weights)
            name = self.node("BipolarQuant", module, [name, one])
        else:
            # Small enough for sums of 24 bits.
            drawn = self.rng.normal(0, min(40.0, 40_000 / fan), size)
            exponent = round(np.log2(min(40.0, 40_000 / fan) * np.sqrt(fan)))
            integers = np.clip(np.rint(drawn), -128, 127)
            name = self.constant(f"{module}.weight", integers * 2.0**-exponent)
        pads = [(k - 1) // 2 for k in kernel] * 2
        found = self.node(
            "Conv",
            module,
            [source, name],
            kernel_shape=list(kernel),
            pads=pads,
            strides=[stride] * 2,
            group=groups,
        )
        self.made(found, outputs)
        if pattern:
            powers = round(np.log2(np.sqrt(fan))) + 3
            scale = self.rng.integers(8, 16, (1, outputs, 1, 1)) * 2.0**-powers
            name = self.constant(f"{module}.scale", scale)
            found = self.made(self.node("Mul", module, [found, name]), outputs)
        return found

    def act(self, module: str, *sources: str, step_bits: int = STEP_BITS, bits: int = 8) -> str:
        """Bias, ReLU and quantizer behind the sum of ``sources``."""
        total, channels = sources[0], self.shapes[sources[0]]
        for other in sources[1:]:
            total = self.node("Add", module, [total, other])
        bias = self.rng.integers(0, 64, (1, channels, 1, 1)) * 2.0**-STEP_BITS
        name = self.constant(f"{module}.bias", bias)
        total = self.node("Add", module, [total, name])
        total = self.made(self.node("Relu", module, [total]), channels)
        return self.quant(module, total, step_bits=step_bits, bits=bits)

    def max_pool(self, module: str, source: str, kernel: int, stride: int, **more: Any) -> str:
        """MaxPool; ``pads`` and ``ceil_mode`` as in ONNX."""
        found = self.node(
            "MaxPool", module, [source], kernel_shape=[kernel] * 2, strides=[stride] * 2, **more
        )
        return self.made(found, self.shapes[source])

    def average_pool(self, module: str, source: str, kernel: int, stride: int, pad: int) -> str:
        """The padded sum times 2^-⌈log2 k²⌉: an average, and the factor that makes it exact."""
        found = self.node(
            "AveragePool",
            module,
            [source],
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=[pad] * 4,
            count_include_pad=1,
        )
        count = kernel * kernel
        factor = self.constant(f"{module}.factor", count * 2.0 ** -(count - 1).bit_length())
        found = self.node("Mul", module, [found, factor])
        return self.made(found, self.shapes[source])

    def concat(self, module: str, *sources: str, axis: int = 1) -> str:
        """Concat along the channels."""
        found = self.node("Concat", module, sources, axis=axis)
        return self.made(found, sum(self.shapes[s] for s in sources))

    def global_sum(self, module: str, source: str, pixels: int) -> str:
        """Σ over all pixels times 2^-⌈log2 pixels⌉."""
        axes = numpy_helper.from_array(np.array([2, 3], np.int64), f"{module}.axes")
        self.initializers.append(axes)
        found = self.node("ReduceSum", module, [source, axes.name], keepdims=1)
        factor = self.constant(f"{module}.factor", 2.0 ** -(pixels - 1).bit_length())
        return self.made(self.node("Mul", module, [found, factor]), self.shapes[source])

    def model(self, opset: int = 18) -> onnx.ModelProto:
        """The model; the last node makes the output."""
        output = self.nodes[-1].output[0]
        shape = (1, self.channels, self.height, self.width)
        graph = helper.make_graph(
            self.nodes,
            "network",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            self.initializers,
        )
        opsets = [helper.make_opsetid("", opset), helper.make_opsetid("qonnx.custom_op.general", 1)]
        return helper.make_model(graph, opset_imports=opsets)

    def save(self, path: Path, opset: int = 18) -> Path:
        """Write the file; the last node makes the output."""
        onnx.save(self.model(opset), path)
        return path


def inception(path: Path, size: int = 9, seed: int = 0) -> Path:
    """Stem, two Inception blocks (the second with 1×7, 7×1 and depthwise), pools, classifier."""
    net = OnnxNetwork(size, size, 3, seed)
    stem = net.act("stem.act", net.conv("stem.conv", net.image(), 8, (3, 3)))
    pooled = net.max_pool("stem.pool", stem, 3, 2, pads=[1, 1, 1, 1])
    half = (size - 1) // 2 + 1

    def point(module: str, source: str, outputs: int) -> str:
        return net.act(f"{module}.act", net.conv(f"{module}.conv", source, outputs))

    def pattern(module: str, source: str, outputs: int, kernel: tuple[int, int], **how: Any) -> str:
        found = net.conv(f"{module}.pattern", source, outputs, kernel, pattern=True, **how)
        return net.act(f"{module}.pattern_act", found)

    first = net.concat(
        "first.join",
        point("first.b1", pooled, 4),
        pattern("first.b3", point("first.b3r", pooled, 4), 8, (3, 3)),
        pattern("first.b5", point("first.b5r", pooled, 2), 4, (5, 5)),
        point(
            "first.bp",
            net.act("first.pool_act", net.average_pool("first.pool", pooled, 3, 1, 1)),
            4,
        ),
    )
    long = pattern("second.b7", point("second.b7r", first, 4), 4, (1, 7))
    depthwise = net.conv("second.depth.conv", first, 20, (3, 3), groups=20)
    second = net.concat(
        "second.join",
        pattern("second.b71", long, 4, (7, 1)),
        point("second.bd", net.act("second.depth.act", depthwise), 4),
        pattern("second.dp", first, 20, (3, 3), groups=20),
        point("second.bm", net.max_pool("second.pool", first, 3, 1, pads=[1, 1, 1, 1]), 4),
    )
    small = net.max_pool("reduce", second, 3, 2, ceil_mode=1)
    pixels = (-(-(half - 3) // 2) + 1) ** 2
    total = net.act("mean.act", net.global_sum("mean", small, pixels))
    net.conv("classifier", total, 5)
    return net.save(path)


def strided(path: Path, size: int = 13, seed: int = 1) -> Path:
    """Kernels of 7×7, 5×5 and 3×3 at stride 2, groups and depthwise, average pools, 4 bits.

    Its output is a rectified map of 3×3.
    """
    net = OnnxNetwork(size, size, 3, seed)
    x = net.act("stem.act", net.conv("stem.conv", net.image(), 8, (7, 7), stride=2))
    skip = net.conv("skip", x, 12, (1, 1), stride=2, groups=4)
    five = net.conv("five", x, 12, (5, 5), stride=2, groups=4)
    three = net.conv("three", x, 12, (3, 3), stride=2, groups=2, pattern=True)
    x = net.act("join", skip, five, three, bits=4, step_bits=4)
    x = net.act("depth.act", net.conv("depth", x, 24, (5, 5), groups=12, pattern=True))
    x = net.act("mean.act", net.average_pool("mean", x, 3, 2, 1))
    x = net.act("deep.act", net.conv("deep", x, 24, (1, 3), groups=24))
    x = net.act("quarter.act", net.average_pool("quarter", x, 2, 1, 1))
    x = net.conv("classifier", x, 5)
    net.made(net.node("Relu", "classifier", [x]), 5)
    return net.save(path)
