"""The data set types, and the seeded, stratified splits they are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]

VALIDATION_SHARE = 0.1
VALIDATION_MOST = 2500
TEST_SHARE = 0.2


@dataclass(frozen=True)
class Split:
    """Images uint8 (N, H, W, C) and their labels int64 (N,), each an index into the classes."""

    images: Images
    labels: Labels

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4:
            raise SephwError(
                f"images of type {self.images.dtype} and shape {self.images.shape}: "
                "a split holds uint8 images in (N, H, W, C) order; convert them first"
            )
        if self.labels.shape != (len(self.images),):
            raise SephwError(
                f"{len(self.images)} images but labels of shape {self.labels.shape}: "
                "a split needs one label per image"
            )

    def __len__(self) -> int:
        return len(self.images)

    def take(self, index: NDArray[np.int64]) -> Split:
        """The samples at `index`, in that order."""
        return Split(self.images[index], self.labels[index])


@dataclass(frozen=True)
class Dataset:
    """Three disjoint splits and what is known of their origin.

    `validation` is carved from the training images; `test` is the official test set where there
    is one. `notes` are lines on what was converted or left out.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    source: str
    licence: str
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of every image."""
        _, height, width, channels = self.train.images.shape
        return height, width, channels


def stratified(
    labels: Labels,
    share: float,
    seed: int,
    *,
    most: int | None = None,
    classes: tuple[str, ...] = (),
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index arrays (rest, held out): `share` of each class, at least one, drawn by `seed`.

    `most` bounds the held-out samples of all classes together. Both arrays are shuffled, so that
    data stored class by class comes out mixed. `classes` are the labels' names, for messages.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    share = min(share, most / len(labels)) if most is not None and len(labels) else share
    rest: list[NDArray[np.int64]] = []
    held: list[NDArray[np.int64]] = []
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label).astype(np.int64))
        count = max(1, round(len(members) * share))
        if count >= len(members):
            name = f"'{classes[label]}'" if classes else str(int(label))
            raise SephwError(
                f"class {name} has {len(members)} image(s): too few to split; "
                "give every class at least 3 images"
            )
        held.append(members[:count])
        rest.append(members[count:])
    return generator.permutation(np.concatenate(rest)), generator.permutation(np.concatenate(held))


@dataclass(frozen=True)
class Origin:
    """The name, classes, source and licence of images before their split.

    `notes` are as those of a `Dataset`.
    """

    name: str
    classes: tuple[str, ...]
    source: str
    licence: str
    notes: tuple[str, ...] = ()


def assemble(
    origin: Origin, pool: Split, test: Split | None, *, seed: int, test_seed: int | None = None
) -> Dataset:
    """Build a data set from training images and, where there is one, an official test set.

    Without a test set one fifth of `pool` becomes it, drawn by `test_seed` (default `seed`). One
    tenth of what remains, at most 2,500 images, becomes the validation split, drawn by `seed`.
    """
    name, classes = origin.name, origin.classes
    if len(pool) == 0:
        raise SephwError(f"data set '{name}': no training images; check the path")
    for split in (pool, test):
        if split is not None and not 0 <= int(split.labels.max(initial=0)) < len(classes):
            raise SephwError(
                f"data set '{name}': label {int(split.labels.max())} but only {len(classes)} "
                "classes; the label file does not belong to this data"
            )
    if test is None:
        drawn_by = seed if test_seed is None else test_seed
        keep, out = stratified(pool.labels, TEST_SHARE, drawn_by, classes=classes)
        pool, test = pool.take(keep), pool.take(out)
    if test.images.shape[1:] != pool.images.shape[1:]:
        raise SephwError(
            f"data set '{name}': training images are {size_text(pool)} but test images "
            f"{size_text(test)}; bring them to one size"
        )
    keep, out = stratified(
        pool.labels, VALIDATION_SHARE, seed, most=VALIDATION_MOST, classes=classes
    )
    return Dataset(
        name,
        pool.take(keep),
        pool.take(out),
        test,
        classes,
        origin.source,
        origin.licence,
        origin.notes,
    )


def size_text(split: Split) -> str:
    """'HEIGHTxWIDTHxCHANNELS' of a split's images, for messages."""
    return "x".join(str(extent) for extent in split.images.shape[1:])
