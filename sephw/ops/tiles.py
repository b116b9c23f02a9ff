"""The buffers around a convolution whose streamed weights serve tiles of several pixels."""

from __future__ import annotations

import numpy as np

from sephw.ir import Folding, Integers, IntType, Shape
from sephw.ops.tile_buffer import TileBuffer


def tile_buffers(
    folding: Folding,
    tile: int,
    groups: int,
    window: tuple[Shape, IntType],
    weight: IntType,
    made: tuple[Shape, IntType],
    values: Integers | None,
) -> tuple[TileBuffer, TileBuffer, TileBuffer]:
    """(of windows before input 0, of words before the weights, of sums behind the output).

    ``tile``: pixels of a tile. ``window`` and ``made``: (height, width, channels) and type of what
    the convolution of ``groups`` reads and makes. ``values`` int64 (weights,): the words in the
    order of their stream; None: not known.
    """
    pe, simd = folding.pe, folding.simd
    (height, width, inputs), (_, _, outputs) = window[0], made[0]
    words, beats = outputs // pe, inputs // (groups * simd)
    weights = outputs * inputs // groups
    tiles = height * width // tile
    none = np.zeros(0, np.int64)
    return (
        TileBuffer(
            height=height,
            width=width,
            channels=inputs,
            dtype=window[1],
            lanes=simd,
            rows=tile,
            columns=groups,
            run=beats,
            repeats=words // groups,
            paced=0,
            output_height=tiles,
            output_width=1,
            output_channels=words // groups * tile * inputs,
            values=none,
        ),
        TileBuffer(
            height=tiles,
            width=1,
            channels=weights,
            dtype=weight,
            lanes=pe * simd,
            rows=1,
            columns=1,
            run=beats,
            repeats=tile,
            paced=1,
            output_height=tiles,
            output_width=1,
            output_channels=tile * weights,
            values=none if values is None else values,
        ),
        TileBuffer(
            height=tiles,
            width=1,
            channels=tile * outputs,
            dtype=made[1],
            lanes=pe,
            rows=words,
            columns=tile,
            run=1,
            repeats=1,
            paced=0,
            output_height=height,
            output_width=width,
            output_channels=outputs,
            values=none,
        ),
    )
