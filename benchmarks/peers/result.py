"""What was measured, row by row, and how rows compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

OURS = "sephw"
NOT_SYNTHESIZED = "not synthesized"


class Scope(StrEnum):
    """How much of the layer a row holds.

    ADDERS: arithmetic alone, no flow control. ENGINE: the convolution behind streams, fed with
    whole windows. LAYER: line buffers and windows as well, sums out. LAYER_8BIT: that, and sums
    scaled, shifted and clipped to 8 bits.
    """

    ADDERS = "adders"
    ENGINE = "engine"
    LAYER = "layer"
    LAYER_8BIT = "layer, 8-bit out"


@dataclass(frozen=True)
class Row:
    """One design on one technology.

    ``cycles``: per image, from RTL simulation, image after image; ``checked`` of its output
    integers were compared with numpy, ``wrong`` of them differ. BRAM: 18-Kbit blocks.
    """

    contender: str
    configuration: str
    scope: Scope
    groups: int
    technology: str
    lut: int
    ff: int
    bram: int
    dsp: int
    macs: int
    cycles: int
    checked: int
    wrong: int
    note: str = ""

    @property
    def lut_per_mac(self) -> float:
        """LUTs per multiply-accumulate and cycle."""
        return self.lut * self.cycles / self.macs


@dataclass(frozen=True)
class Comparison:
    """A peer's row beside the smallest of ours that is at least as fast; None where none is."""

    peer: Row
    ours: Row | None

    @property
    def factor(self) -> float | None:
        """How many times more LUTs the peer takes."""
        return None if self.ours is None else self.peer.lut / self.ours.lut


def compare(rows: Sequence[Row]) -> tuple[Comparison, ...]:
    """Every peer's row with ours of the same scope, groups and technology."""
    return tuple(Comparison(peer, _smallest(peer, rows)) for peer in rows if peer.contender != OURS)


def best_peer_factor(comparisons: Iterable[Comparison], scope: Scope, technology: str) -> float:
    """The smallest factor of any right peer: how we stand against the best of them; inf if none."""
    factors = [
        c.factor
        for c in comparisons
        if c.factor is not None
        and c.peer.scope is scope
        and c.peer.technology == technology
        and c.peer.wrong == 0
    ]
    return min(factors, default=float("inf"))


def _smallest(peer: Row, rows: Sequence[Row]) -> Row | None:
    fast = [
        row
        for row in rows
        if row.contender == OURS
        and (row.scope, row.groups, row.technology) == (peer.scope, peer.groups, peer.technology)
        and row.cycles <= peer.cycles
    ]
    return min(fast, key=lambda row: row.lut, default=None)


def to_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows as JSON values."""
    return [asdict(row) for row in rows]


def from_json(values: Sequence[dict[str, Any]]) -> tuple[Row, ...]:
    """The inverse of ``to_json``."""
    return tuple(Row(**{**value, "scope": Scope(value["scope"])}) for value in values)
