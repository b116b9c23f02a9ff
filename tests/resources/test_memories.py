"""The rules by which Yosys maps memories, against mappings that Yosys was seen to make."""

import pytest

from sephw.ir import OutputPart
from sephw.resources.memories import map_fifo, map_memory
from sephw.technologies import ECP5, GOWIN, ICE40, XC7


@pytest.mark.parametrize(
    ("technology", "width", "depth", "writable", "kind", "count"),
    [
        # A shift of rows into LUT RAM: 16 words of 4 bits each, twice for 18 words.
        (ECP5, 32, 18, True, "DPR16X4", 16),
        (ECP5, 256, 8, True, "DPR16X4", 64),
        # 128 words of 64 constant bits: two blocks of 36 bits.
        (ECP5, 64, 128, False, "PDPW16KD", 2),
        # A line buffer of 288 bytes.
        (ECP5, 8, 288, True, "DP16KD", 1),
        (ECP5, 28, 3, False, None, 0),
        # iCE40 has no LUT RAM: 16 bits a block, or registers.
        (ICE40, 64, 8, True, "RAM4K byte enables", 4),
        (ICE40, 64, 128, False, "RAM4K", 4),
        (ICE40, 18, 2, True, None, 0),
        (XC7, 6, 32, True, "RAM32M", 1),
        (GOWIN, 5, 16, True, "RAM16SDP4", 2),
    ],
)
def test_memories_of_synthesized_engines(technology, width, depth, writable, kind, count):
    mapped = map_memory(technology, width, depth, writable)
    assert (mapped.ram.name if mapped.ram else None, mapped.count) == (kind, count)


@pytest.mark.parametrize(("width", "luts"), [(4, 4), (5, 5), (6, 6), (7, 8), (8, 8)])
def test_the_last_ram_of_a_row_is_as_narrow_as_gowin_has_them(width, luts):
    assert map_memory(GOWIN, width, 16, True).luts == luts
    assert map_memory(GOWIN, width, 32, True).luts == 2 * luts


@pytest.mark.parametrize(
    ("width", "depth", "kind", "count"),
    [
        (48, 2, None, 0),
        (48, 7, "DPR16X4", 12),
        # A beat of 1,152 bits: four deep it would fill 32 blocks by a 128th.
        (1152, 4, "DPR16X4", 288),
        (8, 512, "DPR16X4", 64),
        (72, 500, "PDPW16KD", 2),
    ],
)
def test_fifos_of_ecp5_follow_the_source(width, depth, kind, count):
    mapped = map_fifo(ECP5, OutputPart(width, depth + 1, 1))
    assert (mapped.ram.name if mapped.ram else None, mapped.count) == (kind, count)


def test_memories_without_a_changing_bit_take_nothing():
    mapped = map_memory(ECP5, 0, 64, False)
    assert (mapped.ram, mapped.blocks, mapped.luts, mapped.in_block) == (None, 0, 0, False)
