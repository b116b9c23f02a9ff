"""Augmentation of a whole batch at once, on uint8 tensors in memory."""

from __future__ import annotations

from typing import Any

from sephw.data.erase import GREY, half_side


def crop_margin(height: int) -> int:
    """Pixels of zeros around an image before it is cropped: 4 for 32×32, 2 for 28×28, 1 for 8×8."""
    return 4 if height >= 32 else 2 if height >= 16 else 1


def augmented(images: Any, augment: str, generator: Any) -> Any:
    """Randomly shifted (zeros enter), mirrored and partly erased copies of uint8 (N, C, H, W).

    `augment` is none, or some of crop, flip and erase; the shift is uniform within ±`crop_margin`,
    the centre of the erased square uniform over the image (cutout, arXiv 1708.04552). Same shape
    and dtype.
    """
    import torch
    from torch.nn import functional

    if augment == "none":
        return images
    count, _, height, width = images.shape
    rows = torch.arange(height).expand(count, height)
    columns = torch.arange(width).expand(count, width)
    if "flip" in augment:
        mirror = torch.rand(count, 1, generator=generator) < 0.5
        columns = torch.where(mirror, width - 1 - columns, columns)
    if "crop" in augment:
        margin = crop_margin(height)
        images = functional.pad(images, (margin,) * 4)
        shift = torch.randint(0, 2 * margin + 1, (2, count, 1), generator=generator)
        rows, columns = rows + shift[0], columns + shift[1]
    device = images.device
    sample = torch.arange(count, device=device)[:, None, None]
    # Indices at the ends of the subscript put the channels last: (N, H, W, C).
    picked = images[sample, :, rows.to(device)[:, :, None], columns.to(device)[:, None, :]]
    moved = picked.permute(0, 3, 1, 2)
    return _erased(moved, generator) if "erase" in augment else moved


def _erased(images: Any, generator: Any) -> Any:
    """A square of each image becomes grey; at the border only what lies inside."""
    import torch

    count, _, height, width = images.shape
    half = half_side(height)
    row = torch.randint(0, height, (count, 1), generator=generator)
    column = torch.randint(0, width, (count, 1), generator=generator)
    rows, columns = torch.arange(height), torch.arange(width)
    tall = (rows >= row - half) & (rows < row + half)
    wide = (columns >= column - half) & (columns < column + half)
    inside = tall[:, None, :, None] & wide[:, None, None, :]
    return images.masked_fill(inside.to(images.device), GREY)
