"""A folder of image files as a training source: decoded in worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sephw.data.folders import ImageFiles, read_centre, read_random
from sephw.errors import SephwError
from sephw.lifetime.guard import die_with_parent
from sephw.train.parallel import Team
from sephw.train.settings import Settings
from sephw.train.source import Batch, batch_size, epoch_seed


@dataclass(frozen=True, eq=False)
class _Decoded:
    """Images by index, as a DataLoader wants them; ``seed`` None: as they are, centred.

    An unreadable file becomes its message: an exception would come out of a worker as a page.
    """

    files: ImageFiles
    size: tuple[int, int]
    augment: str
    seed: int | None

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Any, int] | str:
        try:
            if self.seed is None:
                image = read_centre(self.files, index, *self.size)
            else:
                image = read_random(self.files, index, *self.size, self.augment, (self.seed, index))
        except SephwError as error:
            return str(error)
        return image, int(self.files.labels[index])


def _collate(samples: list[tuple[Any, int] | str]) -> Batch | str:
    import numpy as np
    import torch

    for sample in samples:
        if isinstance(sample, str):
            return sample
    images = np.stack([sample[0] for sample in samples]).transpose(0, 3, 1, 2)  # type: ignore[misc]
    labels = torch.tensor([sample[1] for sample in samples], dtype=torch.int64)
    return torch.from_numpy(np.ascontiguousarray(images)), labels


@dataclass(frozen=True, eq=False)
class FolderSource:
    """Image files brought to ``size`` (height, width), RGB, by ``workers`` processes.

    What an image looks like in an epoch depends on the seed, the stage, the epoch and the image
    only, not on how many processes decode or train.
    """

    files: ImageFiles
    size: tuple[int, int]
    workers: int = 2

    def __len__(self) -> int:
        return len(self.files)

    def training(self, settings: Settings, stage: int, epoch: int, team: Team) -> Iterator[Batch]:
        import torch

        seed = epoch_seed(settings, stage, epoch)
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self.files), generator=generator)
        batch = batch_size(settings, len(self.files))
        steps = [
            order[start : start + batch][team.rank :: team.size].tolist()
            for start in range(0, len(order) - batch + 1, batch)
        ]
        yield from self._load(_Decoded(self.files, self.size, settings.augment, seed), steps, team)

    def fixed(self, team: Team, batch: int = 250) -> Iterator[Batch]:
        own = list(range(team.rank, len(self.files), team.size))
        steps = [own[start : start + batch] for start in range(0, len(own), batch)]
        yield from self._load(_Decoded(self.files, self.size, "none", None), steps, team)

    def _load(self, images: _Decoded, steps: list[list[int]], team: Team) -> Iterator[Batch]:
        import torch

        # Its own generator: the loader would draw a seed from the global one.
        loader: Any = torch.utils.data.DataLoader(
            images,
            batch_sampler=steps,
            num_workers=self.workers,
            collate_fn=_collate,
            worker_init_fn=_begin_worker,
            pin_memory=team.device == "cuda",
            generator=torch.Generator().manual_seed(0),
        )
        for loaded in loader:
            if isinstance(loaded, str):
                raise SephwError(loaded)
            yield loaded[0], loaded[1]


def _begin_worker(_: int) -> None:
    die_with_parent()
