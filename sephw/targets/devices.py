"""The table of devices: technology, and what the vendor's data sheet says is on the chip."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sephw.errors import UsageError
from sephw.ir.resources import Resources
from sephw.suggest import did_you_mean


class Technology(StrEnum):
    """Logic fabric: what synthesis maps to and the resource model is fitted for.

    XC7 stands for UltraScale+ as well in estimates: the same LUT6, 18-Kbit RAMs and DSP slices.
    """

    ECP5 = "ecp5"
    ICE40 = "ice40"
    GOWIN = "gowin"
    XC7 = "xc7"


_BLOCK_BITS = {
    Technology.ECP5: 18 * 1024,
    Technology.ICE40: 4 * 1024,
    Technology.GOWIN: 18 * 1024,
    Technology.XC7: 18 * 1024,
}


@dataclass(frozen=True)
class Device:
    """One chip. ``part`` as its place-and-route (or vendor's) tool spells it.

    ``available`` in the units of `Resources`. ``routable``: an open place-and-route from PyPI
    exists; without one there are synthesized counts, but no clock and no bitstream.
    """

    name: str
    technology: Technology
    part: str
    available: Resources
    routable: bool

    @property
    def block_ram_bits(self) -> int:
        """Bits of all block RAMs. UltraRAM is not among them: it cannot start with constants."""
        return self.available.bram * _BLOCK_BITS[self.technology]


DEVICES: tuple[Device, ...] = (
    Device("ecp5-25f", Technology.ECP5, "LFE5U-25F", Resources(24288, 24288, 56, 28), True),
    Device("ecp5-45f", Technology.ECP5, "LFE5U-45F", Resources(43848, 43848, 108, 72), True),
    Device("ecp5-85f", Technology.ECP5, "LFE5U-85F", Resources(83640, 83640, 208, 156), True),
    Device("ice40-up5k", Technology.ICE40, "up5k", Resources(5280, 5280, 30, 8), True),
    Device("ice40-hx8k", Technology.ICE40, "hx8k", Resources(7680, 7680, 32, 0), True),
    Device("gw1nr-9", Technology.GOWIN, "GW1N-9C", Resources(8640, 6480, 26, 40), True),
    Device("gw2ar-18", Technology.GOWIN, "GW2A-18C", Resources(20736, 15552, 46, 96), True),
    Device("xc7z020", Technology.XC7, "xc7z020clg400-1", Resources(53200, 106400, 280, 220), False),
    Device(
        "xc7z045", Technology.XC7, "xc7z045ffg900-2", Resources(218600, 437200, 1090, 900), False
    ),
    Device(
        "xczu3eg", Technology.XC7, "xczu3eg-sbva484-1-i", Resources(70560, 141120, 432, 360), False
    ),
    Device(
        "xck26", Technology.XC7, "xck26-sfvc784-2LV-c", Resources(117120, 234240, 288, 1248), False
    ),
    Device(
        "xczu7ev",
        Technology.XC7,
        "xczu7ev-ffvc1156-2-e",
        Resources(230400, 460800, 624, 1728),
        False,
    ),
)


def find_device(name: str) -> Device:
    """The device called `name`; UsageError lists the names where there is none."""
    for device in DEVICES:
        if device.name == name:
            return device
    names = ", ".join(device.name for device in DEVICES)
    hint = did_you_mean(name, (device.name for device in DEVICES))
    raise UsageError(f"device '{name}' is unknown; {hint}use one of {names}")
