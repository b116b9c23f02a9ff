"""Image folders and zips laid out CLASS/FILE."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from sephw.data.cache import cached_file
from sephw.data.dataset import Dataset, Images, Split, assemble
from sephw.errors import SephwError

ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff"})
TRAIN_NAMES, TEST_NAMES = ("train", "training"), ("test", "testing")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Tree:
    """Image files of one folder or zip: their paths inside it, and how to read one."""

    label: str
    files: tuple[PurePosixPath, ...]
    read: Callable[[PurePosixPath], bytes]

    def below(self, *names: str) -> _Tree | None:
        """The part under the first-level folder called one of `names`, with that level gone."""
        kept = tuple(path for path in self.files if path.parts[0].lower() in names)
        if not kept:
            return None
        top = {PurePosixPath(*path.parts[1:]): path for path in kept if len(path.parts) > 1}
        read = self.read
        return _Tree(f"{self.label}/{names[0]}", tuple(sorted(top)), lambda p: read(top[p]))


def _images_only(paths: list[str]) -> tuple[PurePosixPath, ...]:
    files = [PurePosixPath(path) for path in paths]
    kept = [p for p in files if p.suffix.lower() in ENDINGS and not p.name.startswith(".")]
    return tuple(sorted(p for p in kept if p.parts[0] != "__MACOSX"))


def _open_tree(path: Path) -> _Tree:
    if path.is_dir():
        names = [p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()]
        tree = _Tree(str(path), _images_only(names), lambda p: (path / p).read_bytes())
    else:
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (zipfile.BadZipFile, OSError) as error:
            raise SephwError(f"{path}: not a readable zip ({error}); fetch it again") from None
        opened = zipfile.ZipFile(path)
        tree = _Tree(str(path), _images_only(names), lambda p: opened.read(str(p)))
    if not tree.files:
        raise SephwError(
            f"{path}: no images found; expected CLASS/FILE with files ending in "
            f"{', '.join(sorted(ENDINGS))}"
        )
    # An archive often has everything under one folder of its own name: step into it.
    firsts = {p.parts[0] for p in tree.files}
    if len(firsts) == 1 and all(len(p.parts) > 2 for p in tree.files):
        tree = tree.below(next(iter(firsts)).lower()) or tree
    return tree


def _class_of(tree: _Tree, path: PurePosixPath) -> str:
    if len(path.parts) != 2:
        raise SephwError(
            f"{tree.label}: image '{path}' is not at CLASS/FILE; put each image into a folder "
            "named after its class"
        )
    return path.parts[0]


def _decode(
    tree: _Tree,
    classes: tuple[str, ...],
    size: tuple[int, int] | None,
    progress: Progress | None,
) -> Split:
    from PIL import Image

    # RuntimeError: an encrypted zip; SyntaxError: some damaged PNGs.
    unreadable = (
        OSError, zipfile.BadZipFile, ValueError, RuntimeError, SyntaxError,
        Image.DecompressionBombError,
    )  # fmt: skip
    labels = np.array([classes.index(_class_of(tree, path)) for path in tree.files], np.int64)
    images: Images | None = None
    mode = "RGB"
    for i, path in enumerate(tree.files):
        try:
            with Image.open(io.BytesIO(tree.read(path))) as image:
                if images is None:
                    mode = "L" if image.mode in ("1", "L") else "RGB"
                pixels = image.convert(mode)
        except unreadable as error:
            raise SephwError(f"{tree.label}: image '{path}' cannot be decoded ({error})") from None
        if size is not None and pixels.size != (size[1], size[0]):
            pixels = pixels.resize((size[1], size[0]), Image.Resampling.BILINEAR)
        array = np.asarray(pixels, np.uint8).reshape(pixels.size[1], pixels.size[0], -1)
        if images is None:
            images = np.empty((len(tree.files), *array.shape), np.uint8)
        if array.shape != images.shape[1:]:
            raise SephwError(
                f"{tree.label}: image '{path}' is {array.shape[0]}x{array.shape[1]} but the first "
                f"one is {images.shape[1]}x{images.shape[2]}; give a size to bring them to one"
            )
        images[i] = array
        if progress is not None and (i % 500 == 0 or i + 1 == len(tree.files)):
            progress(i + 1, len(tree.files))
    assert images is not None  # _open_tree refuses an empty tree
    return Split(images, labels)


def _companion(path: Path) -> Path | None:
    """The test file or folder beside a training one: its name with 'train' replaced by 'test'."""
    found = list(re.finditer("train", path.name))
    if not found:
        return None
    start, end = found[-1].span()
    beside = path.with_name(f"{path.name[:start]}test{path.name[end:]}")
    return beside if beside.exists() else None


def load_image_tree(
    path: Path,
    *,
    seed: int,
    size: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """A folder or zip of CLASS/FILE images.

    The test split is, in this order: a `test` folder beside a `train` folder inside `path`; the
    file or folder whose name has 'test' where `path` has 'train'; one fifth of the images, drawn
    by `seed`. `size` (height, width) resizes every image; without it all must be of one size.
    """
    tree = _open_tree(path)
    inner, beside = tree.below(*TRAIN_NAMES), _companion(path)
    test_tree: _Tree | None = None
    if inner is not None and tree.below(*TEST_NAMES) is not None:
        tree, test_tree = inner, tree.below(*TEST_NAMES)
    elif beside is not None:
        test_tree = _open_tree(beside)
    classes = tuple(sorted({_class_of(tree, p) for p in tree.files}))
    if len(classes) < 2:
        raise SephwError(f"{path}: only one class ('{classes[0]}'); at least two are needed")
    pool = cached_file(path, size, "train", lambda: _decode(tree, classes, size, progress))
    test: Split | None = None
    if test_tree is not None:
        held = test_tree
        extra = sorted({_class_of(held, p) for p in held.files} - set(classes))
        if extra:
            raise SephwError(f"{held.label}: class '{extra[0]}' has no training images")
        test = cached_file(
            beside or path, size, "test", lambda: _decode(held, classes, size, progress)
        )
    name = re.sub(r"[-_. ]?train(ing)?$", "", path.stem if path.is_file() else path.name)
    return assemble(
        name or "images",
        pool,
        test,
        classes,
        seed=seed,
        source=f"images in {path.name}" + (f" and {beside.name}" if test and beside else ""),
        licence="not stated",
    )
