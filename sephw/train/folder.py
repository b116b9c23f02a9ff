"""A folder of image files as a training source: decoded while the network trains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from sephw.data.folders import ImageFiles
from sephw.train.decoders import DecodeRequest, Decoders
from sephw.train.parallel import Team
from sephw.train.settings import TrainingSettings
from sephw.train.source import Batch, batch_size, epoch_seed


@dataclass(frozen=True, eq=False)
class FolderSource:
    """Image files brought to ``size`` (height, width), RGB, by ``decoders``.

    The augmentation of an image depends on the seed, the stage, the epoch and the image only, not
    on how many processes decode or train.
    """

    files: ImageFiles
    size: tuple[int, int]
    decoders: Decoders = field(default_factory=lambda: Decoders(0))

    def __len__(self) -> int:
        return len(self.files)

    def training(
        self, settings: TrainingSettings, stage: int, epoch: int, team: Team
    ) -> Iterator[Batch]:
        import torch

        seed = epoch_seed(settings, stage, epoch)
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self.files), generator=generator).numpy()
        batch = batch_size(settings, len(self.files))
        steps = [
            order[start : start + batch][team.rank :: team.size]
            for start in range(0, len(order) - batch + 1, batch)
        ]
        yield from self._load(steps, settings.augment, seed)

    def fixed(self, team: Team, batch: int = 250) -> Iterator[Batch]:
        own = np.arange(team.rank, len(self.files), team.size)
        steps = [own[start : start + batch] for start in range(0, len(own), batch)]
        yield from self._load(steps, "none", None)

    def _load(
        self,
        steps: list[np.ndarray[tuple[int], np.dtype[np.int64]]],
        augment: str,
        seed: int | None,
    ) -> Iterator[Batch]:
        import torch

        batches = (
            DecodeRequest(self.files.take(step), tuple(step.tolist()), self.size, augment, seed)
            for step in steps
        )
        for step, images in zip(steps, self.decoders.images(batches), strict=True):
            yield torch.from_numpy(images), torch.from_numpy(self.files.labels[step])
