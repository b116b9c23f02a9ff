"""Cutout: a grey square over a part of an image (arXiv 1708.04552)."""

from __future__ import annotations

# Middle of uint8.
GREY = 128


def half_side(height: int) -> int:
    """Half the side of the erased square in pixels: an eighth of the image's height."""
    return max(1, height // 8)
