"""Image folders and zips laid out CLASS/FILE."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from sephw.data.cache import Decoded, cached_files
from sephw.data.dataset import Dataset, Images, Origin, Split, assemble
from sephw.errors import SephwError
from sephw.files.archives import Archive
from sephw.files.images import ENDINGS, MOST_FILE_BYTES
from sephw.files.picture import Conversion, ConversionCounts, Picture, read_picture

TRAIN_NAMES, TEST_NAMES = ("train", "training"), ("test", "testing")
_MOST_SAMPLED_FILES = 300  # where a message needs no more

# Of all images of a set, decoded: they are kept in memory.
MOST_DECODED_BYTES = 2 << 30
_MOST_PACKED_BYTES = 8 << 30

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Tree:
    """The image files of one folder or zip: their paths inside it, and a function that reads one.

    `others` are paths of files that are no images by their names, `folders` the names of the
    folders on the first level.
    """

    label: str
    files: tuple[PurePosixPath, ...]
    others: tuple[PurePosixPath, ...]
    folders: tuple[str, ...]
    read: Callable[[PurePosixPath], bytes | Path]

    def below(self, *names: str) -> _Tree | None:
        """The part under the first-level folder called one of `names`, with that level gone."""

        def inside(paths: Iterable[PurePosixPath]) -> dict[PurePosixPath, PurePosixPath]:
            deep = [p for p in paths if len(p.parts) > 1 and p.parts[0].lower() in names]
            return {PurePosixPath(*p.parts[1:]): p for p in deep}

        top, folders = inside(self.files), inside(map(PurePosixPath, self.folders))
        if not top:
            return None
        read = self.read
        return _Tree(
            f"{self.label}/{names[0]}",
            tuple(sorted(top)),
            tuple(inside(self.others)),
            tuple(map(str, folders)),
            lambda p: read(top[p]),
        )

    def first_level(self) -> set[str]:
        """The names of the first-level folders that should be classes."""
        return {PurePosixPath(name).parts[0] for name in self.folders}

    def left_out(self) -> list[str]:
        """A line on the ignored files beside the images, by ending."""
        beside = [p for p in self.others if len(p.parts) == 2]
        if not beside:
            return []
        endings = sorted({p.suffix.lower() or "no ending" for p in beside})
        return [
            f"files of {self.label} that are left out: {len(beside):,} (ending in "
            f"{', '.join(endings[:6])}), such as '{beside[0]}'"
        ]


def _build_tree(
    label: str, names: Iterable[str], read: Callable[[PurePosixPath], bytes | Path]
) -> _Tree:
    """The tree of the given paths, in which a folder's ends in a slash."""
    kept = [
        (PurePosixPath(name), name.endswith("/"))
        for name in names
        if not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)
    ]
    files = sorted(path for path, is_folder in kept if not is_folder)
    folders = {str(path) for path, is_folder in kept if is_folder}
    folders |= {str(parent) for path in files for parent in path.parents if parent.parts}
    return _Tree(
        label,
        tuple(p for p in files if p.suffix.lower() in ENDINGS),
        tuple(p for p in files if p.suffix.lower() not in ENDINGS),
        tuple(sorted(folders)),
        read,
    )


