"""What a design takes of a device, in the device's own units."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Resources:
    """Counts of logic cells and hard blocks.

    ``lut``: LUT4 (ECP5, iCE40, Gowin; a carry cell counts as the two or one that it occupies) or
    LUT6 (Xilinx), those used as memory included. ``ff``: flip-flops. ``bram``: block RAMs of the
    technology's size: 18 Kbit (ECP5, Gowin, Xilinx) or 4 Kbit (iCE40). ``dsp``: multipliers of
    18 × 18 (ECP5), halves of such (Gowin), multipliers of 16 × 16 (iCE40) or DSP48 slices (Xilinx).
    """

    lut: int = 0
    ff: int = 0
    bram: int = 0
    dsp: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            self.lut + other.lut, self.ff + other.ff, self.bram + other.bram, self.dsp + other.dsp
        )

    def less(self, other: Resources) -> Resources:
        """This without ``other``; counts may become negative."""
        return Resources(
            self.lut - other.lut, self.ff - other.ff, self.bram - other.bram, self.dsp - other.dsp
        )

    def fits(self, limits: Resources) -> bool:
        """True where no count is above that of ``limits``."""
        return not self.excess(limits)

    def excess(self, limits: Resources) -> tuple[tuple[str, int, int], ...]:
        """(name, used, available) of each count above that of ``limits``."""
        pairs = (
            ("LUT", self.lut, limits.lut),
            ("FF", self.ff, limits.ff),
            ("BRAM", self.bram, limits.bram),
            ("DSP", self.dsp, limits.dsp),
        )
        return tuple(pair for pair in pairs if pair[1] > pair[2])
