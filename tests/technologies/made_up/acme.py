"""A family that nobody makes: LUTs of four inputs, no block RAM, no DSP blocks, no open routing."""

from __future__ import annotations

import re
from pathlib import Path

from sephw.ir.resources import Resources
from sephw.technologies.fabric import Cells, Characterization, Logic, Rams, Recipe
from sephw.technologies.helpers.choices import by_luts
from sephw.technologies.profile import Size, Technology

ACME = Technology(
    name="acme",
    sizes=(Size("acme-30k", "AC30", Resources(30_000, 30_000)),),
    cells=Cells(
        lut={"$lut": 1},
        ff=re.compile(r"\$_S?DFF"),
        bram={},
        dsp={},
        carry="",
        units="LUT: 4-input ones.",
    ),
    logic=Logic(lut_inputs=4, small_sum_bits=2, choice_luts=by_luts),
    rams=Rams((), block_bits=0, rom_bit_cost=1 / 16),
    recipe=Recipe("synth -lut 4", "coarse"),
    characterization=Characterization(Path(__file__).parent / "data", board="none"),
)
