"""An Inception-v3-style network: factorized 1×7/7×1 and 1×3/3×1 pattern convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from sephw.nn.blocks import ConvBlock, PatternBlock
from sephw.nn.layers import AveragePool2d, Concat, GlobalPool2d, QuantLinear, QuantReLU
from sephw.nn.stage import Stage

Kernel = tuple[int, int]
# (kernel, channels[, stride]) from the branch's input to its end.
Step = tuple[Kernel, int] | tuple[Kernel, int, int]

_ONE: Kernel = (1, 1)
_THREE: Kernel = (3, 3)
_FIVE: Kernel = (5, 5)
_WIDE: Kernel = (1, 7)
_TALL: Kernel = (7, 1)
_SEVENS = (128, 160, 160, 192)  # inner channels of the four 17×17 blocks


class PooledProjection(nn.Module):
    """3×3 average pooling with padding, quantized, then a 1×1 convolution block."""

    def __init__(self, in_channels: int, out_channels: int, activation_bits: int = 8) -> None:
        super().__init__()
        self.pool = AveragePool2d(3, 1, 1)
        self.pool_act = QuantReLU(activation_bits)
        self.conv = ConvBlock(in_channels, out_channels, activation_bits=activation_bits)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.pool_act(self.pool(x)))


class InceptionBlock(nn.Module):
    """Branches on one input, concatenated along the channels.

    A branch that forks (``forks[name]`` = its ends) contributes each end.
    """

    def __init__(
        self, branches: dict[str, nn.Module], forks: dict[str, list[nn.Module]] | None = None
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleDict(branches)
        self.forks = nn.ModuleDict(
            {name: nn.ModuleList(ends) for name, ends in (forks or {}).items()}
        )
        self.concat = Concat()

    def forward(self, x: Tensor) -> Tensor:
        outputs: list[Tensor] = []
        for name, branch in self.branches.items():
            y = branch(x)
            if name in self.forks:
                ends: Any = self.forks[name]
                outputs += [end(y) for end in ends]
            else:
                outputs.append(y)
        return self.concat(*outputs)


class Inception(nn.Module):
    """Inception v3's blocks and channels with "same" padding throughout, no auxiliary classifier.

    ``blocks`` counts the blocks at the three sizes (v3: 3, 4, 2). Patterns: every k×k, 1×k and
    k×1 convolution inside the blocks; the stem and the classifier stay 8-bit. ``shrink`` divides
    every channel count. Input float32 (N, in_channels, height, width) holding uint8/256; output
    logits (N, classes).

    Raises ValueError unless ``blocks`` holds three counts and ``shrink`` is at least 1.
    """

    stage: Stage

    def __init__(
        self,
        height: int = 299,
        width: int = 299,
        in_channels: int = 3,
        classes: int = 1000,
        blocks: Sequence[int] = (3, 4, 2),
        shrink: int = 1,
        dropout: float = 0.5,
        activation_bits: int = 8,
        scale_bits: int = 4,
    ) -> None:
        super().__init__()
        if len(blocks) != 3 or min(blocks) < 0 or shrink < 1:
            raise ValueError(
                f"Inception: blocks={list(blocks)} and shrink={shrink}: three counts, and a "
                "shrink of at least 1"
            )
        self.arguments: dict[str, Any] = {
            "height": height,
            "width": width,
            "in_channels": in_channels,
            "classes": classes,
            "blocks": list(blocks),
            "shrink": shrink,
            "dropout": dropout,
            "activation_bits": activation_bits,
            "scale_bits": scale_bits,
        }
        self.stage = Stage.R
        self._bits, self._scale_bits, self._shrink = activation_bits, scale_bits, shrink
        channels = self._shrunk(192)
        self.stem = nn.Sequential(
            ConvBlock(in_channels, self._shrunk(32), 3, 2, activation_bits=activation_bits),
            ConvBlock(self._shrunk(32), self._shrunk(32), 3, activation_bits=activation_bits),
            ConvBlock(self._shrunk(32), self._shrunk(64), 3, activation_bits=activation_bits),
            nn.MaxPool2d(3, 2, 1),
            ConvBlock(self._shrunk(64), self._shrunk(80), activation_bits=activation_bits),
            ConvBlock(self._shrunk(80), channels, 3, activation_bits=activation_bits),
            nn.MaxPool2d(3, 2, 1),
        )
        layers: list[nn.Module] = []
        for index in range(blocks[0]):
            channels = self._squares(layers, channels, 64 if index else 32)
        channels = self._first_reduction(layers, channels)
        for index in range(blocks[1]):
            channels = self._sevens(layers, channels, _SEVENS[min(index, 3)])
        channels = self._second_reduction(layers, channels)
        for _ in range(blocks[2]):
            channels = self._forks(layers, channels)
        self.blocks = nn.ModuleList(layers)
        self.pool = GlobalPool2d()
        self.pool_act = QuantReLU(activation_bits)
        self.dropout = nn.Dropout(dropout)
        self.classifier = QuantLinear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.classifier(self.dropout(self.pool_act(self.pool(x))))

    def _shrunk(self, channels: int) -> int:
        return max(1, channels // self._shrink)

    def _chain(self, channels: int, *steps: Step) -> nn.Module:
        layers: list[nn.Module] = []
        for kernel, count, *stride in steps:
            out = self._shrunk(count)
            if kernel == _ONE:
                layers.append(ConvBlock(channels, out, activation_bits=self._bits))
            else:
                step = stride[0] if stride else 1
                layers.append(
                    PatternBlock(channels, out, kernel, step, 1, self._bits, self._scale_bits)
                )
            channels = out
        return nn.Sequential(*layers)

    def _squares(self, layers: list[nn.Module], channels: int, pooled: int) -> int:
        layers.append(
            InceptionBlock(
                {
                    "one": self._chain(channels, (_ONE, 64)),
                    "five": self._chain(channels, (_ONE, 48), (_FIVE, 64)),
                    "three": self._chain(channels, (_ONE, 64), (_THREE, 96), (_THREE, 96)),
                    "pooled": PooledProjection(channels, self._shrunk(pooled), self._bits),
                }
            )
        )
        return 2 * self._shrunk(64) + self._shrunk(96) + self._shrunk(pooled)

    def _first_reduction(self, layers: list[nn.Module], channels: int) -> int:
        layers.append(
            InceptionBlock(
                {
                    "three": self._chain(channels, (_THREE, 384, 2)),
                    "twice": self._chain(channels, (_ONE, 64), (_THREE, 96), (_THREE, 96, 2)),
                    "pooled": nn.MaxPool2d(3, 2, 1),
                }
            )
        )
        return self._shrunk(384) + self._shrunk(96) + channels

    def _sevens(self, layers: list[nn.Module], channels: int, inner: int) -> int:
        layers.append(
            InceptionBlock(
                {
                    "one": self._chain(channels, (_ONE, 192)),
                    "seven": self._chain(channels, (_ONE, inner), (_WIDE, inner), (_TALL, 192)),
                    "twice": self._chain(
                        channels,
                        (_ONE, inner),
                        (_TALL, inner),
                        (_WIDE, inner),
                        (_TALL, inner),
                        (_WIDE, 192),
                    ),
                    "pooled": PooledProjection(channels, self._shrunk(192), self._bits),
                }
            )
        )
        return 4 * self._shrunk(192)

    def _second_reduction(self, layers: list[nn.Module], channels: int) -> int:
        layers.append(
            InceptionBlock(
                {
                    "three": self._chain(channels, (_ONE, 192), (_THREE, 320, 2)),
                    "seven": self._chain(
                        channels, (_ONE, 192), (_WIDE, 192), (_TALL, 192), (_THREE, 192, 2)
                    ),
                    "pooled": nn.MaxPool2d(3, 2, 1),
                }
            )
        )
        return self._shrunk(320) + self._shrunk(192) + channels

    def _forks(self, layers: list[nn.Module], channels: int) -> int:
        def ends() -> list[nn.Module]:
            inner = self._shrunk(384)
            return [
                PatternBlock(inner, inner, kernel, 1, 1, self._bits, self._scale_bits)
                for kernel in ((1, 3), (3, 1))
            ]

        layers.append(
            InceptionBlock(
                {
                    "one": self._chain(channels, (_ONE, 320)),
                    "three": self._chain(channels, (_ONE, 384)),
                    "twice": self._chain(channels, (_ONE, 448), (_THREE, 384)),
                    "pooled": PooledProjection(channels, self._shrunk(192), self._bits),
                },
                {"three": ends(), "twice": ends()},
            )
        )
        return self._shrunk(320) + 4 * self._shrunk(384) + self._shrunk(192)
