"""One epoch of training: optimizer, learning rate schedule, loss, batches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sephw.errors import SephwError
from sephw.train.evaluate import network_input
from sephw.train.parallel import Team
from sephw.train.progress import Reporter
from sephw.train.progressive import binarize_progressively
from sephw.train.settings import STAGE_NAMES, TrainingSettings
from sephw.train.source import DataSource, batch_size


def make_optimizer(network: Any, settings: TrainingSettings, stage: str) -> Any:
    """AdamW, or SGD with momentum, over the trainable parameters.

    Weight decay on convolution and linear weights only. In progressive training the weights behind
    patterns are among them whether or not their turn has come.
    """
    import torch

    from sephw.nn import PatternConv2d

    waiting: set[int] = set()
    if stage == "B" and settings.progressive > 1:
        waiting = {id(m.weight) for m in network.modules() if isinstance(m, PatternConv2d)}
    trainable = [p for p in network.parameters() if p.requires_grad or id(p) in waiting]
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
    rate = settings.lr[STAGE_NAMES.index(stage)]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=settings.momentum)
    return torch.optim.AdamW(groups, lr=rate)


def learning_rate(settings: TrainingSettings, stage: str, step: int, steps: int) -> float:
    """The rate of ``step`` (from 0) of ``steps``: a linear warm-up, then the schedule.

    cosine: half a wave from the peak to 0. step: a tenth less at each milestone. poly: the
    remaining share of the stage to the power `poly_power`.
    """
    done = step / steps
    if settings.schedule == "cosine":
        factor = 0.5 * (1 + math.cos(math.pi * done))
    elif settings.schedule == "step":
        factor = 0.1 ** sum(done >= milestone for milestone in settings.milestones)
    else:
        factor = (1 - done) ** settings.poly_power
    warm = max(1, round(steps * settings.warm_up))
    peak = settings.lr[STAGE_NAMES.index(stage)]
    return peak * min(1.0, (step + 1) / warm) * factor


def loss_of(
    logits: Any, labels: Any, settings: TrainingSettings, teacher_logits: Any | None
) -> Any:
    """The training loss: cross entropy, mixed with distillation where ``teacher_logits`` is given.

    (1 − w)·CE + w·T²·KL(softmax(teacher / T) ‖ softmax(logits / T)), the mean over the batch.
    """
    from torch.nn import functional

    hard = functional.cross_entropy(logits, labels, label_smoothing=settings.label_smoothing)
    if teacher_logits is None:
        return hard
    heat = settings.temperature
    soft = functional.kl_div(
        functional.log_softmax(logits / heat, dim=1),
        functional.log_softmax(teacher_logits / heat, dim=1),
        reduction="batchmean",
        log_target=True,
    )
    return (1 - settings.distill) * hard + settings.distill * heat**2 * soft


@dataclass(frozen=True)
class EpochResult:
    """Mean loss and top-1 accuracy in percent over the (augmented) training images."""

    loss: float
    accuracy: float


@dataclass(frozen=True, eq=False)
class Learner:
    """The network in training and its optimizer.

    `teacher`, a network in evaluation mode, adds its logits to the loss.
    """

    network: Any
    optimizer: Any
    teacher: Any | None = None


def train_epoch(
    learner: Learner,
    source: DataSource,
    settings: TrainingSettings,
    stage: str,
    epoch: int,
    reporter: Reporter,
    team: Team,
) -> EpochResult:
    """Train the network once over `source`; `epoch` counts from 0 in its stage.

    Order and augmentation depend on the seed, the stage and the epoch only. An incomplete last
    batch is left out. SephwError where the loss is no longer finite.
    """
    import torch

    network, optimizer, teacher = learner.network, learner.optimizer, learner.teacher
    index = STAGE_NAMES.index(stage)
    batch = batch_size(settings, len(source))
    batches = len(source) // batch
    total = settings.epochs[index] * batches
    if stage == "B" and settings.progressive > 1:
        binarize_progressively(network, settings, epoch)
    network.train()
    wrapped = team.wrap(network)
    device = settings.device
    half = settings.precision == "bf16"
    loss_sum, right, seen = 0.0, 0, 0
    with reporter.step(stage, f"epoch {epoch + 1} of {settings.epochs[index]}") as report_progress:
        for step, (images, labels) in enumerate(source.training(settings, index, epoch, team)):
            rate = learning_rate(settings, stage, epoch * batches + step, total)
            for group in optimizer.param_groups:
                group["lr"] = rate
            x, y = network_input(images, device), labels.to(device)
            with torch.autocast(device, dtype=torch.bfloat16, enabled=half):
                logits = wrapped(x)
                teacher_logits = None
                if teacher is not None:
                    with torch.no_grad():
                        teacher_logits = teacher(x).float()
            logits = logits.float()
            loss = loss_of(logits, y, settings, teacher_logits)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            value = loss.item()
            if not math.isfinite(value):
                raise SephwError(
                    f"stage {stage}, epoch {epoch + 1}: the loss is no longer finite; lower --lr"
                )
            loss_sum += value
            right += int((logits.argmax(1) == y).sum())
            seen += len(y)
            note = f"loss {loss_sum / (step + 1):.3f}, {100 * right / seen:.1f} %, batches"
            report_progress(step + 1, batches, note)
    team.broadcast_weights(network)  # batch norms have seen other images in each process
    loss_sum, hits, images_seen = team.all_reduce_sum(loss_sum, right, seen)
    return EpochResult(loss_sum / (batches * team.size), 100.0 * hits / images_seen)
