"""Preprocessing of a data set's uint8 images to a network's input, as a checkpoint records it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.files import build

RESIZES = ("none", "bilinear", "pad", "crop")


@dataclass(frozen=True)
class Preprocessing:
    """The input format of a network, and the method that brings other images to its size.

    `resize`: 'none' (refuse other sizes), 'bilinear', 'pad' (zeros around, centred), or 'crop'
    (shorter side to 8/7 of the size, centre cut out: what `folders.read_centre` does to files;
    images in memory must have the size already). `input_bits`: bits per input value; with 8, the
    value is uint8 / 256.
    """

    height: int
    width: int
    channels: int
    resize: str = "none"
    input_bits: int = 8

    def __post_init__(self) -> None:
        if self.resize not in RESIZES:
            raise SephwError(
                f"preprocessing: resize '{self.resize}' is unknown; use one of {', '.join(RESIZES)}"
            )
        if self.input_bits != 8:
            raise SephwError(
                f"preprocessing: input_bits {self.input_bits} is not supported; images have 8 bits"
            )
        if min(self.height, self.width, self.channels) < 1:
            raise SephwError(
                f"preprocessing: input {self.height}x{self.width}x{self.channels} is empty; "
                "every extent must be at least 1"
            )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as a checkpoint stores them."""
        return asdict(self)

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Preprocessing:
        """Read a checkpoint's plain values. Raises SephwError naming an unknown or missing key."""
        known = {"height": int, "width": int, "channels": int, "resize": str, "input_bits": int}
        for key, value in values.items():
            if key not in known:
                raise SephwError(f"preprocessing: unknown key '{key}'; known: {', '.join(known)}")
            if not isinstance(value, known[key]):
                raise SephwError(f"preprocessing: {key} must be {known[key].__name__}: {value!r}")
        for key in ("height", "width", "channels"):
            if key not in values:
                raise SephwError(f"preprocessing: '{key}' is missing")
        try:
            return build(Preprocessing, values)
        except ValueError as error:
            raise SephwError(f"preprocessing: {error}") from None


def preprocess(
    images: NDArray[np.uint8], preprocessing: Preprocessing | Mapping[str, Any]
) -> NDArray[np.uint8]:
    """Bring uint8 (N, H, W, C) images to the network's size; the result is uint8 as well.

    The network's float input is this divided by 256. Raises SephwError where the channels differ,
    where the size differs and `resize` is 'none', or where an image is too large to pad.
    """
    if not isinstance(preprocessing, Preprocessing):
        preprocessing = Preprocessing.from_dict(preprocessing)
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4:
        raise SephwError(
            f"images of type {images.dtype} and shape {images.shape}: "
            "preprocessing takes uint8 images in (N, H, W, C) order"
        )
    height, width = preprocessing.height, preprocessing.width
    channels = preprocessing.channels
    if images.shape[3] != channels:
        raise SephwError(
            f"images have {images.shape[3]} channel(s) but the network takes {channels}; "
            "use data with as many channels as the network was trained on"
        )
    if images.shape[1:3] == (height, width):
        return images
    have = f"{images.shape[1]}x{images.shape[2]}"
    if preprocessing.resize == "bilinear":
        return _resize(images, height, width)
    if preprocessing.resize == "pad":
        return _pad(images, height, width)
    raise SephwError(
        f"images are {have} but the network takes {height}x{width} and its preprocessing does "
        "not resize; use images of that size or train with --resize bilinear or pad"
    )


def _resize(images: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    from PIL import Image

    out = np.empty((len(images), height, width, images.shape[3]), np.uint8)
    for i, image in enumerate(images):
        for c in range(images.shape[3]):
            plane = Image.fromarray(np.ascontiguousarray(image[:, :, c]))
            out[i, :, :, c] = np.asarray(plane.resize((width, height), Image.Resampling.BILINEAR))
    return out


def _pad(images: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    top, left = height - images.shape[1], width - images.shape[2]
    if top < 0 or left < 0:
        raise SephwError(
            f"images are {images.shape[1]}x{images.shape[2]}, larger than the network's "
            f"{height}x{width}: they cannot be padded; train with --resize bilinear"
        )
    rows, columns = (top // 2, top - top // 2), (left // 2, left - left // 2)
    return np.pad(images, ((0, 0), rows, columns, (0, 0)))