def _open_tree(path: Path) -> _Tree:
    if path.is_dir():
        names = [
            p.relative_to(path).as_posix() + ("/" if p.is_dir() else "") for p in path.rglob("*")
        ]
        tree = _build_tree(str(path), names, lambda p: path / p)
    else:
        archive = Archive(path, str(path), MOST_FILE_BYTES, _MOST_PACKED_BYTES)
        names = [*archive.names, *archive.folders]
        tree = _build_tree(str(path), names, lambda p: archive.read(str(p)))
    if not tree.files:
        raise SephwError(
            f"{path}: no images found; expected CLASS/FILE with files ending in "
            f"{', '.join(ENDINGS)}"
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


@dataclass(frozen=True)
class ImageForm:
    """The format that images are converted to.

    `channels` or `size` None: the images' own. `resize` ('bilinear' or 'pad') is the method that
    reaches `size` (height, width).
    """

    channels: int | None = None
    size: tuple[int, int] | None = None
    resize: str = "bilinear"


def _decode(
    trees: Sequence[_Tree], classes: tuple[str, ...], form: ImageForm, progress: Progress | None
) -> Decoded:
    """Decode every image of `trees`, one after the other.

    Without `form.channels` they get three channels where one of them is in colour, else one.
    """
    files = [(tree, path) for tree in trees for path in tree.files]
    labels = np.array([classes.index(_class_of(tree, path)) for tree, path in files], np.int64)
    images: Images | None = None
    tally = ConversionCounts()
    grey: list[str] = []
    for i, (tree, path) in enumerate(files):
        picture = _read(tree, path, form)
        height, width = picture.image.height, picture.image.width
        if images is None:
            _check_memory(files, height * width * picture.channels)
            images = np.empty((len(files), height, width, picture.channels), np.uint8)
        if (height, width) != images.shape[1:3]:
            raise SephwError(_sizes(files))
        if picture.channels > images.shape[3]:
            _check_memory(files, height * width * picture.channels)
            images = np.repeat(images, 3, axis=3)  # grey so far
        if picture.channels == 1:
            grey.append(str(path))
        tally.add(str(path), picture.conversions)
        images[i] = picture.pixels()
        if progress is not None:
            progress(i + 1, len(files))
    assert images is not None  # _open_tree refuses an empty tree
    if images.shape[3] == 3 and grey:
        tally.found[Conversion.GREY_TO_RGB] += len(grey)
        tally.examples.setdefault(Conversion.GREY_TO_RGB, grey[0])
    return Decoded(Split(images, labels), tally.notes())


def _check_memory(files: Sequence[tuple[_Tree, PurePosixPath]], image_bytes: int) -> None:
    total = len(files) * image_bytes
    if total > MOST_DECODED_BYTES:
        raise SephwError(
            f"{files[0][0].label}: {len(files):,} images of {image_bytes:,} bytes are {total:,} "
            f"decoded, more than the {MOST_DECODED_BYTES:,} that are kept in memory; give a "
            "smaller size, or a folder with train/ and val/, which is read image by image"
        )


def _read(tree: _Tree, path: PurePosixPath, form: ImageForm) -> Picture:
    try:
        content = tree.read(path)
        picture = read_picture(content if isinstance(content, Path) else lambda: content)
        if form.size is not None:
            picture = picture.resized(*form.size, form.resize)
    except SephwError as error:
        raise SephwError(f"{tree.label}: image '{path}' {_sentence(error)}") from None
    return picture if form.channels is None else picture.in_channels(form.channels)


def _sentence(error: SephwError) -> str:
    text = str(error)
    return text if text.startswith("cannot") else f"is of {text}"


def _sizes(files: Sequence[tuple[_Tree, PurePosixPath]]) -> str:
    """A message on images of several sizes, from a sample of them."""
    looked = files[:: 1 + len(files) // _MOST_SAMPLED_FILES]
    found: dict[tuple[int, int], list[str]] = {}
    for tree, path in looked:
        image = _read(tree, path, ImageForm()).image
        found.setdefault((image.height, image.width), []).append(str(path))
    (height, width), names = max(found.items(), key=lambda item: (len(item[1]), item[0]))
    return (
        f"{files[0][0].label}: the images are of several sizes, {len(names):,} of "
        f"{len(looked):,} looked at of {height}x{width}; bring them to one, or train with "
        f"--resize bilinear --set height={height} --set width={width}"
    )


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
    form: ImageForm = ImageForm(),
    progress: Progress | None = None,
) -> Dataset:
    """Load a folder or zip of CLASS/FILE images, converted to `form`.

    The test split is, in this order: a `test` folder beside a `train` folder inside `path`; the
    file or folder whose name has 'test' where `path` has 'train'; one fifth of the images, drawn by
    `seed`. Without a size in `form` all images must be of one size.
    """
    tree = _open_tree(path)
    inner, beside = tree.below(*TRAIN_NAMES), _companion(path)
    test_tree: _Tree | None = None
    if inner is not None and tree.below(*TEST_NAMES) is not None:
        tree, test_tree, beside = inner, tree.below(*TEST_NAMES), None
    elif beside is not None:
        test_tree = _open_tree(beside)
    classes = _classes(path, tree)
    notes = list(tree.left_out())
    if test_tree is not None:
        extra = sorted({_class_of(test_tree, p) for p in test_tree.files} - set(classes))
        if extra:
            raise SephwError(f"{test_tree.label}: class '{extra[0]}' has no training images")
        missing = sorted(set(classes) - {_class_of(test_tree, p) for p in test_tree.files})
        notes += test_tree.left_out()
        notes += [f"class '{name}' has no test images" for name in missing]
    trees = (tree,) if test_tree is None else (tree, test_tree)
    held = cached_files(
        (path,) if beside is None else (path, beside),
        form,
        lambda: _decode(trees, classes, form, progress),
    )
    count = len(tree.files)
    images, labels = held.split.images, held.split.labels
    test = None if test_tree is None else Split(images[count:], labels[count:])
    name = re.sub(r"[-_. ]?train(ing)?$", "", path.stem if path.is_file() else path.name)
    origin = Origin(
        name or "images",
        classes,
        f"images in {path.name}" + (f" and {beside.name}" if beside else ""),
        "not stated",
        (*notes, *held.notes),
    )
    return assemble(origin, Split(images[:count], labels[:count]), test, seed=seed)


def _classes(path: Path, tree: _Tree) -> tuple[str, ...]:
    """The names of the classes.

    Raises SephwError for a folder without images, and for a single class.
    """
    classes = tuple(sorted({_class_of(tree, p) for p in tree.files}))
    empty = sorted(tree.first_level() - set(classes))
    if empty:
        raise SephwError(
            f"{tree.label}: class '{empty[0]}' has no images (names ending in "
            f"{', '.join(ENDINGS)}); add some, or remove the folder"
        )
    if len(classes) < 2:
        raise SephwError(
            f"{path}: only one class ('{classes[0]}'); at least two are needed, each a folder of "
            "its own"
        )
    return classes
