"""The interface of image sources for training, and images held in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from sephw.train.augment import augmented
from sephw.train.parallel import Team
from sephw.train.settings import TrainingSettings

# uint8 images (N, C, H, W) and int64 labels (N,)
Batch = tuple[Any, Any]


class DataSource(Protocol):
    """Labelled images of one size."""

    def __len__(self) -> int:
        """Images in all, over every process."""

    def training(
        self, settings: TrainingSettings, stage: int, epoch: int, team: Team
    ) -> Iterator[Batch]:
        """This process's share of every whole batch of one epoch, shuffled and augmented.

        Depends on the seed, the stage, the epoch and the number of processes only.
        """

    def fixed(self, team: Team, batch: int = 250) -> Iterator[Batch]:
        """This process's share of all images, in order and as they are."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The three splits of a data set as sources, with their origin."""

    name: str
    train: DataSource
    validation: DataSource
    test: DataSource
    classes: tuple[str, ...]
    source: str
    licence: str


def epoch_seed(settings: TrainingSettings, stage: int, epoch: int) -> int:
    """Seed of everything random in one epoch of one stage."""
    return settings.seed * 1_000_003 + stage * 10_007 + epoch


def batch_size(settings: TrainingSettings, count: int) -> int:
    """Images per step over all processes: at most ``count``, the same number in each process."""
    batch = min(settings.batch, count)
    return batch - batch % settings.processes


@dataclass(frozen=True, eq=False)
class MemorySource:
    """Images in memory: uint8 (N, C, H, W), labels int64 (N,)."""

    images: Any
    labels: Any

    def __len__(self) -> int:
        return len(self.images)

    def training(
        self, settings: TrainingSettings, stage: int, epoch: int, team: Team
    ) -> Iterator[Batch]:
        import torch

        seed = epoch_seed(settings, stage, epoch)
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self.images), generator=generator)
        if team.rank:  # every process moves its images its own way
            generator.manual_seed(seed + 15_485_863 * team.rank)
        batch = batch_size(settings, len(self.images))
        for start in range(0, len(order) - batch + 1, batch):
            chosen = order[start : start + batch][team.rank :: team.size]
            yield augmented(self.images[chosen], settings.augment, generator), self.labels[chosen]

    def fixed(self, team: Team, batch: int = 250) -> Iterator[Batch]:
        images, labels = self.images[team.rank :: team.size], self.labels[team.rank :: team.size]
        for start in range(0, len(images), batch):
            yield images[start : start + batch], labels[start : start + batch]


def first_images(source: DataSource, count: int) -> Any:
    """The first ``count`` images as they are, uint8 (n, C, H, W), the same in every process."""
    import torch

    parts: list[Any] = []
    for images, _ in source.fixed(Team()):
        parts.append(images)
        if sum(map(len, parts)) >= count:
            break
    return torch.cat(parts)[:count]
