"""One epoch of training: optimizer, learning rate schedule, batches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sephw.errors import SephwError
from sephw.train.augment import augmented
from sephw.train.evaluate import network_input
from sephw.train.progress import Reporter
from sephw.train.settings import STAGE_NAMES, Settings

WARM_UP_SHARE = 0.05


def make_optimizer(network: Any, settings: Settings, stage: str) -> Any:
    """AdamW over the trainable parameters; weight decay on convolution and linear weights only."""
    import torch

    trainable = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.lr[STAGE_NAMES.index(stage)])


def learning_rate(peak: float, step: int, steps: int) -> float:
    """Cosine from `peak` to 0 over `steps`, after a linear warm-up of a twentieth of them."""
    warm = max(1, round(steps * WARM_UP_SHARE))
    return peak * min(1.0, (step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * step / steps))


@dataclass(frozen=True)
class EpochResult:
    """Mean loss and top-1 accuracy in percent over the (augmented) training images."""

    loss: float
    accuracy: float


def train_epoch(
    network: Any,
    optimizer: Any,
    images: Any,
    labels: Any,
    settings: Settings,
    stage: str,
    epoch: int,
    reporter: Reporter,
) -> EpochResult:
    """Train `network` once over uint8 images (N, C, H, W); `epoch` counts from 0 in its stage.

    Order and augmentation depend on the seed, the stage and the epoch only. An incomplete last
    batch is left out. SephwError where the loss is no longer finite.
    """
    import torch
    from torch.nn import functional

    index = STAGE_NAMES.index(stage)
    generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + index * 10_007 + epoch)
    order = torch.randperm(len(images), generator=generator)
    batch = min(settings.batch, len(images))
    batches = len(images) // batch
    total = settings.epochs[index] * batches
    network.train()
    device = settings.device
    half = settings.precision == "bf16"
    loss_sum, right = 0.0, 0
    reporter.begin(f"{stage} {epoch + 1}/{settings.epochs[index]}", batches)
    for step in range(batches):
        rate = learning_rate(settings.lr[index], epoch * batches + step, total)
        for group in optimizer.param_groups:
            group["lr"] = rate
        chosen = order[step * batch : (step + 1) * batch]
        x = network_input(augmented(images[chosen], settings.augment, generator), device)
        y = labels[chosen].to(device)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=half):
            logits = network(x)
        logits = logits.float()
        loss = functional.cross_entropy(logits, y, label_smoothing=settings.label_smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        value = loss.item()
        if not math.isfinite(value):
            reporter.end()
            raise SephwError(
                f"stage {stage}, epoch {epoch + 1}: the loss is no longer finite; lower --lr"
            )
        loss_sum += value
        right += int((logits.argmax(1) == y).sum())
        seen = (step + 1) * batch
        reporter.step(step + 1, f"loss {loss_sum / (step + 1):.3f}  {100 * right / seen:.1f} %")
    reporter.end()
    return EpochResult(loss_sum / batches, 100.0 * right / (batches * batch))
