"""The images that an export is verified with: real ones and adversarial ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sephw.checkpoint import Checkpoint
from sephw.data import (
    DATA_NAMES,
    Preprocessing,
    is_image_folder,
    load_data,
    open_image_folder,
    preprocess,
)
from sephw.data.folders import read_centre
from sephw.errors import SephwError, UsageError
from sephw.export.settings import RANDOM_DATA

_SEED = 0


@dataclass(frozen=True, eq=False)
class Samples:
    """`images` uint8 (N, H, W, C): first the `len(labels)` labelled ones, then the others.

    `names` says what each image is; `data` names the data set. `note` is what a person should
    know of the choice, or "".
    """

    data: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    note: str = ""


def input_format(checkpoint: Checkpoint) -> Preprocessing:
    """The input that the checkpoint's network takes.

    A bare state_dict has no preprocessing; its network's arguments give the size then.
    """
    if checkpoint.preprocessing is not None:
        return Preprocessing.from_dict(checkpoint.preprocessing)
    missing = [k for k in ("height", "width", "in_channels") if k not in checkpoint.arguments]
    if missing:
        raise SephwError(
            f"network '{checkpoint.network}': its arguments lack '{missing[0]}', so the input's "
            "size is unknown; add it to --arguments"
        )
    arguments = checkpoint.arguments
    return Preprocessing(arguments["height"], arguments["width"], arguments["in_channels"])


def choose_samples(
    checkpoint: Checkpoint,
    data: str | None,
    count: int,
    progress: Callable[[int, int], None] | None = None,
    *,
    fewer: bool = False,
) -> Samples:
    """`count` test images of `data` (None: the set that the checkpoint names), then adversarial.

    `fewer`: where there are not so many, all there are; without it that is an error.

    The same for every call with the same arguments. `data` 'random' takes seeded noise instead
    of real images, and so does None where the checkpoint's set is not one that can be loaded by
    its name. `progress` is told (images decoded, images in all). SephwError for an unknown data
    set or images that the network cannot take.
    """
    form = input_format(checkpoint)
    trained = _trained(checkpoint).get("name")
    note = ""
    if data == RANDOM_DATA:
        note = "--data random: noise images; exactness is checked, accuracy is not"
    elif data is None and trained not in DATA_NAMES:
        data = RANDOM_DATA
        note = (
            f"noise images, since {_missing(trained)}: exactness is checked, accuracy is not; "
            "--data PATH takes real ones"
        )
    if data == RANDOM_DATA:
        shape = (count, form.height, form.width, form.channels)
        name, real = RANDOM_DATA, _generator().integers(0, 256, shape, np.uint8)
        labels = np.zeros(0, np.int64)
        names = [f"noise {i}" for i in range(count)]
    else:
        name, real, labels, names, notes = _real(checkpoint, data, count, fewer, form, progress)
        note = "; ".join(notes)
    others = _adversarial(form)
    images = np.concatenate([real, *(image[None] for image in others.values())])
    return Samples(name, images, labels, (*names, *others), note)


def _real(
    checkpoint: Checkpoint,
    data: str | None,
    count: int,
    fewer: bool,
    form: Preprocessing,
    progress: Callable[[int, int], None] | None,
) -> tuple[str, NDArray[np.uint8], NDArray[np.int64], list[str], tuple[str, ...]]:
    trained = _trained(checkpoint)
    wanted = data if data is not None else str(trained["name"])
    if form.resize == "crop" and is_image_folder(Path(wanted)):
        return _of_files(checkpoint, Path(wanted), count, fewer, form)
    resizes = form.resize in ("bilinear", "pad")
    try:
        dataset = load_data(
            wanted,
            seed=int(trained.get("seed", 0)),
            size=(form.height, form.width) if resizes else None,
            resize=form.resize if resizes else "bilinear",
            channels=form.channels if form.channels in (1, 3) else None,
            progress=progress,
        )
    except UsageError:
        raise
    except SephwError as error:
        if data is not None:
            raise
        raise SephwError(f"{error}; or give --data PATH, or --data {RANDOM_DATA}") from None
    test = dataset.test
    count = _available(dataset.name, len(test), count, fewer)
    # Test sets are often stored class by class; a seeded draw mixes them.
    index = np.sort(_generator().permutation(len(test))[:count])
    images = preprocess(test.images[index], form)
    labels = test.labels[index]
    if checkpoint.classes and tuple(checkpoint.classes) != dataset.classes:
        labels = labels[:0]  # another set of classes: predictions cannot be right or wrong
    return dataset.name, images, labels, [f"test image {i}" for i in index], dataset.notes


def _available(name: str, there: int, count: int, fewer: bool) -> int:
    """The number of test images to take: ``count`` requested of ``there``."""
    if count > there and not fewer:
        raise UsageError(
            f"--samples {count}: data set '{name}' has {there} test images; ask for at most so many"
        )
    return min(count, there)


def _trained(checkpoint: Checkpoint) -> Mapping[str, Any]:
    """The checkpoint's record of its training data."""
    return checkpoint.metrics.get("data") or {}


def _missing(name: Any) -> str:
    """The reason why there are no images of the checkpoint's own data set."""
    return f"'{name}' cannot be loaded by name" if name else "the model names no data set"


def _of_files(
    checkpoint: Checkpoint, path: Path, count: int, fewer: bool, form: Preprocessing
) -> tuple[str, NDArray[np.uint8], NDArray[np.int64], list[str], tuple[str, ...]]:
    seed = int(checkpoint.metrics.get("seed", 0))
    dataset = open_image_folder(path, seed=seed, channels=form.channels)
    files = dataset.test
    count = _available(dataset.name, len(files), count, fewer)
    index = np.sort(_generator().permutation(len(files))[:count])
    size = (form.height, form.width)
    images = np.zeros((count, *size, form.channels), np.uint8)
    for place, i in enumerate(index):
        images[place] = read_centre(files, int(i), *size)
    labels = files.labels[index]
    if checkpoint.classes and tuple(checkpoint.classes) != dataset.classes:
        labels = labels[:0]
    return dataset.name, images, labels, [f"test image {i}" for i in index], dataset.notes


def _adversarial(form: Preprocessing) -> dict[str, NDArray[np.uint8]]:
    shape = (form.height, form.width, form.channels)
    generator = _generator()
    return {
        "all 0": np.zeros(shape, np.uint8),
        "all 255": np.full(shape, 255, np.uint8),
        "random": generator.integers(0, 256, shape, np.uint8),
        "random 0 or 255": generator.integers(0, 2, shape, np.uint8) * np.uint8(255),
    }


def _generator() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(_SEED))
