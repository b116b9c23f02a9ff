"""The published page of the held-out networks: errors of the estimates, and of what engines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.random_networks.held_out import (
    FOLDED,
    MOST_ENGINES,
    MOST_LUTS,
    HeldOut,
    Row,
)
from sephw.ir.resources import RESOURCE_KINDS, Resources
from sephw.resources.held_out import CountPair, bars, covers
from sephw.technologies import FAMILIES

PUBLISHED = Path(__file__).resolve().parents[2] / "reports" / "published"
NAME = "held_out_networks"


def publish(found: HeldOut) -> str:
    """Write held_out_networks.md; returns the page."""
    text = page(found)
    (PUBLISHED / f"{NAME}.md").write_text(text, "utf-8")
    return text


def page(found: HeldOut) -> str:
    """Markdown."""
    seeds = sorted({row.seed for row in found.networks})
    lines = [
        "# Held-out networks: estimated and synthesized",
        "",
        f"Made by `python -m benchmarks.random_networks.synthesize --count {len(found.networks)} "
        f"--seed {' '.join(map(str, seeds))}`, of the networks of "
        "[random networks](random_networks.md): those of at most "
        f"{MOST_ENGINES} engines and {MOST_LUTS:,} LUTs, estimated, without filters and channels "
        "that are constant by construction, in turn; all of them are exact in every "
        "representation. No coefficient of the resource model was fitted to them. Each is "
        "synthesized for one technology, its engines only, without a board's top and link; every "
        "row is in `sephw/resources/data/held_out_networks.json`. Yosys " + found.yosys + ".",
        "",
        *_errors(found.networks),
        *_engines(found.networks),
    ]
    return "\n".join(lines)


def _errors(rows: Sequence[Row]) -> list[str]:
    lines = [
        "## Errors and bars",
        "",
        "Error: estimated / synthesized − 1, the sums over all engines, of networks that have any. "
        "Bar: the range of synthesized / estimated that estimates are given with "
        "(`sephw.resources.held_out.bars`), made of these and the other "
        "[held-out networks](resource_model.md); inside: of these networks, how many the bar "
        "made without them holds; expected: of further networks, how many it is to hold.",
        "",
        "| technology | resource | networks | median | p10 | p90 | largest | equal | bar | inside "
        "| expected |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for technology in FAMILIES:
        some = [row for row in rows if row.technology == technology.name]
        stated = bars(technology)
        if not some or stated is None:
            continue
        inside = [covers(technology, pair_of(row)) for row in some]
        for kind in RESOURCE_KINDS:
            errors = errors_of(some, kind)
            low, high = stated.ratios[kind]
            equal = sum(row.estimated[kind] == row.synthesized[kind] for row in some)
            held = sum(one[kind] for one in inside)
            lines.append(
                f"| {technology} | {kind.upper()} | {len(errors)} | "
                + " | ".join(_summary(errors))
                + f" | {equal} of {len(some)} | {low:.3f} to {high:.3f} "
                f"| {held} of {len(some)} ({held / len(some):.0%}) | {stated.coverage:.0%} |"
            )
    return [*lines, ""]


def pair_of(row: Row) -> CountPair:
    """The row as the bars know it."""
    return CountPair(Resources(**row.estimated), Resources(**row.synthesized))


def errors_of(rows: Sequence[Row], kind: str) -> list[float]:
    """Relative errors, of rows that have any of that kind of resource."""
    return [
        row.estimated[kind] / row.synthesized[kind] - 1 for row in rows if row.synthesized[kind]
    ]


def _summary(errors: Sequence[float]) -> list[str]:
    """Median, p10, p90 and what is farthest from 0."""
    if not errors:
        return ["–"] * 4
    found = [*np.quantile(errors, (0.5, 0.1, 0.9)), max(errors, key=abs)]
    return [f"{error:+.1%}" for error in found]


def _engines(rows: Sequence[Row]) -> list[str]:
    """Sums over all networks of a technology, by what engine it is."""
    split = [row for row in rows if row.luts]
    if not split:
        return []
    shown = [t.name for t in FAMILIES if any(row.technology == t.name for row in split)]
    lines = [
        "## Which engines",
        "",
        "LUTs of all engines of a kind, estimated / synthesized, and by how much the sum is off, "
        f"in the {len(split)} networks that were counted by engine. Most of what estimates are too "
        "high is of engines whose factors are constants: joins whose channels all have the factor "
        "1, as sums of pools, skips and classes have them, or of which every lane has one channel, "
        "and 8-bit convolutions with a lane for every weight. Yosys folds factors, shifts and "
        "biases of such a lane into the logic, down to nothing; the model counts a multiplier, a "
        "shift and an adder. None of the layers that the model was fitted to and judged by is such "
        "a join. Engines are synthesized by themselves: nothing is simplified across their "
        "borders, and forks and FIFOs of one word are not what is off.",
        "",
        "| engine | " + " | ".join(shown) + " |",
        "|---|" + "---|" * len(shown),
    ]
    for kind in sorted({kind for row in split for kind in row.luts}):
        cells = [
            _cell([r.luts[kind] for r in split if r.technology == t and kind in r.luts])
            for t in shown
        ]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    every = [
        [counts for r in split if r.technology == t for counts in r.luts.values()] for t in shown
    ]
    folded = [
        [
            counts
            for r in split
            if r.technology == t
            for kind, counts in r.luts.items()
            if not kind.endswith(FOLDED)
        ]
        for t in shown
    ]
    lines.append(f"| all | {' | '.join(map(_cell, every))} |")
    lines.append(f"| all but constant factors | {' | '.join(map(_cell, folded))} |")
    return [*lines, ""]


def _cell(counts: Sequence[tuple[int, int, int]]) -> str:
    if not counts:
        return "–"
    engines, before, after = (sum(part) for part in zip(*counts, strict=True))
    return f"{engines}: {before:,} / {after:,} ({before / after - 1:+.0%})" if after else "–"
