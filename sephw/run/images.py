"""The images that a person gives to `sephw run`: an array, picture files, or a folder of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.files import read_array
from sephw.files.images import ENDINGS
from sephw.host import Description, DescriptionError, ImageError


@dataclass(frozen=True, eq=False)
class GivenImages:
    """Images uint8 (N, H, W, C), a name for each, and lines on conversions.

    `labels`: the class name that an image's folder gives, None where it gives none.
    """

    images: NDArray[np.uint8]
    names: tuple[str, ...]
    labels: tuple[str | None, ...]
    notes: tuple[str, ...] = ()


def read_given(path: Path, known: Description) -> GivenImages:
    """Read an .npy file, one picture, or a folder with pictures, in CLASS/FILE or not.

    Pictures are converted to the network's channels and size as in its training. Raises ImageError
    naming an unusable file.
    """
    if not path.exists():
        raise ImageError(f"'{path}': no such file or folder; check the path")
    if path.is_dir():
        return _pictures(path, _files(path), known)
    if path.suffix.lower() in ENDINGS:
        return _pictures(path.parent, [path], known)
    images = read_images(path, known)
    names = tuple(f"image {i}" for i in range(len(images)))
    return GivenImages(images, names, (None,) * len(images))


def read_images(path: Path, known: Description) -> NDArray[np.uint8]:
    """uint8 (N, H, W, C) from an .npy file. Raises ImageError where it holds something else."""
    images = read_array(
        path,
        f"'{path}'",
        f"give an .npy file, a picture ({', '.join(ENDINGS)}) or a folder",
        error=DescriptionError,
    )
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != known.image_shape:
        raise ImageError(
            f"'{path}' holds {images.dtype} {images.shape}; '{known.name}' takes uint8 "
            f"(N, {', '.join(map(str, known.image_shape))})"
        )
    return images


def _files(folder: Path) -> list[Path]:
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in ENDINGS and not path.name.startswith(".") and path.is_file()
    )
    if not found:
        raise ImageError(f"'{folder}' holds no pictures; their names end in {', '.join(ENDINGS)}")
    return found


def _pictures(folder: Path, paths: list[Path], known: Description) -> GivenImages:
    try:
        import PIL  # noqa: F401 - what reads them

        from sephw.files.picture import ConversionCounts, read_picture
    except ImportError:
        raise ImageError(
            f"'{paths[0]}': pictures need Pillow; install it with 'pip install pillow'"
        ) from None
    height, width, channels = known.image_shape
    if channels not in (1, 3):
        raise ImageError(
            f"'{paths[0]}': '{known.name}' takes {channels} channels, pictures have 1 or 3; give "
            "an .npy file"
        )
    images = np.empty((len(paths), height, width, channels), np.uint8)
    tally = ConversionCounts()
    for i, path in enumerate(paths):
        try:
            picture = read_picture(path).resized(height, width, known.resize)
        except SephwError as error:
            text = str(error)
            why = text if text.startswith("cannot") else f"is of {text}"
            raise ImageError(f"'{path}' {why}") from None
        picture = picture.in_channels(channels)
        images[i] = picture.pixels()
        tally.add(path.name, picture.conversions)
    names = tuple(path.relative_to(folder).as_posix() for path in paths)
    labels = tuple(
        path.parent.name if path.parent.name in known.class_names else None for path in paths
    )
    return GivenImages(images, names, labels, tally.notes())
