"""Large image folders, train/CLASS/FILE and val/CLASS/FILE, decoded image by image."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sephw.data.dataset import VALIDATION_MOST, VALIDATION_SHARE, Labels, stratified
from sephw.data.erase import GREY, half_side
from sephw.errors import SephwError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".webp", ".tif", ".tiff")
# The customary share around the centre crop: 256 pixels for one of 224.
MARGIN = 256 / 224


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Image files below `root` and their labels int64 (N,); nothing is read yet."""

    root: Path
    names: tuple[str, ...]
    labels: Labels

    def __len__(self) -> int:
        return len(self.names)

    def take(self, index: NDArray[np.int64]) -> ImageFiles:
        """The files at `index`, in that order."""
        return ImageFiles(self.root, tuple(self.names[i] for i in index), self.labels[index])


@dataclass(frozen=True)
class FolderDataset:
    """As `Dataset`, of files: `validation` is carved from train/, `test` is val/."""

    name: str
    train: ImageFiles
    validation: ImageFiles
    test: ImageFiles
    classes: tuple[str, ...]
    source: str
    licence: str


def is_image_folder(path: Path) -> bool:
    """Whether `path` holds the folders train/ and val/."""
    return (path / "train").is_dir() and (path / "val").is_dir()


def open_image_folder(path: Path, *, seed: int) -> FolderDataset:
    """List the files of train/ and val/; one tenth of train/, at most 2,500, for validation.

    SephwError where a folder has no images, or val/ a class that train/ has not.
    """
    classes = _class_names(path / "train")
    extra = sorted(set(_class_names(path / "val")) - set(classes))
    if extra:
        raise SephwError(f"{path / 'val'}: class '{extra[0]}' has no training images")
    if len(classes) < 2:
        raise SephwError(f"{path}: only one class ('{classes[0]}'); at least two are needed")
    pool, test = _files(path / "train", classes), _files(path / "val", classes)
    keep, out = stratified(pool.labels, VALIDATION_SHARE, seed, most=VALIDATION_MOST)
    return FolderDataset(
        path.name,
        pool.take(keep),
        pool.take(out),
        test,
        classes,
        source=f"images in {path.name}",
        licence="not stated",
    )


def _class_names(folder: Path) -> tuple[str, ...]:
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    if not names:
        raise SephwError(f"{folder}: no class folders; images lie at CLASS/FILE")
    return tuple(names)


def _files(folder: Path, classes: tuple[str, ...]) -> ImageFiles:
    names: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        if not (folder / name).is_dir():
            continue
        with os.scandir(folder / name) as entries:
            found = sorted(e.name for e in entries if e.name.lower().endswith(ENDINGS))
        names += [f"{name}/{file}" for file in found]
        labels += [label] * len(found)
    if not names:
        raise SephwError(f"{folder}: no images; their names end in {', '.join(ENDINGS)}")
    return ImageFiles(folder, tuple(names), np.array(labels, np.int64))


def read_centre(files: ImageFiles, index: int, height: int, width: int) -> NDArray[np.uint8]:
    """One image as uint8 (height, width, 3): shorter side to 8/7 of the size, centre cut out.

    SephwError naming the file where it cannot be decoded.
    """
    from PIL import Image

    image = _open(files, index)
    scale = MARGIN * max(height / image.height, width / image.width)
    size = max(width, round(image.width * scale)), max(height, round(image.height * scale))
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.asarray(image.crop((left, top, left + width, top + height)), np.uint8)


def read_random(
    files: ImageFiles, index: int, height: int, width: int, augment: str, seed: tuple[int, ...]
) -> NDArray[np.uint8]:
    """One image as uint8 (height, width, 3), augmented; `seed` decides everything random.

    `crop`: a window of 8 to 100 % of the area and an aspect between 3:4 and 4:3, brought to the
    size; `flip`: mirrored half of the time; `erase`: a grey square over a part of it; `none`:
    `read_centre`. SephwError as there.
    """
    from PIL import Image, ImageOps

    generator = np.random.default_rng(seed)
    mirrored = generator.random() < 0.5 and "flip" in augment
    if "crop" in augment:
        whole = _open(files, index)
        box = random_window(generator, whole.height, whole.width, width / height)
        cut = whole.resize((width, height), Image.Resampling.BILINEAR, box=box)
    else:
        cut = Image.fromarray(read_centre(files, index, height, width))
    image = np.array(ImageOps.mirror(cut) if mirrored else cut, np.uint8)
    if "erase" in augment:
        half = half_side(height)
        row, column = (int(generator.integers(0, side)) for side in (height, width))
        image[max(0, row - half) : row + half, max(0, column - half) : column + half] = GREY
    return image


def random_window(
    generator: np.random.Generator, height: int, width: int, shape: float
) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of a random window within height × width pixels.

    Its aspect is `shape` (width over height) times 3/4 to 4/3. After ten windows that do not fit:
    the largest of aspect `shape`, centred.
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


def _open(files: ImageFiles, index: int):  # type: ignore[no-untyped-def] # a PIL image
    from PIL import Image

    path = files.root / files.names[index]
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split())
        raise SephwError(f"{path}: cannot be decoded ({reason}); remove or replace it") from None
