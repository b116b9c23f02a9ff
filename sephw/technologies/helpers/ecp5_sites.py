"""Where the block RAMs and multipliers of an ECP5 are."""

from __future__ import annotations

from sephw.technologies.routing import Floorplan, Site

MULTIPLIER, BLOCK_RAM = "MULT18X18D", "DP16KD"
# Between two groups of four blocks; the clock's spine lies between the halves of a row.
_PITCH, _SPINE, _FIRST = 9, 2, 4


def floorplan(
    groups: int,
    left: int,
    height: int,
    multiplier_rows: tuple[int, ...],
    ram_rows: tuple[int, ...],
) -> Floorplan:
    """The floorplan of a chip with rows of blocks.

    ``groups`` of four blocks lie in each row, ``left`` of them before the spine. ``height`` is in
    tiles; the rows by what they hold.
    """
    starts = [_FIRST + i * _PITCH + (_SPINE if i >= left else 0) for i in range(groups)]
    multipliers = [
        Site(f"X{x + k}/Y{y}/MULT18_{k}", x + k, y)
        for y in multiplier_rows
        for x in starts
        for k in (0, 1, 4, 5)
    ]
    rams = [
        Site(f"X{x + 2 * k}/Y{y}/EBR{k}", x + 2 * k, y)
        for y in ram_rows
        for x in starts
        for k in range(4)
    ]
    width = _FIRST + groups * _PITCH + _SPINE + 1
    return Floorplan(width, height, {MULTIPLIER: tuple(multipliers), BLOCK_RAM: tuple(rams)})


__all__ = ["BLOCK_RAM", "MULTIPLIER", "floorplan"]
