"""Error bars of whole designs, from networks that no figure of the resource model was fitted to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from sephw.files import build
from sephw.ir.resources import RESOURCE_KINDS, Resources
from sephw.resources.model import accuracy
from sephw.technologies import Technology

# Rows of networks, each with a technology and what its engines were estimated and synthesized to.
# Those of BOARDS have as well what lies outside of the engines of a board's design, and designs
# that were routed.
RANDOM, BOARDS = "held_out_networks.json", "board_networks.json"
# Of a hundred further networks, how many bars are to hold where there are networks enough for it.
COVERAGE_PERCENT = 90


@dataclass(frozen=True)
class CountPair:
    """Resources of one design by two methods: estimated and synthesized, or synthesized and
    routed.
    """

    before: Resources
    after: Resources


@dataclass(frozen=True)
class Measured:
    """The measurements of a technology.

    ``networks``: engines estimated and synthesized; ``tops``: a board's top estimated, and the
    synthesized logic outside of engines; ``routed``: whole designs synthesized and routed.
    """

    networks: tuple[CountPair, ...]
    tops: tuple[CountPair, ...]
    routed: tuple[CountPair, ...]


@dataclass(frozen=True)
class ErrorBars:
    """Error bars of whole designs.

    Lowest and highest ratio, by kind: ``ratios``: true count of all engines by their estimate;
    ``tops``: of a board's top likewise; ``routing``: routed by synthesized count.
    ``networks``, ``measured_tops``, ``routed``: how many they were found on. ``coverage``: the
    share of further networks that the ratios are expected to hold.
    """

    ratios: Mapping[str, tuple[float, float]]
    tops: Mapping[str, tuple[float, float]]
    routing: Mapping[str, tuple[float, float]]
    networks: int
    coverage: float
    measured_tops: int = 0
    routed: int = 0

    @property
    def enough(self) -> bool:
        """True where the outermost networks are left out, so that no single one sets a bar."""
        return _beyond(self.networks) > 0

    def at_least(self, ratios: Mapping[str, tuple[float, float]]) -> ErrorBars:
        """The same bars, widened so that the ranges of engines and of tops contain ``ratios``."""
        engines, tops = (
            {
                kind: (min(low, ratios[kind][0]), max(high, ratios[kind][1]))
                for kind, (low, high) in found.items()
            }
            for found in (self.ratios, self.tops)
        )
        return replace(self, ratios=engines, tops=tops)

    def around(self, engines: Resources, top: Resources) -> dict[str, tuple[int, int]]:
        """The lower and upper bound by kind, for a design whose engines and top have these
        estimates.
        """
        found = {}
        for kind in RESOURCE_KINDS:
            own, above = getattr(engines, kind), getattr(top, kind)
            low, high = self.ratios[kind]
            (fewest, most), (less, more) = self.tops[kind], self.routing[kind]
            found[kind] = (
                round((own * low + above * fewest) * less),
                round((own * high + above * most) * more),
            )
        return found


def bars(technology: Technology) -> ErrorBars | None:
    """The error bars of designs of ``technology``; None where no network was measured.

    For a technology with routed designs, the bars include the change by routing. While there are
    too few networks to leave any out, bars are no narrower than those of one engine: the networks
    are smaller than most designs.
    """
    found = measured(technology)
    return _stated(technology, found) if found.networks else None


def covers(technology: Technology, one: CountPair) -> dict[str, bool]:
    """By kind, whether the bars of all other networks of ``technology`` contain this one's engines.

    Raises ValueError where ``one`` is none of the measured networks.
    """
    found = measured(technology)
    others = list(found.networks)
    others.remove(one)
    around = _stated(technology, replace(found, networks=tuple(others))).ratios
    return {kind: _within(one, kind, *around[kind]) for kind in RESOURCE_KINDS}


def _stated(technology: Technology, found: Measured) -> ErrorBars:
    result = bars_of(found)
    return result if result.enough else result.at_least(engine_ratios(technology))


def _within(pair: CountPair, kind: str, low: float, high: float) -> bool:
    before, after = getattr(pair.before, kind), getattr(pair.after, kind)
    return bool(low * before <= after <= high * before)


def engine_ratios(technology: Technology) -> dict[str, tuple[float, float]]:
    """The range of true count / estimate of nine in ten held-out engines, by kind."""
    known = accuracy(technology)
    return {kind: around(getattr(known, kind).p90) for kind in RESOURCE_KINDS}


def around(error: float) -> tuple[float, float]:
    """The range of measured / estimate where |estimate − measured| / measured is ``error``."""
    return 1 / (1 + error), 1 / max(0.01, 1 - error)


def bars_of(found: Measured) -> ErrorBars:
    """The error bars of the measurements ``found``."""
    beyond = _beyond(len(found.networks))
    return ErrorBars(
        {kind: _ratios(found.networks, kind, beyond) for kind in RESOURCE_KINDS},
        {kind: _ratios(found.tops, kind) for kind in RESOURCE_KINDS},
        {kind: _ratios(found.routed, kind) for kind in RESOURCE_KINDS},
        len(found.networks),
        expected_coverage(len(found.networks)),
        len(found.tops),
        len(found.routed),
    )


def _ratios(pairs: Sequence[CountPair], kind: str, beyond: int = 0) -> tuple[float, float]:
    """Lowest and highest ratio without the ``beyond`` outermost at each end; 1 lies within."""
    found = sorted(
        getattr(pair.after, kind) / getattr(pair.before, kind)
        for pair in pairs
        if getattr(pair.before, kind)
    )
    if not found:
        return 1.0, 1.0
    left_out = min(beyond, (len(found) - 1) // 2)
    return min(1.0, found[left_out]), max(1.0, found[-1 - left_out])


def _beyond(count: int) -> int:
    """The number of ``count`` ratios that may lie beyond each end of bars of `COVERAGE_PERCENT`."""
    return max(0, (count + 1) * (100 - COVERAGE_PERCENT) // 200 - 1)


def expected_coverage(count: int) -> float:
    """The share of further networks that bars of ``count`` networks are expected to contain, by
    kind.

    One more network is equally likely at each rank among the others: between the k-th from below
    and the k-th from above it lies with probability (count + 1 − 2k) / (count + 1).
    """
    return max(0.0, (count - 1 - 2 * _beyond(count)) / (count + 1))


def held(pairs: Sequence[CountPair]) -> dict[str, float]:
    """The share of networks, by kind, that the bars of all others contain."""
    inside: dict[str, list[bool]] = {kind: [] for kind in RESOURCE_KINDS}
    for i, one in enumerate(pairs):
        others = [*pairs[:i], *pairs[i + 1 :]]
        for kind in RESOURCE_KINDS:
            inside[kind].append(_within(one, kind, *_ratios(others, kind, _beyond(len(others)))))
    return {kind: sum(found) / max(1, len(found)) for kind, found in inside.items()}


@cache
def measured(technology: Technology) -> Measured:
    """The networks, tops and routed designs of ``technology``.

    Shipped models whose engines were synthesized, and drawn networks.
    """
    boards, others = _content(BOARDS), _content(RANDOM)

    def rows(content: Mapping[str, Any], part: str) -> list[Mapping[str, Any]]:
        return [row for row in content.get(part, ()) if row["technology"] == technology.name]

    drawn = (*rows(others, "networks"), *rows(boards, "networks"))
    shipped = accuracy(technology).networks
    return Measured(
        (
            *(
                CountPair(build(Resources, n.estimated), build(Resources, n.synthesized))
                for n in shipped
            ),
            *(
                CountPair(build(Resources, r["estimated"]), build(Resources, r["synthesized"]))
                for r in drawn
            ),
        ),
        tuple(
            CountPair(build(Resources, row["top"]), build(Resources, row["outside"]))
            for row in rows(boards, "networks")
            if row["top"] is not None
        ),
        tuple(
            CountPair(build(Resources, row["synthesized"]), build(Resources, row["routed"]))
            for row in rows(boards, "routed")
        ),
    )


def read_again() -> None:
    """Forget the files of networks that were read: one of them has been written."""
    measured.cache_clear()
    _content.cache_clear()


@cache
def _content(name: str) -> Mapping[str, Any]:
    path = files("sephw.resources").joinpath("data", name)
    if not path.is_file():
        return {}
    content: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return content


__all__ = [
    "BOARDS",
    "RANDOM",
    "ErrorBars",
    "Measured",
    "CountPair",
    "bars",
    "bars_of",
    "around",
    "engine_ratios",
    "expected_coverage",
    "held",
    "covers",
    "measured",
]
