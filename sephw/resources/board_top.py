"""What a board's top takes beside the network: host link, reset, cycle counter, lights."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sephw.ir.resources import Resources
from sephw.targets import Target, Technology

# Synthesized: what lies in no engine ("glue" in synth.json) on ULX3S, iCEBreaker and Tang Nano 9K,
# the larger of two small networks, rounded up.
_BOARD_TOPS: Mapping[Technology, Resources] = MappingProxyType(
    {
        Technology.ECP5: Resources(lut=1110, ff=770, bram=1),
        Technology.ICE40: Resources(lut=950, ff=860, bram=3),
        Technology.GOWIN: Resources(lut=1260, ff=770, bram=1),
    }
)


def board_top(technology: Technology) -> Resources:
    """Resources of a board's top; none for a technology whose tops were not measured."""
    return _BOARD_TOPS.get(technology, Resources())


def top_of(target: Target | None) -> Resources:
    """Resources of the top that the open flow builds for ``target``; none where it builds none."""
    if target is None or target.open_board is None:
        return Resources()
    return board_top(target.device.technology)


__all__ = ["board_top", "top_of"]
