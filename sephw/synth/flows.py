"""What is particular to the place-and-route of each technology."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sephw.ir import Resources
from sephw.synth.carries import relieve_carries
from sephw.synth.floorplan import CHIPS, Chip
from sephw.synth.pll import set_design_pll, set_trellis_pll
from sephw.targets import Device, Technology
from sephw.tools.nextpnr import Nextpnr
from sephw.tools.packers import ecppack, gowin_pack, icepack

_PURPOSE = "bitstream"
# nextpnr's own form of a routed design.
ROUTED_DESIGN = "routed.json"


@dataclass(frozen=True)
class Units:
    """Names in nextpnr's utilization, each with what one of it counts, by `Resources` field.

    The first name of a field is that of the places there are; others take such places as well.
    """

    lut: Mapping[str, int]
    ff: Mapping[str, int]
    bram: Mapping[str, int]
    dsp: Mapping[str, int]

    def resources(self, counts: Mapping[str, int]) -> Resources:
        """Counts by nextpnr's names in the units of `Resources`."""
        lut, ff, bram, dsp = (
            sum(weight * counts.get(name, 0) for name, weight in names.items())
            for names in (self.lut, self.ff, self.bram, self.dsp)
        )
        return Resources(lut, ff, bram, dsp)

    def available(self, counts: Mapping[str, int]) -> Resources:
        """What there is of each, from the counts of places by nextpnr's names."""
        lut, ff, bram, dsp = (
            weight * counts.get(name, 0)
            for name, weight in (
                next(iter(names.items())) for names in (self.lut, self.ff, self.bram, self.dsp)
            )
        )
        return Resources(lut, ff, bram, dsp)


class Flow(ABC):
    """Options, names of resources and files of one build of nextpnr."""

    tool: ClassVar[Nextpnr]
    # Options and names of the files that nextpnr writes; `output` is the one that is packed.
    outputs: ClassVar[tuple[str, ...]]
    output: ClassVar[str]
    # Options for writing `output` once more after `set_pll`; none where that changed it itself.
    rewrite: ClassVar[tuple[str, ...]] = ()
    bitstream_suffix: ClassVar[str]
    units: ClassVar[Units]
    # Where blocks are, by device, as far as it is known.
    chips: ClassVar[Mapping[str, Chip]] = {}
    # Packages whose versions decide what the bitstream is, beside nextpnr's own.
    packages: ClassVar[tuple[str, ...]] = ()
    # Clock to aim for where nobody asks for one, MHz: seldom reached, so that nextpnr tries.
    aims: ClassVar[Mapping[str, float]]

    def effort(self, used: Resources, device: Device) -> tuple[str, ...]:
        """Options tried first; where nextpnr fails with them, it runs again with its own."""
        return ()

    def likely_mhz(self, used: Resources) -> float:
        """A clock that a design of this size is likely to reach."""
        return math.inf

    def prepare(self, netlist: Path) -> str:
        """Change nextpnr's copy of the netlist where that helps it; what was done, or nothing."""
        return ""

    @abstractmethod
    def arguments(self, device: Device, package: str, speed: str, pins: str | None) -> list[str]:
        """Device, package, speed grade and pin constraints (None: free pins)."""

    def harness_constraints(self, device: Device) -> tuple[str, str] | None:
        """(file name's ending, text) of pins for the harness, where nextpnr chooses none itself."""
        return None

    @abstractmethod
    def part(self, device: Device, package: str, speed: str) -> str:
        """What a person calls the chip in its package."""

    @abstractmethod
    def set_pll(self, folder: Path, settings: Mapping[str, int]) -> None:
        """Change the PLL's settings in what nextpnr wrote to ``folder``; see `rewrite`."""

    @abstractmethod
    def pack(self, device: Device, routed: str, bitstream: str, directory: Path) -> None:
        """Make the bitstream; both names are relative to ``directory``."""


class Ecp5(Flow):
    """Lattice ECP5, by Project Trellis."""

    tool = Nextpnr.ECP5
    outputs, output, bitstream_suffix = ("--textcfg", "routed.config"), "routed.config", ".bit"
    chips = CHIPS
    # Designs of more LUTs are routed by the router that takes less time for them.
    large: ClassVar[int] = 10_000
    # Share of the flip-flops beyond which the static placer is not tried.
    crowded: ClassVar[float] = 0.75
    # (LUTs, MHz) that designs up to that size reach; and what larger ones do.
    likely: ClassVar[tuple[tuple[int, float], ...]] = ((20_000, math.inf), (40_000, 70.0))
    least_mhz: ClassVar[float] = 60.0
    units = Units(
        lut={"TRELLIS_COMB": 1}, ff={"TRELLIS_FF": 1}, bram={"DP16KD": 1}, dsp={"MULT18X18D": 1}
    )
    aims: ClassVar[Mapping[str, float]] = {"ecp5-25f": 100.0, "ecp5-45f": 100.0, "ecp5-85f": 100.0}

    def likely_mhz(self, used: Resources) -> float:
        # Routed boards: 108 MHz with 16,000 LUTs, 74 to 76 with 31,000, 64 with 50,000.
        return next((mhz for most, mhz in self.likely if used.lut <= most), self.least_mhz)

    def prepare(self, netlist: Path) -> str:
        relief = relieve_carries(netlist)
        return f"carry chains: {relief.starts:,} starts and {relief.ends:,} ends without a cell"

    def effort(self, used: Resources, device: Device) -> tuple[str, ...]:
        # Half the wire length on large designs, and a faster clock; but where flip-flops crowd it
        # finds no legal place for them in half an hour (docs/synthesis.md).
        crowded = used.ff > self.crowded * device.available.ff
        placer = ("--placer", "heap" if crowded else "static")
        return (*placer, "--router", "router2") if used.lut > self.large else placer

    def arguments(self, device: Device, package: str, speed: str, pins: str | None) -> list[str]:
        size = device.part.rsplit("-", 1)[1].removesuffix("F")
        return [
            f"--{size}k",
            "--package",
            package or "CABGA381",
            "--speed",
            speed or "6",
            *(["--lpf", pins] if pins else []),
            "--lpf-allow-unconstrained",
        ]

    def part(self, device: Device, package: str, speed: str) -> str:
        return f"{device.part}-{speed or '6'} {package or 'CABGA381'}"

    def set_pll(self, folder: Path, settings: Mapping[str, int]) -> None:
        set_trellis_pll(folder / self.output, settings)

    def pack(self, device: Device, routed: str, bitstream: str, directory: Path) -> None:
        ecppack(routed, bitstream, directory, purpose=_PURPOSE)


