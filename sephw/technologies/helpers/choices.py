"""LUTs that choose one of several bits, by the multiplexers that stand behind the LUTs."""

from __future__ import annotations

# LUTs of rtl/sephw_part_select.sv by the bits of a group.
_EIGHTH = (0, 0, 1, 2, 2, 4, 4, 4, 4)


def by_luts(count: int) -> int:
    """Without multiplexers: each LUT leaves one bit less."""
    return count - 1


def by_eights(count: int) -> int:
    """Four LUTs of four inputs and their multiplexers choose one of eight."""
    luts = 0
    while count > 1:
        luts += sum(_EIGHTH[min(8, count - first)] for first in range(0, count, 8))
        count = -(-count // 8)
    return luts


def by_sixteens(count: int) -> int:
    """Four LUTs of six inputs and their multiplexers choose one of sixteen."""
    luts = 0
    while count > 1:
        luts += -(-count // 4)
        count = -(-count // 16)
    return luts


__all__ = ["by_eights", "by_luts", "by_sixteens"]
