"""SEP-Net: a stem, stages of SEP modules joined by transitions, global pooling, a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from sephw.nn.blocks import ConvBlock, SEPModule
from sephw.nn.layers import GlobalPool2d, QuantLinear, QuantReLU
from sephw.nn.stage import Stage


class SEPNet(nn.Module):
    """A SEP-Net for images of any height and width.

    ``widths[i]`` channels and ``modules[i]`` SEP modules in stage i; a ``transition_kernel`` ×
    ``transition_kernel`` stride-2 8-bit convolution with ``transition_groups`` groups (one number,
    or one per transition) between stages; ``groups`` inside the pattern residual blocks.
    ``stem_pool`` adds a 2×2 max-pool after the stem. Input float32 (N, in_channels, height, width)
    holding uint8/256; output logits (N, classes).

    Raises ValueError naming the argument when widths and groups do not divide.
    """

    stage: Stage

    def __init__(
        self,
        height: int = 32,
        width: int = 32,
        in_channels: int = 3,
        classes: int = 10,
        stem_kernel: int = 3,
        stem_stride: int = 1,
        stem_pool: bool = False,
        widths: Sequence[int] = (16, 32, 64),
        modules: Sequence[int] = (1, 1, 1),
        kernel_size: int = 3,
        groups: int = 4,
        transition_kernel: int = 3,
        transition_groups: int | Sequence[int] = 1,
        activation_bits: int = 8,
        scale_bits: int = 4,
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
            "modules": list(modules),
            "kernel_size": kernel_size,
            "groups": groups,
            "transition_kernel": transition_kernel,
            "transition_groups": (
                transition_groups if isinstance(transition_groups, int) else list(transition_groups)
            ),
            "activation_bits": activation_bits,
            "scale_bits": scale_bits,
        }
        _check(self.arguments)
        between = _per_transition(self.arguments)
        self.stage = Stage.R
        self.stem = ConvBlock(
            in_channels, widths[0], stem_kernel, stem_stride, activation_bits=activation_bits
        )
        self.stem_pool = nn.MaxPool2d(2) if stem_pool else nn.Identity()
        stages: list[nn.Module] = []
        for index, (channels, count) in enumerate(zip(widths, modules, strict=True)):
            layers: list[nn.Module] = []
            if index:
                layers.append(
                    ConvBlock(
                        widths[index - 1],
                        channels,
                        transition_kernel,
                        2,
                        between[index - 1],
                        activation_bits,
                    )
                )
            layers += [
                SEPModule(channels, kernel_size, groups, activation_bits, scale_bits)
                for _ in range(count)
            ]
            stages.append(nn.Sequential(*layers))
        self.stages = nn.ModuleList(stages)
        self.pool = GlobalPool2d()
        self.pool_act = QuantReLU(activation_bits)
        self.classifier = QuantLinear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem_pool(self.stem(x))
        for stage in self.stages:
            x = stage(x)
        return self.classifier(self.pool_act(self.pool(x)))


def _check(a: dict[str, Any]) -> None:
    if len(a["widths"]) != len(a["modules"]) or not a["widths"]:
        raise ValueError(
            f"SEPNet: widths={a['widths']} and modules={a['modules']} must have the same, "
            "non-zero length"
        )
    for channels, count in zip(a["widths"], a["modules"], strict=True):
        if count and channels % (4 * a["groups"]):
            raise ValueError(
                f"SEPNet: width {channels} is not a multiple of 4·groups = {4 * a['groups']}; "
                "change widths or groups"
            )
    between = _per_transition(a)
    if len(between) != len(a["widths"]) - 1:
        raise ValueError(
            f"SEPNet: transition_groups={a['transition_groups']} for {len(a['widths']) - 1} "
            "transitions; give one number, or one per transition"
        )
    for groups, before, after in zip(between, a["widths"], a["widths"][1:], strict=False):
        if before % groups or after % groups:
            raise ValueError(
                f"SEPNet: transition_groups={groups} does not divide {before} and {after} channels"
            )
    if a["stem_kernel"] % 2 == 0 or a["kernel_size"] % 2 == 0 or a["kernel_size"] < 3:
        raise ValueError("SEPNet: stem_kernel must be odd, kernel_size odd and at least 3")


def _per_transition(a: dict[str, Any]) -> list[int]:
    groups = a["transition_groups"]
    return [groups] * (len(a["widths"]) - 1) if isinstance(groups, int) else list(groups)
