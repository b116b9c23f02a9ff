"""How synthesis cuts products: blocks that Yosys was seen to use, parts worked out by hand."""

import pytest

from sephw.ir import MultiplierPart
from sephw.resources.blocks import ProductMapping, map_product
from sephw.technologies import ECP5, GOWIN, ICE40, XC7


@pytest.mark.parametrize(
    ("technology", "bits", "found"),
    [
        (ICE40, (16, 8), ProductMapping(1)),
        # 16 × 5 in a block, 4 × 5 in LUTs, added above the low 16 bits.
        (ICE40, (20, 5), ProductMapping(1, logic=((5, 4, 9),), sums=(9,))),
        # Four parts, of which the last gives fewer than 11 bits.
        (ICE40, (19, 20), ProductMapping(3, logic=((4, 3, 7),), sums=(19, 7, 23))),
        (ICE40, (33, 5), ProductMapping(2, logic=((5, 1, 6),), sums=(22, 6))),
        # Too small for a block.
        (ICE40, (5, 4), ProductMapping(0, logic=((5, 4, 9),))),
        (ECP5, (20, 5), ProductMapping(2, sums=(7,))),
        # The last part is the sign alone.
        (ECP5, (37, 18), ProductMapping(2, logic=((18, 1, 19),), sums=(37, 19))),
        (ECP5, (19, 19), ProductMapping(1, logic=((18, 1, 19), (19, 1, 20)), sums=(19, 20))),
        # The wider operand may have 25 bits; parts of it have 17 and a 0 for a sign.
        (XC7, (25, 18), ProductMapping(1)),
        (XC7, (30, 18), ProductMapping(2, sums=(31,))),
        (XC7, (26, 5), ProductMapping(2, sums=(14,))),
        # Half of a multiplier, a whole one, LUTs.
        (GOWIN, (9, 8), ProductMapping(1)),
        (GOWIN, (10, 4), ProductMapping(2)),
        (GOWIN, (18, 3), ProductMapping(0, logic=((18, 3, 21),))),
        # 18 × 5 in a whole one, 2 × 5 in LUTs.
        (GOWIN, (20, 5), ProductMapping(2, logic=((5, 2, 7),), sums=(7,))),
    ],
)
def test_parts_of_products(technology, bits, found):
    for a, b in (bits, bits[::-1]):
        assert map_product(MultiplierPart(1, a, b, a + b), technology) == found
