"""Progressive binarization: in stage B, groups of layers become patterns one after another."""

from __future__ import annotations

from typing import Any

from sephw.train.settings import TrainingSettings


def binarized_groups(groups: int, epoch: int, epochs: int) -> int:
    """The number of groups that are binarized during ``epoch`` (from 0) of ``epochs``.

    It rises over the first half of the stage and is complete in the second; where that half has
    fewer epochs than there are groups, there are only so many groups.
    """
    ramp = max(1, (epochs + 1) // 2)
    groups = min(groups, ramp)
    return min(groups, 1 + epoch * groups // ramp)


def is_fully_binarized(settings: TrainingSettings, epoch: int) -> bool:
    """Whether every layer is binarized during ``epoch`` of stage B."""
    epochs = settings.epochs[1]
    ramp = max(1, (epochs + 1) // 2)
    groups = min(settings.progressive, ramp)
    return binarized_groups(settings.progressive, epoch, epochs) == groups


def binarize_progressively(network: Any, settings: TrainingSettings, epoch: int) -> None:
    """Binarize the layers scheduled up to ``epoch`` of stage B; the others stay float.

    Groups are runs of consecutive layers of equal number, from the input on. A layer that is not
    binarized yet trains its float weights.
    """
    from sephw.nn import PatternConv2d

    layers = [module for module in network.modules() if isinstance(module, PatternConv2d)]
    ramp = max(1, (settings.epochs[1] + 1) // 2)
    groups = min(settings.progressive, ramp)
    done = binarized_groups(settings.progressive, epoch, settings.epochs[1])
    for index, layer in enumerate(layers):
        on = index * groups // len(layers) < done
        layer.binarize(on, not on or settings.patterns == "straight-through")
