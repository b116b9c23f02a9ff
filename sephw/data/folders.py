"""Large image folders, train/CLASS/FILE and val/CLASS/FILE, decoded image by image."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sephw.data.dataset import VALIDATION_MOST, VALIDATION_SHARE, Labels, stratified
from sephw.data.erase import GREY, half_side
from sephw.errors import SephwError
from sephw.files.images import ENDINGS
from sephw.files.picture import ConversionCounts, Picture, read_picture

# So many files, spread over all, are looked at for what will be converted.
SAMPLED_FILES = 200


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Image files below `root` with labels int64 (N,); nothing is read yet.

    Reading converts them to `channels`, 1 or 3.
    """

    root: Path
    names: tuple[str, ...]
    labels: Labels
    channels: int = 3

    def __len__(self) -> int:
        return len(self.names)

    def take(self, index: NDArray[np.int64]) -> ImageFiles:
        """The files at `index`, in that order."""
        names = tuple(self.names[i] for i in index)
        return ImageFiles(self.root, names, self.labels[index], self.channels)


@dataclass(frozen=True)
class FolderDataset:
    """A `Dataset` of image files: `validation` is carved from train/, `test` is val/.

    `notes` are lines on files that are left out, and on conversions when they are read.
    """

    name: str
    train: ImageFiles
    validation: ImageFiles
    test: ImageFiles
    classes: tuple[str, ...]
    source: str
    licence: str
    notes: tuple[str, ...] = ()


def is_image_folder(path: Path) -> bool:
    """Whether `path` holds the folders train/ and val/."""
    return (path / "train").is_dir() and (path / "val").is_dir()


def open_image_folder(path: Path, *, seed: int, channels: int = 3) -> FolderDataset:
    """List the files of train/ and val/; one tenth of train/, at most 2,500, for validation.

    Files are converted to `channels` (1 or 3) when they are read. Raises SephwError where a class
    of train/ has no images, or val/ has a class that train/ has not.
    """
    classes = _class_names(path / "train")
    extra = sorted(set(_class_names(path / "val")) - set(classes))
    if extra:
        raise SephwError(f"{path / 'val'}: class '{extra[0]}' has no training images")
    if len(classes) < 2:
        raise SephwError(f"{path}: only one class ('{classes[0]}'); at least two are needed")
    pool = _files(path / "train", classes, channels)
    test = _files(path / "val", classes, channels)
    for label, name in enumerate(classes):
        if label not in pool.labels:
            raise SephwError(
                f"{path / 'train'}: class '{name}' has no images (names ending in "
                f"{', '.join(ENDINGS)}); add some, or remove the folder"
            )
    keep, out = stratified(
        pool.labels, VALIDATION_SHARE, seed, most=VALIDATION_MOST, classes=classes
    )
    missing = [name for label, name in enumerate(classes) if label not in test.labels]
    unread = [name for name in ("test", "testing") if (path / name).is_dir()]
    return FolderDataset(
        path.name,
        pool.take(keep),
        pool.take(out),
        test,
        classes,
        source=f"images in {path.name}",
        licence="not stated",
        notes=(
            *(f"val/ is the test set; {name}/ is not read" for name in unread),
            *(f"class '{name}' has no test images" for name in missing),
            *_conversions(pool),
        ),
    )


def _conversions(files: ImageFiles) -> tuple[str, ...]:
    """Lines on the conversions that a sample of the files needs."""
    tally = ConversionCounts()
    for name in files.names[:: 1 + len(files) // SAMPLED_FILES]:
        try:
            picture = read_picture(files.root / name).in_channels(files.channels)
        except SephwError:
            continue  # said when its turn comes
        tally.add(name, picture.conversions)
    return tally.notes("images looked at")


def _class_names(folder: Path) -> tuple[str, ...]:
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    if not names:
        raise SephwError(f"{folder}: no class folders; images lie at CLASS/FILE")
    return tuple(names)


def _files(folder: Path, classes: tuple[str, ...], channels: int) -> ImageFiles:
    names: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        if not (folder / name).is_dir():
            continue
        with os.scandir(folder / name) as entries:
            found = sorted(
                e.name
                for e in entries
                if e.name.lower().endswith(ENDINGS) and not e.name.startswith(".")
            )
        names += [f"{name}/{file}" for file in found]
        labels += [label] * len(found)
    if not names:
        raise SephwError(f"{folder}: no images; their names end in {', '.join(ENDINGS)}")
    return ImageFiles(folder, tuple(names), np.array(labels, np.int64), channels)


def read_centre(files: ImageFiles, index: int, height: int, width: int) -> NDArray[np.uint8]:
    """The centre of one image as uint8 (height, width, channels).

    The shorter side is scaled to 8/7 of the size, and the middle is cut out. Raises SephwError
    naming a file that cannot be decoded.
    """
    return _picture(files, index).resized(height, width, "crop").pixels()


def read_random(
    files: ImageFiles, index: int, height: int, width: int, augment: str, seed: tuple[int, ...]
) -> NDArray[np.uint8]:
    """One image, augmented, as uint8 (height, width, channels); `seed` decides everything random.

    `crop`: a window of 8 to 100 % of the area and an aspect ratio from 3:4 to 4:3, scaled to the
    size; `flip`: mirrored half of the time; `erase`: a grey square over a part of it; `none`: as
    `read_centre`. Raises SephwError as that does.
    """
    from PIL import Image, ImageOps

    generator = np.random.default_rng(seed)
    mirrored = generator.random() < 0.5 and "flip" in augment
    if "crop" in augment:
        whole = _picture(files, index).image
        box = random_window(generator, whole.height, whole.width, width / height)
        cut = whole.resize((width, height), Image.Resampling.BILINEAR, box=box)
    else:
        centre = read_centre(files, index, height, width)
        cut = Image.fromarray(centre[:, :, 0] if files.channels == 1 else centre)
    image = _array(ImageOps.mirror(cut) if mirrored else cut)
    if "erase" in augment:
        half = half_side(height)
        row, column = (int(generator.integers(0, side)) for side in (height, width))
        image[max(0, row - half) : row + half, max(0, column - half) : column + half] = GREY
    return image


def random_window(
    generator: np.random.Generator, height: int, width: int, shape: float
) -> tuple[int, int, int, int]:
    """A random window (left, top, right, bottom) within height × width pixels.

    Its aspect ratio is `shape` (width over height) times 3/4 to 4/3. After ten windows that do not
    fit, it is the largest centred one of aspect ratio `shape`.
    """
    for _ in range(10):
        area = height * width * generator.uniform(0.08, 1.0)
        aspect = shape * np.exp(generator.uniform(np.log(3 / 4), np.log(4 / 3)))
        w, h = round(float(np.sqrt(area * aspect))), round(float(np.sqrt(area / aspect)))
        if 0 < w <= width and 0 < h <= height:
            left = int(generator.integers(0, width - w + 1))
            top = int(generator.integers(0, height - h + 1))
            return left, top, left + w, top + h
    w, h = min(width, round(height * shape) or 1), min(height, round(width / shape) or 1)
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h


def _array(image: Any) -> NDArray[np.uint8]:
    """A Pillow image as uint8 (height, width, channels), writable."""
    return np.array(image, np.uint8).reshape(image.height, image.width, -1)


def _picture(files: ImageFiles, index: int) -> Picture:
    """Decode one file and convert it to the requested channels."""
    path = files.root / files.names[index]
    try:
        return read_picture(path).in_channels(files.channels)
    except SephwError as error:
        raise SephwError(f"{path}: {error}; remove or replace it") from None
