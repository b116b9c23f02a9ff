"""ResNet for CIFAR (20, 32, 44, 56 layers), as the authors of SEP-Nets binarized it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from sephw.nn.blocks import ConvBlock, PatternBlock
from sephw.nn.layers import GlobalPool2d, PatternConv2d, QuantConv2d, QuantLinear, QuantReLU
from sephw.nn.stage import Stage


class ResNetBlock(nn.Module):
    """Two pattern convolutions and a skip: act(norm(pattern(first(x))) + shortcut(x)).

    The shortcut is the input itself, or where size or channels change a strided 8-bit
    ``shortcut_kernel`` × ``shortcut_kernel`` convolution with batch norm.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        shortcut_kernel: int = 3,
        activation_bits: int = 8,
        scale_bits: int = 4,
    ) -> None:
        super().__init__()
        self.first = PatternBlock(
            in_channels, out_channels, 3, stride, 1, activation_bits, scale_bits
        )
        self.pattern = PatternConv2d(out_channels, out_channels, 3, 1, 1, 1, scale_bits)
        self.norm = nn.BatchNorm2d(out_channels)
        self.shortcut: nn.Module = nn.Identity()
        self.shortcut_norm: nn.Module = nn.Identity()
        if stride > 1 or in_channels != out_channels:
            self.shortcut = QuantConv2d(
                in_channels, out_channels, shortcut_kernel, stride, shortcut_kernel // 2
            )
            self.shortcut_norm = nn.BatchNorm2d(out_channels)
        self.act = QuantReLU(activation_bits)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.pattern(self.first(x)))
        return self.act(y + self.shortcut_norm(self.shortcut(x)))


class ResNet(nn.Module):
    """A CIFAR ResNet of ``depth`` = 6n + 2 layers: a stem, three stages of n blocks, a classifier.

    Multi-bit, as in the authors' runs: the stem, the strided projections and the classifier;
    every other 3×3 convolution is a pattern. Input float32 (N, in_channels, height, width) holding
    uint8/256; output logits (N, classes).

    Raises ValueError for another depth, or an even ``shortcut_kernel``.
    """

    stage: Stage

    def __init__(
        self,
        depth: int = 20,
        height: int = 32,
        width: int = 32,
        in_channels: int = 3,
        classes: int = 10,
        widths: Sequence[int] = (16, 32, 64),
        shortcut_kernel: int = 3,
        activation_bits: int = 8,
        scale_bits: int = 4,
    ) -> None:
        super().__init__()
        if depth < 8 or (depth - 2) % 6:
            raise ValueError(f"ResNet: depth={depth} is not 6n + 2; use 20, 32, 44 or 56")
        if shortcut_kernel % 2 == 0:
            raise ValueError(f"ResNet: shortcut_kernel={shortcut_kernel} must be odd")
        self.arguments: dict[str, Any] = {
            "depth": depth,
            "height": height,
            "width": width,
            "in_channels": in_channels,
            "classes": classes,
            "widths": list(widths),
            "shortcut_kernel": shortcut_kernel,
            "activation_bits": activation_bits,
            "scale_bits": scale_bits,
        }
        self.stage = Stage.R
        self.stem = ConvBlock(in_channels, widths[0], 3, activation_bits=activation_bits)
        stages: list[nn.Module] = []
        before = widths[0]
        for index, channels in enumerate(widths):
            blocks: list[nn.Module] = []
            for position in range((depth - 2) // 6):
                stride = 2 if index and not position else 1
                blocks.append(
                    ResNetBlock(
                        before, channels, stride, shortcut_kernel, activation_bits, scale_bits
                    )
                )
                before = channels
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.pool = GlobalPool2d()
        self.pool_act = QuantReLU(activation_bits)
        self.classifier = QuantLinear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return self.classifier(self.pool_act(self.pool(x)))
