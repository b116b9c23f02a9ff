"""PRBNet: a stem, a chain of pattern residual blocks, global pooling, a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from sephw.nn.blocks import ConvBlock, PatternResidualBlock
from sephw.nn.layers import GlobalPool2d, QuantLinear, QuantReLU
from sephw.nn.stage import Stage


class PRBNet(nn.Module):
    """Pattern residual blocks without the 1×1 reduce and recover of a SEP module.

    It has a fifth of a SEP-Net's engines and is meant for the smallest devices and the highest
    frame rates. ``widths[0]`` channels after the stem, ``widths[i]`` after block i, whose stride
    is ``strides[i - 1]``; ``groups`` inside the blocks, in their pointwise branches
    ``pointwise_groups`` where that is given: whole patterns mix channels well, and grouped
    pointwise branches spare multipliers. ``stem_pool`` adds a 2×2 max-pool after the stem. Input
    float32 (N, in_channels, height, width) holding uint8/256; output logits (N, classes).

    Raises ValueError naming the argument when lengths differ or widths and groups do not divide.
    """

    stage: Stage

    def __init__(
        self,
        height: int = 28,
        width: int = 28,
        in_channels: int = 1,
        classes: int = 10,
        stem_kernel: int = 3,
        stem_stride: int = 1,
        stem_pool: bool = False,
        widths: Sequence[int] = (8, 16),
        strides: Sequence[int] = (1,),
        kernel_size: int = 3,
        groups: int = 1,
        activation_bits: int = 8,
        scale_bits: int = 4,
        pointwise_groups: int | None = None,
    ) -> None:
        super().__init__()
        self.arguments: dict[str, Any] = {
            "height": height,
            "width": width,
            "in_channels": in_channels,
            "classes": classes,
            "stem_kernel": stem_kernel,
            "stem_stride": stem_stride,
            "stem_pool": stem_pool,
            "widths": list(widths),
            "strides": list(strides),
            "kernel_size": kernel_size,
            "groups": groups,
            "activation_bits": activation_bits,
            "scale_bits": scale_bits,
            "pointwise_groups": pointwise_groups,
        }
        _check(self.arguments)
        self.stage = Stage.R
        self.stem = ConvBlock(
            in_channels, widths[0], stem_kernel, stem_stride, activation_bits=activation_bits
        )
        self.stem_pool = nn.MaxPool2d(2) if stem_pool else nn.Identity()
        self.blocks = nn.Sequential(
            *(
                PatternResidualBlock(
                    before,
                    after,
                    kernel_size,
                    stride,
                    groups,
                    activation_bits,
                    scale_bits,
                    pointwise_groups,
                )
                for before, after, stride in zip(widths, widths[1:], strides, strict=False)
            )
        )
        self.pool = GlobalPool2d()
        self.pool_act = QuantReLU(activation_bits)
        self.classifier = QuantLinear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.stem_pool(self.stem(x)))
        return self.classifier(self.pool_act(self.pool(x)))


def _check(a: dict[str, Any]) -> None:
    widths, strides = a["widths"], a["strides"]
    if len(widths) < 2 or len(strides) != len(widths) - 1:
        raise ValueError(
            f"PRBNet: widths={widths} needs at least two entries and strides={strides} one fewer"
        )
    for name in ("groups", "pointwise_groups"):
        for channels in widths:
            if a[name] is not None and channels % a[name]:
                raise ValueError(
                    f"PRBNet: width {channels} is not a multiple of {name} = {a[name]}; "
                    f"change widths or {name}"
                )
    if a["stem_kernel"] % 2 == 0 or a["kernel_size"] % 2 == 0 or a["kernel_size"] < 3:
        raise ValueError("PRBNet: stem_kernel must be odd, kernel_size odd and at least 3")
