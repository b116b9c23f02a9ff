"""Resources of a device that a design uses, in the device's own units."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Resources:
    """Counts of logic cells and hard blocks.

    ``lut``: LUTs, those used as memory included; a carry cell counts as the ones that it occupies.
    ``ff``: flip-flops. ``bram``: block RAMs, ``dsp``: multipliers, of the technology's own size:
    its profile in sephw/technologies says which.
    """

    lut: int = 0
    ff: int = 0
    bram: int = 0
    dsp: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            self.lut + other.lut, self.ff + other.ff, self.bram + other.bram, self.dsp + other.dsp
        )

    def minus(self, other: Resources) -> Resources:
        """The difference to ``other``; counts may become negative."""
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


# Names of the counts, as files and tables have them.
RESOURCE_KINDS = tuple(field.name for field in fields(Resources))
