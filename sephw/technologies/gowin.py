"""Gowin LittleBee and Arora, by Project Apicula."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from math import floor
from pathlib import Path

from sephw.ir.resources import Resources
from sephw.technologies.fabric import (
    Cells,
    Characterization,
    ClockFit,
    Dsp,
    Logic,
    Ram,
    Rams,
    Recipe,
)
from sephw.technologies.helpers.choices import by_eights
from sephw.technologies.helpers.gowin_cells import MEANINGS
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

# GW1NR series data sheet, grade C6/I5.
_SMALL_PLL = PllLimits(
    input=Range.from_decimals("3", "400"),
    detector=Range.from_decimals("3", "400"),
    oscillator=Range.from_decimals("400", "1200"),
    output=Range.from_decimals("3.125", "600"),
)
# GW2AR series data sheet, grade C8/I7.
_LARGE_PLL = PllLimits(
    input=Range.from_decimals("3", "500"),
    detector=Range.from_decimals("3", "500"),
    oscillator=Range.from_decimals("500", "1250"),
    output=Range.from_decimals("3.90625", "625"),
)
_OUTPUT_DIVIDERS = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)


def _arguments(part: str, package: str, speed: str, pins: str | None) -> list[str]:
    return [
        "--device",
        package,
        "--vopt",
        f"family={part}",
        *(["--vopt", f"cst={pins}"] if pins else []),
    ]


def _part_name(part: str, package: str, speed: str) -> str:
    return package


def _pll_choices(source: MHz, wanted: MHz, limits: PllLimits) -> Iterator[PllChoice]:
    for idiv in range(64):
        detector = source / (idiv + 1)
        for fbdiv in range(min(64, floor(wanted / detector))):
            output = detector * (fbdiv + 1)
            for odiv in _OUTPUT_DIVIDERS:
                settings = {"IDIV_SEL": idiv, "FBDIV_SEL": fbdiv, "ODIV_SEL": odiv}
                yield PllChoice(output, output * odiv, detector, settings)


def _constraints(pins: Sequence[Pin], clock: Pin, clock_mhz: float) -> Iterable[str]:
    for pin in pins:
        yield f'IO_LOC "{pin.port}" {pin.site};'
        if pin.attributes:
            yield f'IO_PORT "{pin.port}" {pin.listed};'


_PLL_BODY = """\
  assign uart_clk = clk_in;

  rPLL #(
      .FCLKIN("{input:g}"),
      .DEVICE("{device}"),
      .IDIV_SEL({IDIV_SEL}),
      .FBDIV_SEL({FBDIV_SEL}),
      .ODIV_SEL({ODIV_SEL}),
      .DYN_IDIV_SEL("false"),
      .DYN_FBDIV_SEL("false"),
      .DYN_ODIV_SEL("false"),
      .CLKFB_SEL("internal"),
      .CLKOUT_BYPASS("false"),
      .CLKOUTP_BYPASS("false"),
      .CLKOUTD_BYPASS("false"),
      .CLKOUTD_SRC("CLKOUT"),
      .CLKOUTD3_SRC("CLKOUT"),
      .DYN_SDIV_SEL(2),
      .PSDA_SEL("0000"),
      .DUTYDA_SEL("1000"),
      .DYN_DA_EN("false"),
      .CLKOUT_FT_DIR(1'b1),
      .CLKOUTP_FT_DIR(1'b1),
      .CLKOUT_DLY_STEP(0),
      .CLKOUTP_DLY_STEP(0)
  ) pll (
      .CLKIN(clk_in),
      .CLKOUT(clk),
      .LOCK(locked),
      .RESET(1'b0),
      .RESET_P(1'b0),
      .CLKFB(1'b0),
      .FBDSEL(6'd0),
      .IDSEL(6'd0),
      .ODSEL(6'd0),
      .PSDA(4'd0),
      .DUTYDA(4'd0),
      .FDLY(4'd0)
  );
"""
_DESIGN = "routed.json"

GOWIN = Technology(
    name="gowin",
    sizes=(
        Size(
            "gw1nr-9",
            "GW1N-9C",
            Resources(8640, 6480, 26, 40),
            RoutedSize(60.0, "GW1NR-LV9QN88PC6/I5", harness_pins=("52", "17", "18", "10")),
            _SMALL_PLL,
            pll_device="GW1NR-9C",
        ),
        Size(
            "gw2ar-18",
            "GW2A-18C",
            Resources(20736, 15552, 46, 96),
            RoutedSize(100.0, "GW2AR-LV18QN88C8/I7", harness_pins=("4", "69", "70", "15")),
            _LARGE_PLL,
            pll_device="GW2AR-18C",
        ),
    ),
    cells=Cells(
        lut={
            "LUT1": 1,
            "LUT2": 1,
            "LUT3": 1,
            "LUT4": 1,
            "ALU": 1,
            "RAM16SDP1": 1,
            "RAM16SDP2": 2,
            "RAM16SDP4": 4,
            "INV": 1,
        },
        ff=re.compile(r"DFF"),
        bram={
            "SDPB": 1,
            "SDPX9B": 1,
            "DPB": 1,
            "DPX9B": 1,
            "SPX9": 1,
            "SP": 1,
            "pROM": 1,
            "pROMX9": 1,
        },
        # Halves of a multiplier of 18 bits.
        dsp={"MULT9X9": 1, "MULT18X18": 2, "MULT36X36": 8, "MULTALU18X18": 4},
        carry="ALU",
        units="LUT: 4-input ones. BRAM: blocks of 18 Kbit. DSP: halves of 18 x 18 multipliers.",
    ),
    logic=Logic(lut_inputs=4, small_sum_bits=2, choice_luts=by_eights),
    rams=Rams(
        (
            Ram("RAM16SDP4", 4, (4,), 4, luts=4, cost_width=4, rom=False, narrower=(1, 2)),
            Ram("SP", 14, (1, 2, 4, 9, 18, 36), 128, byte=9, blocks=1, one_address=True),
            Ram("DP", 14, (1, 2, 4, 9, 18), 128, byte=9, blocks=1),
            Ram("SDP", 14, (1, 2, 4, 9, 18, 36), 128, byte=9, blocks=1),
        ),
        block_bits=18 * 1024,
        rom_bit_cost=1 / 16,
    ),
    dsp=Dsp((18, 18), 18, least=(10, 4), units=2, smaller=Dsp((9, 9), 9, least=(4, 4))),
    # The packer looks for a module of that name.
    recipe=Recipe(
        "synth_gowin -family gw2a", "coarse", pads="-noiopads", logic="-nodsp", top="top"
    ),
    characterization=Characterization(
        Path(__file__).parent / "data",
        board="tang-nano-20k",
        clock=ClockFit(
            "gw1nr-9",
            requested_mhz=150.0,
            prior={
                "once": 6.0,
                "chained": 3.0,
                "carry": 0.1,
                "fanout": 0.3,
                "block": 1.0,
                "dsp": 2.0,
                "rows": 0.5,
                "counter": 0.15,
                "table": 0.3,
            },
        ),
    ),
    route=Route(
        program="nextpnr-himbaechel-gowin",
        outputs=("--write", _DESIGN),
        output=_DESIGN,
        bitstream_suffix=".fs",
        units=Units(
            lut={"LUT4": 1, "ALU": 1, "RAM16SDP1": 1, "RAM16SDP2": 2, "RAM16SDP4": 4},
            ff={"DFF": 1},
            bram={"BSRAM": 1},
            # Halves of a multiplier of 18 bits.
            dsp={"MULT18X18": 2, "MULT9X9": 1, "MULTALU18X18": 4, "MULT36X36": 8},
        ),
        packer=Packer(
            "gowin_pack",
            "apycula",
            "apycula.gowin_pack",
            "main",
            ("-d", "{device}", "-o", "{bitstream}", "{routed}"),
            plain=True,
        ),
        arguments=_arguments,
        part_name=_part_name,
        clock_decoration=re.compile(r"_IBUF_[IO].*$"),
        packages=("apycula",),
        chooses_pins=False,
    ),
    pll=Pll(_pll_choices, _PLL_BODY, CellParameters(_DESIGN, "rPLL")),
    pins=Pins(
        pull_up={"IO_TYPE": "LVCMOS33", "PULL_MODE": "UP"},
        ending="cst",
        lines=_constraints,
        location='IO_LOC "{port}" {pin};',
    ),
    board_top=BoardTop(Resources(lut=1260, ff=770, bram=1)),
    cell_models=MEANINGS,
)

__all__ = ["GOWIN"]
