"""Draws networks: of every part, at every size, as the documentation allows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from benchmarks.random_networks.describe import (
    IMAGE,
    IMAGE_BITS,
    AveragePool,
    Branch,
    Case,
    Concat,
    Convolution,
    GlobalPool,
    Hardware,
    IllegalNetworkError,
    Join,
    Linear,
    MaxPool,
    Network,
    Norm,
    Part,
    Shape,
    Size,
    Skip,
    Weights,
    branch_shape,
    shapes_of,
    sum_shape,
    windows,
    without_unread,
)
from sephw.ir.operator import divisors

T = TypeVar("T")
_KERNELS: Sequence[Size] = (
    (3, 3),
    (3, 3),
    (3, 3),
    (3, 3),
    (1, 3),
    (3, 1),
    (5, 5),
    (1, 5),
    (5, 1),
    (1, 7),
    (7, 1),
    (3, 5),
    (2, 2),
    (2, 3),
    (1, 2),
    (4, 4),
    (7, 7),
)
_CHANNELS = (1, 2, 3, 4, 4, 5, 6, 8, 8, 12)
_LARGE_CHANNELS = (4, 8, 12, 16, 24)
_AVERAGES = (2, 2, 3, 4, 6)
_TRIES = 40


class _Draw:
    """A network so far."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.large = self.chance(0.04)
        sides = [int(n) for n in rng.integers(3, 13, 2)]
        if self.large:
            sides = [int(n) for n in rng.integers(8, 17, 2)]
        self.height, self.width = sides
        self.channels = self.pick((1, 1, 2, 3, 3, 4))
        self.parts: list[Part] = []
        self.shapes = {IMAGE: Shape(4, self.channels, self.height, self.width, IMAGE_BITS)}
        # Tensors that the image's own grid is part of, which no concatenation takes.
        self.of_image = {IMAGE}

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self.rng.integers(len(choices)))]

    def seed(self) -> int:
        return int(self.rng.integers(1 << 31))

    def maps(self) -> list[str]:
        """The tensors that are maps, in order."""
        return [name for name, shape in self.shapes.items() if shape.rank == 4]

    def recent(self) -> str:
        """A map to go on from, mostly the last one."""
        names = self.maps()
        return names[-1] if self.chance(0.75) else self.pick(names)

    def add(self, part: Part) -> None:
        """Append a part."""
        network = Network(
            self.height, self.width, self.channels, (*self.parts, part), (Skip(part.name),)
        )
        self.shapes = shapes_of(network)
        self.parts.append(part)

    def name(self) -> str:
        return f"p{len(self.parts)}"

    def out_channels(self, groups: int) -> int:
        choices = _LARGE_CHANNELS if self.large else _CHANNELS
        wanted = self.pick(choices)
        return max(groups, wanted // groups * groups)

    def convolution(self, source: str) -> Convolution:
        """Any convolution of ``source``."""
        shape = self.shapes[source]
        pattern = self.chance(0.55)
        kernel = self.pick(_KERNELS) if pattern or self.chance(0.5) else (1, 1)
        same = self.chance(0.65)
        padding = tuple(k // 2 if same else int(self.rng.integers(0, k)) for k in kernel)
        groups = self.pick(divisors(shape.channels)) if self.chance(0.5) else 1
        channels = self.out_channels(groups)
        if self.chance(0.12):  # depthwise
            groups, channels = shape.channels, shape.channels * self.pick((1, 1, 2))
        return Convolution(
            source,
            channels,
            kernel,
            self.pick((1, 1, 1, 2, 2, 3)),
            (padding[0], padding[1]),
            groups,
            pattern,
            self.chance(0.25),
            self.pick(tuple(Norm)) if self.chance(0.5) else Norm.PLAIN,
            self.pick(tuple(Weights)) if self.chance(0.3) else Weights.NORMAL,
            self.pick((1, 2, 3, 4, 4, 4, 4, 6, 8)),
            self.seed(),
        )

    def first_branch(self) -> Branch:
        """A branch that fits its source."""
        for _ in range(_TRIES):
            source = self.recent()
            branch: Branch = self.convolution(source)
            if self.chance(0.1):
                kernel = self.pick(_AVERAGES)
                branch = AveragePool(
                    source,
                    kernel,
                    int(self.rng.integers(1, kernel + 1)),
                    self.pick((0, 0, kernel // 2)),
                )
            try:
                branch_shape(branch, self.shapes)
            except IllegalNetworkError:
                continue
            return branch
        return Skip(self.maps()[-1])

    def another(self, shape: Shape, beside: Branch) -> Branch | None:
        """A branch of the same shape as ``beside``."""
        for _ in range(_TRIES):
            source = beside.source if self.chance(0.5) else self.pick(self.maps())
            found = self.shapes[source]
            if found.size == shape.size and self.chance(0.5):
                return Skip(source)
            conv = self.convolution(source)
            groups = conv.groups if shape.channels % conv.groups == 0 else 1
            stride = next(
                (
                    s
                    for s in (1, 2, 3, 4)
                    if windows(found.height, conv.kernel[0], s, conv.padding[0]) == shape.height
                    and windows(found.width, conv.kernel[1], s, conv.padding[1]) == shape.width
                ),
                None,
            )
            if stride is None:
                continue
            return Convolution(
                source,
                shape.channels,
                conv.kernel,
                stride,
                conv.padding,
                groups,
                conv.pattern,
                conv.bias,
                conv.norm,
                conv.weights,
                conv.scale_bits,
                conv.seed,
            )
        return None

    def branches(self) -> tuple[Branch, ...]:
        """One to four branches of one shape."""
        first = self.first_branch()
        found = [first]
        shape = branch_shape(first, self.shapes)
        for _ in range(self.pick((0, 0, 0, 0, 1, 1, 1, 2, 3))):
            branch = self.another(shape, first)
            if branch is not None:
                found.append(branch)
        return tuple(found)

    def bits(self) -> int:
        return self.pick((8, 8, 8, 2, 3, 4, 4, 5, 6, 7))

    def join(self) -> None:
        """Branches and their quantizer; what a network mostly consists of."""
        self.add(Join(self.name(), self.branches(), self.bits()))

    def max_pool(self) -> None:
        """A max-pool, if one fits the map."""
        source = self.recent()
        for _ in range(_TRIES):
            size = self.pick((2, 2, 3, 3, 4))
            kernel = (size, size) if self.chance(0.7) else self.pick(((1, 2), (2, 1), (3, 2)))
            padding = tuple(int(self.rng.integers(0, k // 2 + 1)) for k in kernel)
            if self.chance(0.5):
                padding = (0, 0)
            part = MaxPool(
                self.name(),
                source,
                kernel,
                int(self.rng.integers(1, max(kernel) + 2)),
                (padding[0], padding[1]),
                self.chance(0.4),
            )
            try:
                self.add(part)
            except IllegalNetworkError:
                continue
            if source in self.of_image:
                self.of_image.add(part.name)
            return

    def concat(self) -> None:
        """A concatenation, if several tensors share size and bits."""
        names = [name for name in self.maps() if name not in self.of_image]
        if not names:
            return
        first = self.shapes[self.pick(names)]
        fitting = [
            name
            for name in names
            if (self.shapes[name].size[1:], self.shapes[name].bits) == (first.size[1:], first.bits)
        ]
        if len(fitting) == 1 and not self.chance(0.3):
            self.sibling(fitting[0])
            fitting.append(self.parts[-1].name)
        count = int(self.rng.integers(2, 5))
        chosen = tuple(self.pick(fitting) for _ in range(count))
        if sum(self.shapes[name].channels for name in chosen) <= 48:
            self.add(Concat(self.name(), chosen))

    def sibling(self, name: str) -> None:
        """Another quantized tensor with size and bits of ``name``."""
        shape = self.shapes[name]
        channels = self.out_channels(1)
        branch = Convolution(
            name,
            channels,
            (1, 1),
            pattern=False,
            seed=self.seed(),
            norm=self.pick((Norm.PLAIN, Norm.NONE)),
        )
        self.add(Join(self.name(), (branch,), shape.bits))

    def output(self) -> tuple[Branch, ...]:
        """How the network ends; may append parts."""
        last = self.maps()[-1]
        kind = self.rng.random()
        if kind < 0.58:
            pools = [GlobalPool(last)]
            same = [n for n in self.maps() if self.shapes[n].channels == self.shapes[last].channels]
            if self.chance(0.1):
                pools.append(GlobalPool(self.pick(same)))
            self.add(Join(self.name(), tuple(pools), self.bits()))
            for _ in range(self.pick((0, 0, 0, 1))):
                self.add(Join(self.name(), (self.linear(),), self.bits()))
            return (self.linear(),)
        if kind < 0.8:
            return self.branches()
        if kind < 0.9:
            return (Skip(last),)
        if kind < 0.96:
            return (GlobalPool(last),)
        return (GlobalPool(last), GlobalPool(last)) if self.chance(0.3) else self.branches()

    def linear(self) -> Linear:
        """A linear layer behind the last part."""
        return Linear(
            self.parts[-1].name,
            self.pick((1, 2, 3, 5, 10)),
            self.chance(0.7),
            self.pick(tuple(Weights)) if self.chance(0.3) else Weights.NORMAL,
            self.seed(),
        )


def draw(seed: int, index: int) -> Case:
    """Network ``index`` of ``seed``, the same whatever else is drawn."""
    made = _Draw(np.random.default_rng([seed, index]))
    count = made.pick((1, 1, 2, 2, 2, 3, 3, 4))
    if made.large:
        count = made.pick((7, 9, 11))
    made.join()
    while len(made.parts) < count:
        kind = made.rng.random()
        if kind < 0.68:
            made.join()
        elif kind < 0.84:
            made.max_pool()
        else:
            made.concat()
    output = made.output()
    network = Network(
        made.height, made.width, made.channels, tuple(made.parts), output, made.seed()
    )
    sum_shape(output, made.shapes)
    hardware = Hardware(
        frame_cycles=made.pick((1, 64, 256, 1024, 4096, 32768)),
        seed=made.seed() if made.chance(0.8) else None,
        fifo_seed=made.seed() if made.chance(0.3) else None,
        weight_bandwidth=made.pick((8, 32, 128)) if made.chance(0.2) else None,
    )
    return Case(without_unread(network), hardware)
