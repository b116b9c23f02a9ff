"""Accuracy, and the size figures of a network."""

from __future__ import annotations

from typing import Any

from sephw.data import Split
from sephw.train.parallel import Team
from sephw.train.source import DataSource, MemorySource


def in_memory(split: Split) -> MemorySource:
    """A split as uint8 images (N, C, H, W) and int64 labels (N,)."""
    import numpy as np
    import torch

    images = torch.from_numpy(np.ascontiguousarray(split.images.transpose(0, 3, 1, 2)))
    return MemorySource(images, torch.from_numpy(split.labels))


def network_input(images: Any, device: str = "cpu") -> Any:
    """float32 images = uint8 / 256, channels-last in memory."""
    import torch

    return images.to(device).to(torch.float32, memory_format=torch.channels_last).mul_(1 / 256)


def accuracy(
    network: Any, source: DataSource, device: str = "cpu", team: Team | None = None
) -> float:
    """Top-1 accuracy in percent, in float32 and evaluation mode; the same in every process."""
    import torch

    team = team or Team()
    was_training = network.training
    network.eval()
    right = 0
    with torch.inference_mode():
        for images, labels in source.fixed(team):
            logits = network(network_input(images, device))
            right += int((logits.argmax(1).cpu() == labels).sum())
    network.train(was_training)
    (hits,) = team.all_reduce_sum(right)
    return round(100.0 * hits / len(source), 4)


def parameter_counts(network: Any) -> tuple[int, int]:
    """(pattern weights, other weights) of a stage R network; batch norms fold away, uncounted."""
    from torch import nn

    from sephw.nn import PatternConv2d

    patterns = others = 0
    for module in network.modules():
        if isinstance(module, PatternConv2d):
            patterns += module.weight.numel()
        elif isinstance(module, nn.Conv2d | nn.Linear):
            others += module.weight.numel()
            others += module.bias.numel() if module.bias is not None else 0
    return patterns, others


def model_bytes(patterns: int, others: int) -> dict[str, int]:
    """Weight bytes per stage as the paper counts: floats, 1-bit patterns, 8-bit for the rest."""
    packed = (patterns + 7) // 8
    return {"R": 4 * (patterns + others), "B": packed + 4 * others, "BQ": packed + others}
