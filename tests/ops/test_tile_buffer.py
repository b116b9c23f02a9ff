"""What a TileBuffer, and a StreamedConv of tiles, refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sephw.errors import SephwError
from sephw.ir import Folding, IntType
from sephw.ops import Conv8, Select, StreamedConv, TileBuffer, WeightPlace

BUFFER = TileBuffer(
    height=2,
    width=1,
    channels=12,
    dtype=IntType(8, False),
    lanes=2,
    rows=1,
    columns=1,
    run=3,
    repeats=2,
    paced=1,
    output_height=2,
    output_width=1,
    output_channels=24,
    values=np.arange(12),
)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"repeats": 0}, "TileBuffer: repeats=0; it must be at least 1"),
        ({"paced": 2}, "TileBuffer: paced=2; it must be 0 or 1"),
        (
            {"run": 5},
            "TileBuffer: blocks of 10 elements do not divide the 24 of the input",
        ),
        (
            {"output_height": 1},
            "TileBuffer: the output has 24 elements; 2 times the input are 48",
        ),
        ({"values": np.arange(3)}, "TileBuffer: values have shape (3,), not (12,)"),
    ],
)
def test_shapes_that_do_not_fit(changed, message) -> None:
    with pytest.raises(SephwError) as error:
        replace(BUFFER, **changed)
    assert str(error.value) == message


def test_other_values_than_those_known() -> None:
    right = np.broadcast_to(np.arange(12), (1, 2, 1, 12))
    (made,) = BUFFER.reference(right)
    assert made[0, 0, 0].tolist() == [*range(6), *range(6), *range(6, 12), *range(6, 12)]
    wrong = right.copy()
    wrong[0, 1, 0, 11] += 1
    with pytest.raises(SephwError) as error:
        BUFFER.reference(wrong)
    assert str(error.value) == "TileBuffer: input 0 brings other values than the operator has"


def test_groups_that_are_no_tiles() -> None:
    layer = Conv8(
        height=2,
        width=2,
        in_channels=4,
        out_channels=6,
        input_dtype=IntType(8, False),
        weights=np.ones((6, 4), np.int64),
    )
    tiled = StreamedConv.from_convolution(
        layer, Folding(2, 4, Select(weights=WeightPlace.STREAM, tile_pixels=4))
    )
    assert (tiled.groups, tiled.group_outputs) == (12, 2)
    with pytest.raises(SephwError) as error:
        replace(tiled, tile_pixels=5)
    assert str(error.value) == (
        "StreamedConv: groups=12 of 2 outputs are not tiles of 5 pixels with pe=2"
    )
