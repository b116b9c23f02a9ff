"""Validation of calibration images: scales must be chosen from the network's real input."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sephw.errors import SephwError

# Of a DataLoader; more of them choose the same scales.
MOST_IMAGES = 2048
_FIX = "give uint8 images, or floats of uint8 / 256"


def calibration_images(images: Any, shape: tuple[int, int, int] | None) -> Tensor:
    """uint8 (N, C, H, W) on the CPU of whatever holds images.

    Taken: tensors and NumPy arrays, uint8, or floats in 0..1, which become floor(256·x), so that
    k/256 and torchvision's k/255 are k; (N, C, H, W), (N, H, W, C), one image, (N, H, W) of one
    channel; and DataLoaders, data sets and lists of them or of (images, labels), of which the
    first 2,048 images count. ``shape`` (channels, height, width) is the network's; None: unknown.
    Raises SephwError for everything else, and for NaN, negative, empty or black images.
    """
    if isinstance(images, Tensor | np.ndarray):
        return _checked(images, shape)
    # Data sets have no __iter__, but can be iterated.
    several = isinstance(images, Iterable) or hasattr(images, "__getitem__")
    if isinstance(images, str | bytes | Mapping) or not several:
        raise _refused(f"{type(images).__name__} holds no images", _KINDS)
    found: list[Tensor] = []
    count = 0
    for batch in iter(images):
        inner = batch[0] if isinstance(batch, list | tuple) and batch else batch
        if not isinstance(inner, Tensor | np.ndarray):
            raise _refused(f"a batch holds {type(inner).__name__}", _KINDS)
        found.append(_checked(inner, shape, black=True))
        count += len(found[-1])
        if count >= MOST_IMAGES:
            break
    if not found:
        raise _refused("there are none", "give some training images")
    if len({part.shape[1:] for part in found}) > 1:
        raise _refused("they differ in size", "resize them to the network's")
    joined = torch.cat(found)[:MOST_IMAGES]
    _check_black(joined)
    return joined


_KINDS = "give a tensor, a NumPy array, or a DataLoader of (images, labels)"


def _refused(reason: str, fix: str) -> SephwError:
    return SephwError(f"calibration images: {reason}; {fix}")


def _checked(
    images: Tensor | np.ndarray[Any, Any], shape: tuple[int, int, int] | None, black: bool = False
) -> Tensor:
    name = str(images.dtype).removeprefix("torch.")
    if isinstance(images, np.ndarray):
        if images.dtype.kind not in "uif" or images.dtype.byteorder == ">":
            raise _refused(f"are {name}", _FIX)
        images = torch.from_numpy(np.ascontiguousarray(images))
    if images.layout is not torch.strided or images.is_meta or images.is_quantized:
        raise _refused("are no plain tensor", _FIX)
    images = images.detach().cpu()
    if images.numel() == 0:
        raise _refused(f"there are none, their shape is {tuple(images.shape)}", "give some")
    images = _placed(images, shape)
    if images.dtype is not torch.uint8:
        if not images.is_floating_point():
            raise _refused(f"are {name}", _FIX)
        images = _integers(images)
    if not black:
        _check_black(images)
    return images


def _integers(images: Tensor) -> Tensor:
    finite = torch.isfinite(images).flatten(1).all(dim=1)
    if not bool(finite.all()):
        raise _refused(f"image {int((~finite).nonzero()[0])} holds NaN or infinity", "leave it out")
    low, high = float(images.min()), float(images.max())
    if low < 0:
        raise _refused(
            f"hold {low:g}; the network's input is never negative", f"{_FIX}, before normalization"
        )
    if high > 1:
        raise _refused(f"hold {high:g}; the network's input is at most 255/256", _FIX)
    return torch.clamp(torch.floor(images.float() * 256), max=255).to(torch.uint8)


def _check_black(images: Tensor) -> None:
    if int(images.max()) <= 1:
        raise _refused("are all black; perhaps they are divided by 255 twice", _FIX)


def _placed(images: Tensor, shape: tuple[int, int, int] | None) -> Tensor:
    """The images as (N, C, H, W)."""
    given = tuple(images.shape)
    if shape is None:
        if len(given) == 4:
            return images
        raise _refused(f"have shape {given}", "give (N, C, H, W)")
    channels, height, width = shape
    whole = (height, width, channels)
    if given[1:] == shape:
        return images
    if given[1:] == whole:
        return images.permute(0, 3, 1, 2).contiguous()
    if given == shape:
        return images[None]
    if given == whole:
        return images.permute(2, 0, 1)[None].contiguous()
    if channels == 1 and given[1:] == (height, width):
        return images[:, None]
    if given == (height, width) and channels == 1:
        return images[None, None]
    raise _refused(
        f"have shape {given}; the network takes {channels} channels of {height}×{width}",
        f"give (N, {channels}, {height}, {width}) or (N, {height}, {width}, {channels})",
    )
