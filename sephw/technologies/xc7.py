"""AMD 7 series; UltraScale+ as well in estimates: the same LUT6, 18-Kbit RAMs and DSP slices.

Nothing from PyPI places and routes these: boards are built by the vendor's tools.
"""

from __future__ import annotations

import re
from pathlib import Path

from sephw.ir.resources import Resources
from sephw.ir.structure import MultiplierPart
from sephw.technologies.fabric import (
    Cells,
    Characterization,
    Dsp,
    InDsp,
    Logic,
    Ram,
    Rams,
    Recipe,
)
from sephw.technologies.helpers.choices import by_sixteens
from sephw.technologies.profile import Size, Technology


def _holds(part: MultiplierPart, constants: int) -> InDsp:
    """What is around a product, operands without a sign as well, and the sum of two."""
    registers = part.count * part.product_bits + part.a_registers + part.unpaired_register_bits
    # An operand b has two registers there.
    registers += 2 * part.b_registers + constants
    if part.sums is None:
        return InDsp(registers)
    return InDsp(registers + part.sums.count * part.sums.bits, (part.sums,))


XC7 = Technology(
    name="xc7",
    sizes=(
        Size("xc7z020", "xc7z020clg400-1", Resources(53200, 106400, 280, 220)),
        Size("xc7z045", "xc7z045ffg900-2", Resources(218600, 437200, 1090, 900)),
        Size("xczu3eg", "xczu3eg-sbva484-1-i", Resources(70560, 141120, 432, 360)),
        Size("xck26", "xck26-sfvc784-2LV-c", Resources(117120, 234240, 288, 1248)),
        Size("xczu7ev", "xczu7ev-ffvc1156-2-e", Resources(230400, 460800, 624, 1728)),
    ),
    cells=Cells(
        lut={
            "LUT1": 1,
            "LUT2": 1,
            "LUT3": 1,
            "LUT4": 1,
            "LUT5": 1,
            "LUT6": 1,
            "INV": 1,
            "SRL16E": 1,
            "SRLC32E": 1,
            "RAM32X1S": 1,
            "RAM64X1S": 1,
            "RAM128X1S": 2,
            "RAM256X1S": 4,
            "RAM512X1S": 8,
            "RAM32X1D": 2,
            "RAM64X1D": 2,
            "RAM128X1D": 4,
            "RAM32M": 4,
            "RAM64M": 4,
            "RAM32X16DR8": 8,
            "RAM32M16": 8,
            "RAM64M8": 8,
        },
        ff=re.compile(r"FD[RSCP]E"),
        bram={"RAMB18E1": 1, "RAMB36E1": 2},
        dsp={"DSP48E1": 1},
        carry="CARRY4",
        units="LUT: 6-input ones. BRAM: blocks of 18 Kbit. DSP: DSP slices.",
    ),
    logic=Logic(lut_inputs=6, small_sum_bits=2, choice_luts=by_sixteens, shift_registers=True),
    rams=Rams(
        (
            Ram("RAM32M", 5, (8,), 8, luts=4, cost_width=8, rom=False, one_address=True),
            Ram("RAM64X1S", 6, (4,), 8, luts=4, cost_width=8, rom=False, one_address=True),
            Ram("RAM128X1S", 7, (2,), 8, luts=4, cost_width=8, rom=False, one_address=True),
            Ram("RAM256X1S", 8, (1,), 8, luts=4, cost_width=8, rom=False, one_address=True),
            Ram("RAM32M", 5, (6,), 8, luts=4, cost_width=7, rom=False),
            Ram("RAM64M", 6, (3,), 8, luts=4, cost_width=7, rom=False),
            Ram("RAMB18 TDP", 14, (1, 2, 4, 9, 18), 129, byte=9, blocks=1),
            Ram("RAMB36 TDP", 15, (1, 2, 4, 9, 18, 36), 257, byte=9, blocks=2),
            Ram("RAMB18 SDP", 14, (1, 2, 4, 9, 18, 36), 129, byte=9, blocks=1),
            Ram("RAMB36 SDP", 15, (1, 2, 4, 9, 18, 36, 72), 257, byte=9, blocks=2),
        ),
        block_bits=18 * 1024,
        rom_bit_cost=1 / 64,
    ),
    dsp=Dsp((25, 18), 18, product=9, headroom=1, holds=_holds),
    recipe=Recipe(
        "synth_xilinx -family xc7 -flatten", "prepare", pads="-noiopad -noclkbuf", logic="-nodsp"
    ),
    characterization=Characterization(Path(__file__).parent / "data", board="pynq-z2"),
)

__all__ = ["XC7"]
