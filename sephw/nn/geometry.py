"""The windows that the engines compute: one rule for layers, pools and rewritten networks."""

from __future__ import annotations

from sephw.exact_sums import averages_are_exact

Size = int | tuple[int, int]


def pair(size: Size) -> tuple[int, int]:
    """(vertical, horizontal)."""
    return (size, size) if isinstance(size, int) else (size[0], size[-1])


def padding_fault(kernel: Size, padding: Size) -> str | None:
    """The reason why ``padding`` cannot go with ``kernel``, with a fix; None where it can."""
    sides = zip(("rows", "columns"), pair(kernel), pair(padding), strict=True)
    for what, length, zeros in sides:
        if not 0 <= zeros < length:
            return (
                f"a padding of {zeros} {what} for a kernel of {length}; windows outside the map "
                f"compute nothing, use at most {length - 1}"
            )
    return None


def average_is_exact(pixels: int, top: int) -> bool:
    """Whether float32 gives (Σ / pixels) · pixels = Σ for every sum 0..pixels·top."""
    return averages_are_exact(pixels, pixels, 0, pixels * top)
