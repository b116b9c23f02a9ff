"""Image files: an allow-list of decoded formats, sizes checked first, no program run."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

from sephw.errors import SephwError
from sephw.files.reading import read_bytes

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
"""Decoded inside the process, whatever a file's name says. Pillow hands EPS to a program."""
ENDINGS = (
    ".png",
    ".jpg",
    ".jpeg",
    ".bmp",
    ".gif",
    ".ppm",
    ".pgm",
    ".tif",
    ".tiff",
    ".webp",
)
"""Of file names that are taken for images."""
MOST_FILE_BYTES = 256 << 20
MOST_PIXELS = 100_000_000
"""Of one image; 300 MB of colours."""


def open_image(source: Path | bytes) -> Any:
    """The image (Pillow's, not decoded yet: ``load`` does that) of a file or of its content.

    Raises SephwError, its text an object's ("cannot be decoded …"), where it is no regular file,
    too large, in none of `FORMATS`, or of more than `MOST_PIXELS` pixels. Decoding may raise
    anything.
    """
    from PIL import Image, UnidentifiedImageError

    if isinstance(source, Path):
        source = read_bytes(source, "cannot be decoded", most_bytes=MOST_FILE_BYTES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(source), formats=FORMATS)
        except UnidentifiedImageError:
            raise SephwError(
                f"cannot be decoded (no image of the formats {', '.join(FORMATS)})"
            ) from None
    if image.width * image.height > MOST_PIXELS:
        raise SephwError(
            f"cannot be decoded (it has {image.width:,} x {image.height:,} pixels, more than the "
            f"{MOST_PIXELS:,} that are)"
        )
    return image
