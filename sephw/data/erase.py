"""What cutout puts over a part of an image (arXiv 1708.04552)."""

from __future__ import annotations

# Middle of uint8.
GREY = 128


def half_side(height: int) -> int:
    """Half the side in pixels of the square that hides a part of an image: an eighth of it."""
    return max(1, height // 8)
