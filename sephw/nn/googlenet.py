"""GoogLeNet with batch norm: inception blocks whose 3×3 and 5×5 convolutions are patterns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from sephw.nn.blocks import ConvBlock, PatternBlock
from sephw.nn.layers import Concat, GlobalPool2d, QuantLinear, QuantReLU
from sephw.nn.stage import Stage

# Channels of 1×1; 3×3 reduce, 3×3; 5×5 reduce, 5×5; 1×1 after the pool.
Channels = tuple[int, int, int, int, int, int]
BLOCKS: tuple[tuple[str, Channels], ...] = (
    ("inception3a", (64, 96, 128, 16, 32, 32)),
    ("inception3b", (128, 128, 192, 32, 96, 64)),
    ("inception4a", (192, 96, 208, 16, 48, 64)),
    ("inception4b", (160, 112, 224, 24, 64, 64)),
    ("inception4c", (128, 128, 256, 24, 64, 64)),
    ("inception4d", (112, 144, 288, 32, 64, 64)),
    ("inception4e", (256, 160, 320, 32, 128, 128)),
    ("inception5a", (256, 160, 320, 32, 128, 128)),
    ("inception5b", (384, 192, 384, 48, 128, 128)),
)
_POOL_AFTER = ("inception3b", "inception4e")


class GoogLeNetBlock(nn.Module):
    """Four branches on one input, concatenated: 1×1, 3×3, 5×5, and 1×1 after a 3×3 max-pool.

    ``patterns``: which of the kernels 3 and 5 are patterns; the others stay 8-bit.
    """

    def __init__(
        self,
        in_channels: int,
        channels: Channels,
        patterns: Sequence[int] = (3, 5),
        activation_bits: int = 8,
        scale_bits: int = 4,
    ) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, pooled = channels
        bits = activation_bits

        def spatial(inputs: int, outputs: int, kernel: int) -> nn.Module:
            if kernel in patterns:
                return PatternBlock(inputs, outputs, kernel, 1, 1, bits, scale_bits)
            return ConvBlock(inputs, outputs, kernel, activation_bits=bits)

        self.one = ConvBlock(in_channels, one, activation_bits=bits)
        self.reduce3 = ConvBlock(in_channels, reduce3, activation_bits=bits)
        self.three = spatial(reduce3, three, 3)
        self.reduce5 = ConvBlock(in_channels, reduce5, activation_bits=bits)
        self.five = spatial(reduce5, five, 5)
        self.pool = nn.MaxPool2d(3, 1, 1)
        self.pooled = ConvBlock(in_channels, pooled, activation_bits=bits)
        self.concat = Concat()

    def forward(self, x: Tensor) -> Tensor:
        return self.concat(
            self.one(x),
            self.three(self.reduce3(x)),
            self.five(self.reduce5(x)),
            self.pooled(self.pool(x)),
        )


class GoogLeNet(nn.Module):
    """GoogLeNet with batch norm after every convolution and no auxiliary classifiers.

    conv1 (7×7/2), conv2 (3×3) and the classifier stay 8-bit, as in the authors' runs;
    ``patterns`` names the inception kernels that become patterns (the paper's three experiments:
    3, 5, or both). ``shrink`` divides every channel count, for tests and small boards. Where
    the original rounds pooled sizes up, 3×3/2 max-pools here have a padding of 1, which gives the
    same sizes. Input float32 (N, in_channels, height, width) holding uint8/256; output logits
    (N, classes).

    Raises ValueError where ``patterns`` holds anything but 3 and 5, or ``shrink`` is below 1.
    """

    stage: Stage

    def __init__(
        self,
        height: int = 224,
        width: int = 224,
        in_channels: int = 3,
        classes: int = 1000,
        patterns: Sequence[int] = (3, 5),
        shrink: int = 1,
        dropout: float = 0.2,
        activation_bits: int = 8,
        scale_bits: int = 4,
    ) -> None:
        super().__init__()
        if shrink < 1 or not set(patterns) <= {3, 5}:
            raise ValueError(
                f"GoogLeNet: patterns={list(patterns)} and shrink={shrink}: patterns are of the "
                "kernels 3 and 5, shrink is at least 1"
            )
        self.arguments: dict[str, Any] = {
            "height": height,
            "width": width,
            "in_channels": in_channels,
            "classes": classes,
            "patterns": list(patterns),
            "shrink": shrink,
            "dropout": dropout,
            "activation_bits": activation_bits,
            "scale_bits": scale_bits,
        }
        self.stage = Stage.R
        bits = activation_bits

        def shrunk(channels: int) -> int:
            return max(1, channels // shrink)

        self.conv1 = ConvBlock(in_channels, shrunk(64), 7, 2, activation_bits=bits)
        self.pool1 = nn.MaxPool2d(3, 2, 1)
        self.conv2_reduce = ConvBlock(shrunk(64), shrunk(64), activation_bits=bits)
        self.conv2 = ConvBlock(shrunk(64), shrunk(192), 3, activation_bits=bits)
        self.pool2 = nn.MaxPool2d(3, 2, 1)
        before = shrunk(192)
        layers: dict[str, nn.Module] = {}
        for name, channels in BLOCKS:
            one, reduce3, three, reduce5, five, pooled = (shrunk(count) for count in channels)
            layers[name] = GoogLeNetBlock(
                before, (one, reduce3, three, reduce5, five, pooled), patterns, bits, scale_bits
            )
            before = one + three + five + pooled
            if name in _POOL_AFTER:
                layers[f"pool{name[9]}"] = nn.MaxPool2d(3, 2, 1)
        self.blocks = nn.ModuleDict(layers)
        self.pool = GlobalPool2d()
        self.pool_act = QuantReLU(bits)
        self.dropout = nn.Dropout(dropout)
        self.classifier = QuantLinear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(self.conv1(x))
        x = self.pool2(self.conv2(self.conv2_reduce(x)))
        for block in self.blocks.values():
            x = block(x)
        return self.classifier(self.dropout(self.pool_act(self.pool(x))))