class Ice40(Flow):
    """Lattice iCE40, by Project IceStorm."""

    tool = Nextpnr.ICE40
    outputs: ClassVar[tuple[str, ...]] = ("--asc", "routed.asc", "--write", ROUTED_DESIGN)
    output, bitstream_suffix = "routed.asc", ".bin"
    rewrite = (
        "--json",
        ROUTED_DESIGN,
        "--no-pack",
        "--no-place",
        "--no-route",
        "--asc",
        "routed.asc",
        "--timing-allow-fail",
    )
    units = Units(
        lut={"ICESTORM_LC": 1},
        ff={"ICESTORM_LC": 1},
        bram={"ICESTORM_RAM": 1},
        dsp={"ICESTORM_DSP": 1},
    )
    usual: ClassVar[Mapping[str, str]] = {"up5k": "sg48", "hx8k": "ct256"}
    aims: ClassVar[Mapping[str, float]] = {"ice40-up5k": 40.0, "ice40-hx8k": 90.0}

    def arguments(self, device: Device, package: str, speed: str, pins: str | None) -> list[str]:
        return [
            f"--{device.part}",
            "--package",
            package or self.usual[device.part],
            *(["--pcf", pins] if pins else []),
            "--pcf-allow-unconstrained",
        ]

    def part(self, device: Device, package: str, speed: str) -> str:
        return f"iCE40{device.part.upper()} {package or self.usual[device.part]}"

    def set_pll(self, folder: Path, settings: Mapping[str, int]) -> None:
        set_design_pll(folder / ROUTED_DESIGN, "ICESTORM_PLL", settings)

    def pack(self, device: Device, routed: str, bitstream: str, directory: Path) -> None:
        icepack(routed, bitstream, directory, purpose=_PURPOSE)


class Gowin(Flow):
    """Gowin LittleBee and Arora, by Project Apicula."""

    tool = Nextpnr.GOWIN
    outputs, output, bitstream_suffix = ("--write", ROUTED_DESIGN), ROUTED_DESIGN, ".fs"
    units = Units(
        lut={"LUT4": 1, "ALU": 1, "RAM16SDP1": 1, "RAM16SDP2": 2, "RAM16SDP4": 4},
        ff={"DFF": 1},
        bram={"BSRAM": 1},
        # Halves of a multiplier of 18 bits.
        dsp={"MULT18X18": 2, "MULT9X9": 1, "MULTALU18X18": 4, "MULT36X36": 8},
    )
    packages = ("apycula",)
    aims: ClassVar[Mapping[str, float]] = {"gw1nr-9": 60.0, "gw2ar-18": 100.0}
    parts: ClassVar[Mapping[str, str]] = {
        "GW1N-9C": "GW1NR-LV9QN88PC6/I5",
        "GW2A-18C": "GW2AR-LV18QN88C8/I7",
    }

    # Of the usual parts: clock, reset, input and output of the harness; any pins would do.
    pins: ClassVar[Mapping[str, tuple[str, str, str, str]]] = {
        "gw1nr-9": ("52", "17", "18", "10"),
        "gw2ar-18": ("4", "69", "70", "15"),
    }

    def harness_constraints(self, device: Device) -> tuple[str, str] | None:
        ports = ("ap_clk", "ap_rst_n", "serial_in", "serial_out")
        pairs = zip(ports, self.pins[device.name], strict=True)
        return "cst", "".join(f'IO_LOC "{port}" {pin};\n' for port, pin in pairs)

    def arguments(self, device: Device, package: str, speed: str, pins: str | None) -> list[str]:
        return [
            "--device",
            self.part(device, package, speed),
            "--vopt",
            f"family={device.part}",
            *(["--vopt", f"cst={pins}"] if pins else []),
        ]

    def part(self, device: Device, package: str, speed: str) -> str:
        return package or self.parts[device.part]

    def set_pll(self, folder: Path, settings: Mapping[str, int]) -> None:
        set_design_pll(folder / self.output, "rPLL", settings)

    def pack(self, device: Device, routed: str, bitstream: str, directory: Path) -> None:
        gowin_pack(device.part, routed, bitstream, directory, purpose=_PURPOSE)


FLOWS: Mapping[Technology, Flow] = {
    Technology.ECP5: Ecp5(),
    Technology.ICE40: Ice40(),
    Technology.GOWIN: Gowin(),
}
